"""Request bodies of challenges, shared by the API and the console.

bodies      objectives and milestones          challenges  the whole challenge, and rules that involve several parts
"""
