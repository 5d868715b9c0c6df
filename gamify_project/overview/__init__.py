"""The overview of the console: the daily figures of the picked tenant, what is not in use, and the first steps of an empty tenant.

It reads stored figures and small tables only, so it costs the same with any number of participants.
"""
