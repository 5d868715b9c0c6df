"""SQL that is built once: queries with slots, one statement per table, and transactions of two round trips (docs/decisions/0006).

Import these names from here. The modules inside rely on details of Django, which tests/participants/test_database.py pins.
"""

from participants.database.arrays import literal
from participants.database.conflicts import is_passing_conflict
from participants.database.instances import instance_from
from participants.database.queries import Among, Query, Slot, among, padded
from participants.database.statements import delete, insert, update, upsert
from participants.database.transaction import Question, Rows, ShortTransaction, one_round_trip
from participants.database.tuples import AmongRows

__all__ = [
    "Among",
    "AmongRows",
    "Query",
    "Question",
    "Rows",
    "ShortTransaction",
    "Slot",
    "among",
    "delete",
    "insert",
    "instance_from",
    "is_passing_conflict",
    "literal",
    "one_round_trip",
    "padded",
    "update",
    "upsert",
]
