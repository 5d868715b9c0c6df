from datetime import datetime

from django.db import models
from django.db.models import Q

from gamify.challenges.engine import State
from gamify.challenges.models.definitions import Challenge
from gamify.facts.engine.conditions import Progress
from participants.ids import new_id
from participants.models import ParticipantRow, ParticipantRowQuerySet
from participants.models.json import JSONField

UNDER_WAY = Q(completions=0, expired_at__isnull=True)


class EnrolmentQuerySet(ParticipantRowQuerySet["Enrolment"]):
    def under_way(self) -> "EnrolmentQuerySet":
        """Enrolments that are neither completed nor announced as expired."""
        return self.filter(UNDER_WAY)

    def due(self, now: datetime) -> "EnrolmentQuerySet":
        """Enrolments under way that a sweep may process: failed rows are left out until their `retry_at`."""
        return self.under_way().filter(Q(retry_at__isnull=True) | Q(retry_at__lte=now))


class Enrolment(ParticipantRow):
    """The enrolment of one participant in one challenge. Its end results from the definition (`Term.end_of`).

    - `enrolled_at` … `completed_at`: see `engine.State`. `progress` is stored as `{objective: [count, sum, [values]]}`.
    - `expired_at`: when the end was announced. Only the sweep reads it.
    - `retry_at`: when a sweep may try the row again that failed.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    challenge = models.ForeignKey(
        Challenge, on_delete=models.DO_NOTHING, related_name="+", db_index=False, db_constraint=False
    )
    enrolled_at = models.DateTimeField()
    round = models.PositiveIntegerField(default=1, db_default=1)
    progress = JSONField(default=dict, db_default={})
    done = models.JSONField(default=list, db_default=[])
    paid = models.JSONField(default=list, db_default=[])
    completions = models.PositiveIntegerField(default=0, db_default=0)
    completed_at = models.DateTimeField(null=True)
    expired_at = models.DateTimeField(null=True)
    retry_at = models.DateTimeField(null=True)

    objects = EnrolmentQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "participant", "challenge"], name="enrolment_unique"),
            models.CheckConstraint(condition=Q(round__gte=1), name="enrolment_round_positive"),
        ]
        indexes = [
            # By the start of the enrolment, because the end is not stored: the earliest enrolment ends first.
            models.Index(
                fields=["tenant", "challenge", "enrolled_at", "id"], name="enrolment_under_way", condition=UNDER_WAY
            )
        ]

    @property
    def state(self) -> State:
        """The stored columns as a state of the engine."""
        return State(
            enrolled_at=self.enrolled_at,
            round=self.round,
            completions=self.completions,
            progress={code: Progress.from_stored(*stored) for code, stored in self.progress.items()},
            done=tuple(self.done),
            paid=tuple(self.paid),
            completed_at=self.completed_at,
        )

    @state.setter
    def state(self, state: State) -> None:
        self.enrolled_at = state.enrolled_at
        self.round, self.completions = state.round, state.completions
        self.progress = {code: progress.to_stored() for code, progress in state.progress.items()}
        self.done, self.paid = list(state.done), list(state.paid)
        self.completed_at = state.completed_at
