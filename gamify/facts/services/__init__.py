"""Records events, and passes facts to the definitions that react to them."""

from gamify.facts.services.events import BatchEmitted, EventEmitted, EventRefused, emit, emit_batch
from gamify.facts.services.facts import Cause, Fact
from gamify.facts.services.history import EventImported, record_history
from gamify.facts.services.kinds import CODE, GrantField, GrantForm, GrantKind, grant_kinds, grant_problem
from gamify.facts.services.listening import Consumer, consumers, has_listeners, loads_for
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
from gamify.facts.services.pipeline import PipelineResult, is_change, process, publish_changes
from gamify.facts.services.pruning import prune_traces
from gamify.facts.services.reversing import AlreadyReversed, EventReversed, Undo, Undone, reverse_event, undoers
from gamify.facts.services.simulating import Simulation, simulate
from gamify.facts.services.wiring import register

__all__ = [
    "CODE",
    "SELECTOR_FIELDS",
    "AlreadyReversed",
    "BatchEmitted",
    "Cause",
    "Consumer",
    "EventEmitted",
    "EventImported",
    "EventRefused",
    "EventReversed",
    "Fact",
    "GrantField",
    "GrantForm",
    "GrantKind",
    "HistoryAmount",
    "Metric",
    "MetricValue",
    "PipelineResult",
    "Selector",
    "Simulation",
    "Undo",
    "Undone",
    "badge_metric_names",
    "badge_metrics",
    "board_metric_names",
    "board_metrics",
    "column_metric",
    "consumers",
    "emit",
    "emit_batch",
    "grant_kinds",
    "grant_problem",
    "has_listeners",
    "is_change",
    "level_changed",
    "loads_for",
    "metric_choices",
    "process",
    "prune_traces",
    "publish_changes",
    "record_history",
    "register",
    "register_metric",
    "reverse_event",
    "simulate",
    "undoers",
]
