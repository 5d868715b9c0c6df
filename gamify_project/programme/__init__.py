"""The programme: all definitions of a tenant as one YAML file (docs/contract.md §15).

yaml        text with lines                                 files     a file, and what can be said without a tenant
items       definitions as a file has them                  references  codes in the file, ids in the database
planning    what an import would change                     services  import, copy, roll back
impact      what it would have given in the last days       api, console, management  edges
"""
