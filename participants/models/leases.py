"""Rows that one worker at a time works on, step by step. A worker that is killed leaves its row to the next one."""

from datetime import datetime, timedelta
from typing import Any, Self, TypeVar

from django.db import models
from django.db.models import F, Q

LEASE = timedelta(seconds=60)
"""How long a worker has a row. It takes a new lease with each step, so a step must be shorter. A longer step only wastes work."""

MAX_ATTEMPTS = 3
"""How many attempts at one step may fail before the work is given up."""

Row = TypeVar("Row", bound="Leased")


class Leased(models.Model):
    """A row that at most one worker works on.

    - `leased_until`: until then, one worker has the row. Null: no worker has it.
    - `attempts`: how many attempts at the next step have begun. They are counted when they begin, because a worker that is killed
      cannot count afterwards. A step that succeeds sets it to 1, for the attempt at the step after it.
    """

    attempts = models.PositiveSmallIntegerField(default=0, db_default=0)
    leased_until = models.DateTimeField(null=True)

    class Meta:
        abstract = True

    @property
    def is_exhausted(self) -> bool:
        """Whether no further attempt may begin."""
        return self.attempts >= MAX_ATTEMPTS


class LeasedQuerySet(models.QuerySet[Row]):
    """The caller says which rows have work left. These methods do not know."""

    def free(self, now: datetime) -> Self:
        """Rows that no worker has. The lease of a killed worker runs out."""
        return self.filter(Q(leased_until=None) | Q(leased_until__lt=now))

    def lease(self, now: datetime, **values: Any) -> int:
        """Take the rows that are free and not exhausted, count the attempt, and set `values`. Returns how many rows were taken."""
        rows = self.free(now).filter(attempts__lt=MAX_ATTEMPTS)
        return rows.update(attempts=F("attempts") + 1, leased_until=now + LEASE, **values)
