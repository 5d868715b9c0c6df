"""SQL that is built once: queries with slots, one statement per table, transactions of two round trips (docs/decisions/0006).

Import these names from here. The modules inside rely on details of Django, which tests/participants/test_database.py pins.
"""

from participants.database.arrays import array_literal
from participants.database.conflicts import conflict_name, is_passing_conflict, is_timeout
from participants.database.exchange import (
    Rows,
    is_in_round_trip,
    one_round_trip,
    send,
    settle_rider,
    verify_in_this_exchange,
)
from participants.database.fence import build_fence, is_separated, pending_setting
from participants.database.instances import instance_from, new_instance
from participants.database.queries import Among, Query, Slot, pad_to_power_of_two, values_for_among
from participants.database.riders import Fingerprint, waiting_rider
from participants.database.scope import all_tenants, enter_tenant, no_tenant, tenant_scope
from participants.database.statements import delete, insert, update, upsert
from participants.database.transaction import Read, ShortTransaction
from participants.database.tuples import AmongRows

__all__ = [
    "Among",
    "AmongRows",
    "Fingerprint",
    "Query",
    "Read",
    "Rows",
    "ShortTransaction",
    "Slot",
    "all_tenants",
    "array_literal",
    "build_fence",
    "conflict_name",
    "delete",
    "enter_tenant",
    "insert",
    "instance_from",
    "is_in_round_trip",
    "is_passing_conflict",
    "is_separated",
    "is_timeout",
    "new_instance",
    "no_tenant",
    "one_round_trip",
    "pad_to_power_of_two",
    "pending_setting",
    "send",
    "settle_rider",
    "tenant_scope",
    "update",
    "upsert",
    "values_for_among",
    "verify_in_this_exchange",
    "waiting_rider",
]
