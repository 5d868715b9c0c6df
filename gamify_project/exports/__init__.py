"""Exports: files with rows of one tenant (docs/decisions/0031).

models      exports and their parts        building    writes a file, part by part
formats     CSV and NDJSON                 services    creating, fetching, erasing, deleting
api/        endpoints                      tasks       builds exports and deletes old files
"""
