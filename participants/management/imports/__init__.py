"""Files of many lines, brought in by a command: read as a stream, taken in batches, resumable after a kill.

reading     what a file says, line by line            bookmarks   how far an earlier run has come in it
objects     JSON objects, read strictly
columns     names of columns, and nearly right ones   warnings    columns that are not read, and suspicious ids
bad_lines   lines that were refused                   progress    the bar on the terminal
running     one run through one file                  ordering    lines put in order, where that matters
command     the command that puts it all together
"""

from participants.management.imports.columns import Columns
from participants.management.imports.command import ImportCommand, instant_in, text_in
from participants.management.imports.objects import decode_object
from participants.management.imports.reading import document
from participants.management.imports.running import Batch, ItemResult

__all__ = ["Batch", "Columns", "ImportCommand", "ItemResult", "decode_object", "document", "instant_in", "text_in"]
