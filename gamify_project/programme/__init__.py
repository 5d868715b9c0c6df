"""The programme: all definitions of a tenant as one YAML file (docs/contract.md §15).

yaml          text with lines            items     definitions as a file has them, and back
references    codes in the file, ids in the database        planning  what an import would change
services      import, copy, roll back
"""
