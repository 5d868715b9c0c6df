"""Commands that import large files: they read a stream, write batches, and resume after an interruption."""

from participants.management.imports.columns import Columns
from participants.management.imports.command import ImportCommand, instant_in, text_in
from participants.management.imports.reading import decode_object, document
from participants.management.imports.running import Batch, ItemResult

__all__ = ["Batch", "Columns", "ImportCommand", "ItemResult", "decode_object", "document", "instant_in", "text_in"]
