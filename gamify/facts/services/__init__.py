"""Events are recorded, and what comes of facts is given."""

from gamify.facts.services.events import BatchEmitted, EventEmitted, EventRefused, emit, emit_batch
from gamify.facts.services.facts import Cause, Fact
from gamify.facts.services.history import EventTaken, record_history
from gamify.facts.services.kinds import GrantKind, grant_kinds, grant_problem
from gamify.facts.services.listening import Consumer, consumers, is_heard, loads_for
from gamify.facts.services.metrics import Metric, Number, Selector, metrics, own_number
from gamify.facts.services.pipeline import Processed, is_change, process, publish_changes
from gamify.facts.services.pruning import prune_traces
from gamify.facts.services.reversing import AlreadyReversed, EventReversed, Undo, Undone, reverse_event, undoers
from gamify.facts.services.simulating import Simulated, simulate
from gamify.facts.services.wiring import register

__all__ = [
    "AlreadyReversed",
    "BatchEmitted",
    "Cause",
    "Consumer",
    "EventEmitted",
    "EventRefused",
    "EventReversed",
    "EventTaken",
    "Fact",
    "GrantKind",
    "Metric",
    "Number",
    "Processed",
    "Selector",
    "Simulated",
    "Undo",
    "Undone",
    "consumers",
    "emit",
    "emit_batch",
    "grant_kinds",
    "grant_problem",
    "is_change",
    "is_heard",
    "loads_for",
    "metrics",
    "own_number",
    "process",
    "prune_traces",
    "publish_changes",
    "record_history",
    "register",
    "reverse_event",
    "simulate",
    "undoers",
]
