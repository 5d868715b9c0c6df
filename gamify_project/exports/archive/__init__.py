"""An archive: a directory with all of one tenant, to restore it elsewhere.

tables      which tables and columns are in it     rows        rows as lines of JSON
manifest    what the directory contains            writing     writes an archive
restoring   reads one, and proves it
"""
