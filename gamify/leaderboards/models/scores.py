from uuid import UUID

from django.db import models

from gamify.leaderboards.engine.ranking.places import Place, join_score
from participants.ids import new_id
from participants.models import ParticipantRow


class Score(ParticipantRow):
    """The score of one participant on one track in one period (`engine.periods.Period.code`), in units of the measure.

    Only folds write it, under the tenant's lock. `earliness` is the instant of the latest amount, in negative microseconds since
    1970. A hidden participant has a row too (`is_shown` is false). It is updated, and appears again when the participant does.
    """

    # The key stores the rows of one participant next to each other.
    pk = models.CompositePrimaryKey("tenant_id", "participant_id", "track", "period")
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
        """The place on the board, or None if the row is hidden."""
        return (self.total, self.earliness, self.participant_id) if self.is_shown else None

    @property
    def total(self) -> int:
        """The whole score. It has two columns because 64 bits are not enough."""
        return join_score(self.carry, self.score)


class ScoreRange(ParticipantRow):
    """The number of shown scores from one place up to the next range of the same level (`engine.ranking.ranges`).

    Invariant: the counts of each level add up to the number of shown scores in every committed state, because they are written
    in the transaction of the scores.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    track = models.UUIDField()
    period = models.IntegerField()
    level = models.PositiveSmallIntegerField()
    carry = models.IntegerField(default=0, db_default=0)
    score = models.BigIntegerField()
    earliness = models.BigIntegerField()
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
        """Inclusive lower bound. It need not be the place of an existing score."""
        participant_id: UUID = self.participant_id
        return join_score(self.carry, self.score), self.earliness, participant_id
