"""Files with the data of one tenant: exports of rows of one kind (docs/decisions/0031), and archives of everything.

models      exports and their parts               requests    what a client asks for, validated
services    creates, finds, deletes exports       building    writes the file of an export, part by part
formats     CSV and NDJSON                        files       the answer with a file
tasks       builds exports, deletes old ones      archive/    a whole tenant as a directory
api/, console/, admin, management/                endpoints, pages, commands
"""
