from django.db import models

from participants.ids import new_id
from participants.models import TenantRow
from rewards.engine.code_lines import mask
from rewards.models.definitions import Reward


class RewardCode(TenantRow):
    """One code of a reward. `claim_id` is the claim that has it; null while it is free.

    A code that was handed out is never free again: the row stays when its claim is cancelled and when its participant is erased. Anybody
    who knows `value` can use it, so it is masked wherever the row is displayed.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    reward = models.ForeignKey(
        Reward, on_delete=models.DO_NOTHING, related_name="+", db_index=False, db_constraint=False
    )
    value = models.CharField(max_length=255)
    claim_id = models.UUIDField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        permissions = [("reveal_rewardcode", "Can see what reward codes say")]
        constraints = [models.UniqueConstraint(fields=["tenant", "reward", "value"], name="reward_code_value_unique")]
        indexes = [
            models.Index(
                fields=["tenant", "reward", "id"], name="reward_code_free", condition=models.Q(claim_id__isnull=True)
            )
        ]

    def __str__(self) -> str:
        return mask(self.value)
