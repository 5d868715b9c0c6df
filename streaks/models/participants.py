from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import models

from gamify.facts.engine.conditions import Progress
from participants.ids import new_id
from participants.models import ParticipantRow, ParticipantRowQuerySet, Tenant
from participants.models.json import JSONField
from streaks.engine.counting import CarryOver, State
from streaks.engine.direct_ticks import NO_DIRECT_TICKS, DirectTicks
from streaks.engine.excuses import Span
from streaks.engine.rolling import Anchor
from streaks.models.definitions import Streak


class ParticipantStreakQuerySet(ParticipantRowQuerySet["ParticipantStreak"]):
    def in_streak(self, tenant: Tenant, streak_id: UUID) -> "ParticipantStreakQuerySet":
        return self.filter(tenant_id=tenant.pk, streak_id=streak_id)

    def due(self, column: str, now: datetime) -> "ParticipantStreakQuerySet":
        """The rows whose announcement is due. `column` is `breaks_at` or `at_risk_at`."""
        return self.filter(**{f"{column}__lte": now})


def _is_noted(column: str) -> models.Q:
    return models.Q(**{f"{column}__isnull": False})


class ParticipantStreak(ParticipantRow):
    """One participant in one streak: everything that the engine needs. Nothing in it becomes wrong as time passes.

    The state under the terms numbered `revision` (see `engine.counting.State`):

    - `runs`: satisfied windows, `[[first, length], …]`.
    - `carried`: the carry-over, `[count, longest, last, since]`.
    - `progress`: windows that further ticks can add to, `{number: [count, sum, [values]]}`.
    - `anchor`: the start of rolling windows, `[at, first, [[at, first, []], …]]`.
    - `paid`: paid milestones, `[[threshold, window], …]`.
    - `vouched`: direct ticks, `{number of ticks: [[first, length], …]}` with `last_at` and `since`.

    `freezes` are excused times of this participant, `[{from, to, reason, at, actor, actor_label}, …]`.

    What was announced: a run of `count` windows (0 after its break was announced), and the risk of the break at `warned_of`. Staff
    nudged the participant because of the break at `nudged_of`.
    `at_risk_at` and `breaks_at` are the instants of the next announcements. Only sweeps and `reach_of` read them.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    streak = models.ForeignKey(
        Streak, on_delete=models.DO_NOTHING, related_name="+", db_index=False, db_constraint=False
    )
    revision = models.PositiveIntegerField()
    runs = models.JSONField(default=list, db_default=[])
    carried = models.JSONField(default=list, db_default=[])
    progress = JSONField(default=dict, db_default={})
    anchor = models.JSONField(null=True)
    paid = models.JSONField(default=list, db_default=[])
    vouched = models.JSONField(default=dict, db_default={})  # direct ticks (the column was never renamed)
    freezes = models.JSONField(default=list, db_default=[])
    last_activity_at = models.DateTimeField()
    count = models.PositiveIntegerField(default=0, db_default=0)
    warned_of = models.DateTimeField(null=True)
    nudged_of = models.DateTimeField(null=True)
    at_risk_at = models.DateTimeField(null=True)
    breaks_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    objects = ParticipantStreakQuerySet.as_manager()

    class Meta:
        verbose_name = "streak of a participant"
        verbose_name_plural = "streaks of participants"
        constraints = [
            models.UniqueConstraint(fields=["tenant", "participant", "streak"], name="participant_streak_unique")
        ]
        indexes = [
            models.Index(fields=["tenant", "streak", "participant"], name="participant_streak_streak"),
            # The id is part of the index: at midnight a million rows are due at once, and sweeps read them in chunks.
            models.Index(
                fields=["tenant", "breaks_at", "id"], name="streak_breaks_at", condition=_is_noted("breaks_at")
            ),
            models.Index(
                fields=["tenant", "at_risk_at", "id"], name="streak_at_risk_at", condition=_is_noted("at_risk_at")
            ),
        ]

    @property
    def state(self) -> State:
        """The stored columns as a state of the engine, under the rules that the streak had at `revision`."""
        return State(
            runs=tuple((first, length) for first, length in self.runs),
            carry_over=_carried(*self.carried),
            progress={int(number): Progress.from_stored(*stored) for number, stored in self.progress.items()},
            anchor=None if self.anchor is None else _anchor(*self.anchor),
            last_at=self.last_activity_at,
            paid=tuple((threshold, window) for threshold, window in self.paid),
            direct_ticks=_direct_ticks(**self.vouched),
        )

    @state.setter
    def state(self, state: State) -> None:
        carried, anchor = state.carry_over, state.anchor
        self.runs = [list(run) for run in state.runs]
        self.carried = [carried.count, carried.longest, carried.last, carried.since and carried.since.isoformat()]
        self.progress = {str(number): progress.to_stored() for number, progress in state.progress.items()}
        self.anchor = None if anchor is None else _stored_anchor(anchor)
        self.paid = [list(payment) for payment in state.paid]
        self.vouched = _stored_direct_ticks(state.direct_ticks)
        if state.last_at is not None:
            self.last_activity_at = state.last_at

    @property
    def frozen_spans(self) -> list[Span]:
        """The spans of `freezes`."""
        return [_span(freeze) for freeze in self.freezes]


def _anchor(at: str, first: int, earlier: Sequence[Any] = ()) -> Anchor:
    return Anchor(datetime.fromisoformat(at), first, tuple(_anchor(*each) for each in earlier))


def _stored_anchor(anchor: Anchor) -> list[Any]:
    return [anchor.at.isoformat(), anchor.first, [_stored_anchor(each) for each in anchor.earlier]]


def _carried(count: int = 0, longest: int = 0, last: int = 0, since: str | None = None) -> CarryOver:
    return CarryOver(count, longest, last, None if since is None else datetime.fromisoformat(since))


def _direct_ticks(
    last_at: str | None = None, since: int | None = None, **windows: Sequence[Sequence[int]]
) -> DirectTicks:
    runs = {int(number): tuple((first, length) for first, length in stored) for number, stored in windows.items()}
    return DirectTicks(runs, None if last_at is None else datetime.fromisoformat(last_at), since)


def _stored_direct_ticks(ticks: DirectTicks) -> dict[str, Any]:
    if ticks == NO_DIRECT_TICKS:
        return {}
    last_at = ticks.last_at and ticks.last_at.isoformat()
    windows = {str(number): [list(run) for run in runs] for number, runs in ticks.windows.items()}
    return {"last_at": last_at, "since": ticks.since, **windows}


def _span(freeze: Mapping[str, Any]) -> Span:
    return datetime.fromisoformat(freeze["from"]), datetime.fromisoformat(freeze["to"])
