"""Records events, and passes facts to the definitions that react to them."""

from gamify.facts.services.batches import BatchResult, Refused, process_batch
from gamify.facts.services.events import EventEmitted, emit, emit_batch
from gamify.facts.services.facts import Fact
from gamify.facts.services.history import record_history
from gamify.facts.services.kinds import (
    GrantField,
    GrantForm,
    GrantKind,
    code_of,
    grant_key_problem,
    grant_kinds,
    grant_problem,
    reference_names,
)
from gamify.facts.services.listening import Consumer, has_listeners, listed_event_names, loads_for
from gamify.facts.services.metrics import (
    SELECTOR_FIELDS,
    HistoryAmount,
    Metric,
    MetricValue,
    Selector,
    badge_metric_names,
    badge_metrics,
    board_metric_names,
    board_metrics,
    column_metric,
    level_changed,
    metric_choices,
    register_metric,
)
from gamify.facts.services.pipeline import is_change, process, publish_changes
from gamify.facts.services.pruning import prune_traces
from gamify.facts.services.reversing import AlreadyReversed, EventReversed, Undone, reverse_event, undoers
from gamify.facts.services.simulating import Simulation, simulate, simulate_with

__all__ = [
    "SELECTOR_FIELDS",
    "AlreadyReversed",
    "BatchResult",
    "Consumer",
    "EventEmitted",
    "EventReversed",
    "Fact",
    "GrantField",
    "GrantForm",
    "GrantKind",
    "HistoryAmount",
    "Metric",
    "MetricValue",
    "Refused",
    "Selector",
    "Simulation",
    "Undone",
    "badge_metric_names",
    "badge_metrics",
    "board_metric_names",
    "board_metrics",
    "code_of",
    "column_metric",
    "emit",
    "emit_batch",
    "grant_key_problem",
    "grant_kinds",
    "grant_problem",
    "has_listeners",
    "is_change",
    "level_changed",
    "listed_event_names",
    "loads_for",
    "metric_choices",
    "process",
    "process_batch",
    "prune_traces",
    "publish_changes",
    "record_history",
    "reference_names",
    "register_metric",
    "reverse_event",
    "simulate",
    "simulate_with",
    "undoers",
]
