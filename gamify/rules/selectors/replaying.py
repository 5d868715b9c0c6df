"""What if: rules over the events that really happened, compared with the versions in force. Nothing is locked or written.

Events are taken as they are stored, participants as they are today. Schedules are left aside, limits begin at nothing, points
are what the rule says before any multiplier, and changes are not heard: only clients' events are played again.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import Q, QuerySet

from gamify.facts.engine.outcomes import GrantRefused
from gamify.facts.models import Event
from gamify.points.engine import granted_amount
from gamify.rules.engine.limits import Tally, limit_reached, with_firing
from gamify.rules.engine.replaying import Side, Totals
from gamify.rules.models import Rule
from gamify.rules.selectors.catalog import ANY_EVENT, CompiledRule, catalog_of_rules, compile_rule
from participants.models import Participant, Tenant

PEOPLE_AT_ONCE = 500
EVENTS_AT_ONCE = 2_000

OnProgress = Callable[[int, int], object]
"""Told after every chunk: how many participants and how many events were looked at since it was told last."""


@dataclass(frozen=True)
class RuleReplay:
    """One rule. `active` is what the version in force would have given, None where there is none; gains and losses are
    against it. `unheard` are changes that it listens to besides, and that were not played."""

    code: str
    totals: Totals
    active: Totals | None
    gain: Side
    loss: Side
    changes_not_played: Sequence[str]


@dataclass(frozen=True)
class ReplayReport:
    """`participants` are those whose events were looked at. `is_cut`: there were more events than were to be looked at."""

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
    """Play the events from `since` to `now` to `rules`, which need not be saved, and to the active ones of the same codes."""
    in_force = {row.code: row for row in Rule.objects.of(tenant).active().filter(code__in=[row.code for row in rules])}
    day_of = catalog_of_rules([], tenant).day_of
    contests = [_Contest(row, in_force.get(row.code), day_of) for row in rules]
    stream = _Stream(tenant, _heard_by(contests), since=since, until=now, max_events=max_events)
    for people, events in stream.chunks(on_progress):
        _play(contests, people, events)
    told = [contest.told() for contest in contests]
    return ReplayReport(told, stream.participants, stream.events, stream.is_cut)


def _heard_by(contests: Sequence["_Contest"]) -> frozenset[str]:
    return frozenset(name for contest in contests for rule in contest.rules for name in rule.event_types)


def _play(contests: Sequence["_Contest"], people: Mapping[Any, Participant], events: Iterator[Event]) -> None:
    """Events come participant by participant."""
    current: Participant | None = None
    for event in events:
        participant = people[event.participant_id]
        if participant is not current:
            _end(contests, current)
            current = participant
        for contest in contests:
            contest.hear(event, participant)
    _end(contests, current)


def _end(contests: Sequence["_Contest"], participant: Participant | None) -> None:
    if participant is not None:
        for contest in contests:
            contest.end(participant)


class _Contest:
    """A rule against its version in force."""

    def __init__(self, row: Rule, in_force: Rule | None, day_of: Callable[[datetime], date]) -> None:
        self._row = row
        self._rule = _Played(compile_rule(row), day_of)
        self._active = None if in_force is None else _Played(compile_rule(in_force), day_of)
        self._gain, self._loss = Side(sign=1), Side(sign=-1)

    @property
    def rules(self) -> Iterator[CompiledRule]:
        return (played.rule for played in (self._rule, self._active) if played is not None)

    def hear(self, event: Event, participant: Participant) -> None:
        self._rule.hear(event, participant)
        if self._active is not None:
            self._active.hear(event, participant)

    def end(self, participant: Participant) -> None:
        """That was all of this participant."""
        points = self._rule.end() - (self._active.end() if self._active is not None else 0)
        for side in (self._gain, self._loss):
            side.add(participant.external_id, points)

    def told(self) -> RuleReplay:
        active = None if self._active is None else self._active.totals
        return RuleReplay(self._row.code, self._rule.totals, active, self._gain, self._loss, sorted(self._row.changes))


class _Played:
    """One version of a rule, and what it gave so far."""

    def __init__(self, rule: CompiledRule, day_of: Callable[[datetime], date]) -> None:
        self.rule = rule
        self.totals = Totals()
        self._day_of = day_of
        self._begin()

    def _begin(self) -> None:
        self._tally, self._matched, self._limited, self._points = Tally(), 0, 0, 0

    def hear(self, event: Event, participant: Participant) -> None:
        if not self.rule.is_triggered_by(event.name) or not self.rule.matches(event.properties, participant.attributes):
            return
        self._matched += 1
        at, day = event.occurred_at, self._day_of(event.occurred_at)
        if limit_reached(self._tally, self.rule.limits, at=at, day=day):
            self._limited += 1
            return
        self._tally = with_firing(self._tally, at=at, day=day)
        self._points += sum(_points(spec, event, participant) for spec in self.rule.grants)

    def end(self) -> int:
        """The points of the participant that this was."""
        points = self._points
        self.totals = self.totals.plus(Totals(self._matched, self._tally.total, self._limited, points))
        self._begin()
        return points


def _points(spec: Mapping[str, Any], event: Event, participant: Participant) -> int:
    if spec.get("type") != "points":
        return 0
    try:
        return granted_amount(spec, event.properties, participant.attributes).points
    except GrantRefused:
        return 0


class _Stream:
    """The events of all participants, chunk by chunk: of each participant in the order in which they happened."""

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

    def chunks(self, watch: OnProgress) -> Iterator[tuple[Mapping[Any, Participant], Iterator[Event]]]:
        for chunk in self._people():
            before = self.events
            yield {each.pk: each for each in chunk}, self._events_of([each.pk for each in chunk])
            watch(len(chunk), self.events - before)
            if self.is_cut:
                return

    def _people(self) -> Iterator[list[Participant]]:
        everyone = Participant.objects.of(self._tenant).only("external_id", "attributes").order_by("external_id")
        last = ""
        while chunk := list(everyone.filter(external_id__gt=last)[:PEOPLE_AT_ONCE]):
            yield chunk
            last = chunk[-1].external_id

    def _events_of(self, participant_ids: Sequence[Any]) -> Iterator[Event]:
        theirs = self._wanted.filter(participant_id__in=participant_ids)
        page = list(_in_order(theirs))
        while page:
            for event in page:
                if self.events == self._max_events:
                    self.is_cut = True
                    return
                self._count(event)
                yield event
            page = list(_in_order(theirs.filter(_after(page[-1])))) if len(page) == EVENTS_AT_ONCE else []

    def _count(self, event: Event) -> None:
        """Events come participant by participant."""
        self.events += 1
        self.participants += event.participant_id != self._latest
        self._latest = event.participant_id


def _in_order(events: "QuerySet[Event]") -> "QuerySet[Event]":
    return events.order_by("participant_id", "occurred_at", "id")[:EVENTS_AT_ONCE]


def _after(event: Event) -> Q:
    same = Q(participant_id=event.participant_id)
    later = Q(occurred_at__gt=event.occurred_at) | Q(occurred_at=event.occurred_at, id__gt=event.pk)
    return Q(participant_id__gt=event.participant_id) | same & later
