"""Commands that import large files: they read a stream, write batches, and resume after an interruption.

reading     records of a file, line by line           bookmarks   how far an earlier run came in the file
objects     strict parsing of JSON objects            columns     names of columns, and similar wrong names
bad_lines   refused lines                             warnings    unread columns and suspicious ids
running     one run through one file                  progress    the progress bar on the terminal
ordering    sorting of lines, if the order matters    command     the command, which uses all of these
"""

from participants.management.imports.columns import Columns
from participants.management.imports.command import ImportCommand, instant_in, text_in
from participants.management.imports.objects import decode_object
from participants.management.imports.reading import document
from participants.management.imports.running import Batch, ItemResult

__all__ = ["Batch", "Columns", "ImportCommand", "ItemResult", "decode_object", "document", "instant_in", "text_in"]
