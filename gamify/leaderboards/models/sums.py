from django.db import models

from gamify.leaderboards.engine.ranking.places import join_score, split_score
from participants.ids import new_id
from participants.models import ParticipantRow, ParticipantRowQuerySet


class LargeSum(ParticipantRow):
    """The sum of all events of one participant for one measure (`engine.measures.Measure.key`), in millionths.

    It decides whether one more amount may be counted. Only participants who sent a large amount have a row; the sums of all
    others are far below the limit. Units of work write it under the participant's lock.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    measure = models.CharField(max_length=40)
    carry = models.IntegerField()
    score = models.BigIntegerField()

    objects = ParticipantRowQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "participant", "measure"], name="large_sum_once"),
        ]

    @property
    def total(self) -> int:
        """The whole sum, in millionths."""
        return join_score(self.carry, self.score)

    @total.setter
    def total(self, total: int) -> None:
        self.carry, self.score = split_score(total)
