"""Events are recorded, and what comes of facts is given."""

from gamify.facts.services.events import BatchEmitted, EventEmitted, EventRefused, emit, emit_batch
from gamify.facts.services.facts import Cause, Fact
from gamify.facts.services.kinds import GrantKind, grant_kinds, grant_problem, loads_of_grants
from gamify.facts.services.listening import Consumer, consumers, loads_for
from gamify.facts.services.pipeline import process, settle
from gamify.facts.services.wiring import register

__all__ = [
    "BatchEmitted",
    "Cause",
    "Consumer",
    "EventEmitted",
    "EventRefused",
    "Fact",
    "GrantKind",
    "consumers",
    "emit",
    "emit_batch",
    "grant_kinds",
    "grant_problem",
    "loads_for",
    "loads_of_grants",
    "process",
    "register",
    "settle",
]
