"""Clients' events, and the pipeline that passes facts to the other domains."""
