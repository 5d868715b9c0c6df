from uuid import UUID

from django.db import models

from gamify.leaderboards.engine.ranking.places import Place, join_score
from participants.ids import new_id
from participants.models import Participant, Tenant


class Score(models.Model):
    """What one participant has come to on one track in one period (`engine.periods.Period.code`), in units of its measure.

    Written by folding only, under the tenant's lock. `earliness` is the instant of the latest thing that counted, in microseconds,
    negative. Who is not shown has a score all the same: it goes on, and comes back with them.
    """

    pk = models.CompositePrimaryKey("tenant_id", "participant_id", "track", "period")
    # No constraints: see docs/decisions/0003. The key keeps the rows of one participant together.
    tenant = models.ForeignKey(
        Tenant, on_delete=models.DO_NOTHING, related_name="+", db_index=False, db_constraint=False
    )
    participant = models.ForeignKey(
        Participant, on_delete=models.DO_NOTHING, related_name="+", db_index=False, db_constraint=False
    )
    track = models.UUIDField()
    period = models.IntegerField()
    # Before `carry` there were only 64 bits. `db_default` lets a release that does not know the column write rows.
    carry = models.IntegerField(default=0, db_default=0)
    score = models.BigIntegerField()
    earliness = models.BigIntegerField()
    is_shown = models.BooleanField()

    class Meta:
        indexes = [
            models.Index(
                fields=["track", "period", "is_shown", "carry", "score", "earliness", "participant"],
                name="score_place",
            )
        ]

    @property
    def place(self) -> Place | None:
        """Where they stand, None for who is not shown."""
        return (self.total, self.earliness, self.participant_id) if self.is_shown else None

    @property
    def total(self) -> int:
        """The whole score; the two columns together hold what 64 bits cannot."""
        return join_score(self.carry, self.score)


class ScoreRange(models.Model):
    """How many of those shown stand from one place up to the next range of its level (`engine.ranges`).

    The counts of a level add up to the board, whenever it is looked at: they are written with the scores.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    tenant = models.ForeignKey(
        Tenant, on_delete=models.DO_NOTHING, related_name="+", db_index=False, db_constraint=False
    )
    track = models.UUIDField()
    period = models.IntegerField()
    level = models.PositiveSmallIntegerField()
    carry = models.IntegerField(default=0, db_default=0)
    score = models.BigIntegerField()
    earliness = models.BigIntegerField()
    participant = models.ForeignKey(
        Participant, on_delete=models.DO_NOTHING, related_name="+", db_index=False, db_constraint=False
    )
    count = models.IntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "track", "period", "level", "carry", "score", "earliness", "participant"],
                name="score_range_place_unique",
            ),
            models.CheckConstraint(condition=models.Q(count__gte=0), name="score_range_count_not_negative"),
        ]

    @property
    def low(self) -> Place:
        """The place where it begins, which is nobody's, or was somebody's."""
        participant_id: UUID = self.participant_id
        return join_score(self.carry, self.score), self.earliness, participant_id
