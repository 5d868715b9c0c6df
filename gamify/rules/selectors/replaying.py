"""What if: plays past events to rules and compares the result with the active versions. It takes no locks and writes nothing.

What differs from the past: participants have today's attributes, schedules are ignored, limits start at zero, points are counted before
multipliers, and only clients' events are played, not changes.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import Q, QuerySet

from gamify.facts.engine.listeners import ANY_EVENT
from gamify.facts.engine.outcomes import GrantRefused
from gamify.facts.models import Event
from gamify.points.engine import granted_amount
from gamify.rules.engine.limits import Tally, limit_reached, with_firing
from gamify.rules.engine.replaying import Side, Totals
from gamify.rules.models import Rule
from gamify.rules.selectors.catalog import CompiledRule, catalog_of_rules, compile_rule
from participants.models import Participant, Tenant

PARTICIPANTS_PER_CHUNK = 500
EVENTS_PER_PAGE = 2_000

OnProgress = Callable[[int, int], object]
"""Called after every chunk with the numbers of participants and events that were processed since the last call."""


@dataclass(frozen=True)
class RuleReplay:
    """The result for one rule.

    `active` is what the active version would have given; None if there is none. `gain` and `loss` are differences from it.
    `changes_not_played` are the changes to which the rule also listens.
    """

    code: str
    totals: Totals
    active: Totals | None
    gain: Side
    loss: Side
    changes_not_played: Sequence[str]


@dataclass(frozen=True)
class ReplayReport:
    """The results by rule, and how many participants had events that were played. `is_cut` if `max_events` left some out."""

    rules: Sequence[RuleReplay]
    participants: int
    events: int
    is_cut: bool


def replay(
    tenant: Tenant,
    rules: Sequence[Rule],
    *,
    since: datetime,
    now: datetime,
    max_events: int | None = None,
    on_progress: OnProgress = lambda participants, events: None,
) -> ReplayReport:
    """Play the events in [since, now) to `rules`, which may be unsaved, and to the active rules with the same codes."""
    active = {row.code: row for row in Rule.objects.of(tenant).active().filter(code__in=[row.code for row in rules])}
    day_of = catalog_of_rules([], tenant).day_of
    diffs = [_RuleDiff(row, active.get(row.code), day_of) for row in rules]
    names = frozenset(name for diff in diffs for rule in diff.rules for name in rule.event_types)
    stream = _Stream(tenant, names, since=since, until=now, max_events=max_events)
    for people, events in stream.chunks(on_progress):
        _play(diffs, people, events)
    results = [diff.result() for diff in diffs]
    return ReplayReport(results, stream.participants, stream.events, stream.is_cut)


def _play(diffs: Sequence["_RuleDiff"], people: Mapping[Any, Participant], events: Iterator[Event]) -> None:
    """Play `events`, which are grouped by participant."""
    current: Participant | None = None
    for event in events:
        participant = people[event.participant_id]
        if participant is not current:
            _end_participant(diffs, current)
            current = participant
        for diff in diffs:
            diff.play(event, participant)
    _end_participant(diffs, current)


def _end_participant(diffs: Sequence["_RuleDiff"], participant: Participant | None) -> None:
    if participant is not None:
        for diff in diffs:
            diff.end_participant(participant)


class _RuleDiff:
    """A rule and its active version."""

    def __init__(self, row: Rule, active: Rule | None, day_of: Callable[[datetime], date]) -> None:
        self._row = row
        self._rule = _PlayedRule(compile_rule(row), day_of)
        self._active = None if active is None else _PlayedRule(compile_rule(active), day_of)
        self._gain, self._loss = Side(sign=1), Side(sign=-1)

    @property
    def rules(self) -> Iterator[CompiledRule]:
        return (played.rule for played in (self._rule, self._active) if played is not None)

    def play(self, event: Event, participant: Participant) -> None:
        self._rule.play(event, participant)
        if self._active is not None:
            self._active.play(event, participant)

    def end_participant(self, participant: Participant) -> None:
        """Add up the participant whose events were all played."""
        points = self._rule.end_participant() - (self._active.end_participant() if self._active is not None else 0)
        for side in (self._gain, self._loss):
            side.add(participant.external_id, points)

    def result(self) -> RuleReplay:
        active = None if self._active is None else self._active.totals
        return RuleReplay(self._row.code, self._rule.totals, active, self._gain, self._loss, sorted(self._row.changes))


class _PlayedRule:
    """One version of a rule, and what it has given so far."""

    def __init__(self, rule: CompiledRule, day_of: Callable[[datetime], date]) -> None:
        self.rule = rule
        self.totals = Totals()
        self._day_of = day_of
        self._begin_participant()

    def _begin_participant(self) -> None:
        self._tally, self._matched, self._limited, self._points = Tally(), 0, 0, 0

    def play(self, event: Event, participant: Participant) -> None:
        if not self.rule.is_triggered_by(event.name) or not self.rule.matches(event.properties, participant.attributes):
            return
        self._matched += 1
        at, day = event.occurred_at, self._day_of(event.occurred_at)
        if limit_reached(self._tally, self.rule.limits, at=at, day=day):
            self._limited += 1
            return
        self._tally = with_firing(self._tally, at=at, day=day)
        self._points += sum(_points(spec, event, participant) for spec in self.rule.grants)

    def end_participant(self) -> int:
        """Add the current participant to the totals, and return the points that they got."""
        points = self._points
        self.totals = self.totals.plus(Totals(self._matched, self._tally.total, self._limited, points))
        self._begin_participant()
        return points


def _points(spec: Mapping[str, Any], event: Event, participant: Participant) -> int:
    if spec.get("type") != "points":
        return 0
    try:
        return granted_amount(spec, event.properties, participant.attributes).points
    except GrantRefused:
        return 0


class _Stream:
    """The events of all participants in chunks. The events of a participant are in the order in which they happened."""

    def __init__(
        self, tenant: Tenant, names: frozenset[str], *, since: datetime, until: datetime, max_events: int | None
    ) -> None:
        self.participants = self.events = 0
        self.is_cut = False
        self._latest: Any = None
        self._tenant = tenant
        self._max_events = max_events
        named = {} if ANY_EVENT in names else {"name__in": names}
        period = {"occurred_at__gte": since, "occurred_at__lt": until}
        wanted = Event.objects.filter(tenant_id=tenant.pk, **period, **named).not_reversed()
        self._wanted = wanted.only("participant_id", "name", "properties", "occurred_at")

    def chunks(self, on_progress: OnProgress) -> Iterator[tuple[Mapping[Any, Participant], Iterator[Event]]]:
        for chunk in self._people():
            before = self.events
            yield {each.pk: each for each in chunk}, self._events_of([each.pk for each in chunk])
            on_progress(len(chunk), self.events - before)
            if self.is_cut:
                return

    def _people(self) -> Iterator[list[Participant]]:
        everyone = Participant.objects.of(self._tenant).only("external_id", "attributes").order_by("external_id")
        last = ""
        while chunk := list(everyone.filter(external_id__gt=last)[:PARTICIPANTS_PER_CHUNK]):
            yield chunk
            last = chunk[-1].external_id

    def _events_of(self, participant_ids: Sequence[Any]) -> Iterator[Event]:
        theirs = self._wanted.filter(participant_id__in=participant_ids)
        page = list(_page(theirs))
        while page:
            for event in page:
                if self.events == self._max_events:
                    self.is_cut = True
                    return
                self._count(event)
                yield event
            page = list(_page(theirs.filter(_after(page[-1])))) if len(page) == EVENTS_PER_PAGE else []

    def _count(self, event: Event) -> None:
        """Count an event, and its participant when it is their first one. Events are grouped by participant."""
        self.events += 1
        self.participants += event.participant_id != self._latest
        self._latest = event.participant_id


def _page(events: "QuerySet[Event]") -> "QuerySet[Event]":
    return events.order_by("participant_id", "occurred_at", "id")[:EVENTS_PER_PAGE]


def _after(event: Event) -> Q:
    same = Q(participant_id=event.participant_id)
    later = Q(occurred_at__gt=event.occurred_at) | Q(occurred_at=event.occurred_at, id__gt=event.pk)
    return Q(participant_id__gt=event.participant_id) | same & later
