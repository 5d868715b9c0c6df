"""Files of many lines, brought in by a command: read as a stream, taken in batches, resumable after a kill.

reading     what a file says, line by line            bookmarks   how far an earlier run has come in it
bad_lines   lines that were refused                   progress    the bar on the terminal
running     one run through one file                  ordering    lines put in order, where that matters
command     the command that puts it all together
"""

from participants.management.imports.command import ImportCommand, instant_in, text_in
from participants.management.imports.running import Batch, Told

__all__ = ["Batch", "ImportCommand", "Told", "instant_in", "text_in"]
