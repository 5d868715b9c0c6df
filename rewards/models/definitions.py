from django.db import models
from django.db.models import F, Q

from participants.models import Definition
from participants.models.json import JSONField
from rewards.engine.patterns import MAX_PATTERN


class RewardType(models.TextChoices):
    """What participants get: a code (coupon, voucher), something that staff send or activate (physical, digital), or a period in which
    points are multiplied.
    """

    COUPON = "coupon"
    VOUCHER = "voucher"
    PHYSICAL = "physical"
    DIGITAL = "digital"
    POINTS_MULTIPLIER = "points_multiplier", "Points multiplier"


class Reward(Definition):
    """Something that participants claim, for points or for free, or that definitions grant.

    - `claimed` counts the pieces that were handed out, of `total_inventory` (null: no limit).
    - `free_codes` counts the free codes. `has_codes` is true since the first code was added: from then on no piece is handed out without
      a code. Both change under the row lock, which every claim takes.
    - `code_pattern` makes codes on demand when none is in stock.
    - `config` configures a `points_multiplier` and is null for other types: `{"multiplier": 2, "duration_hours": 24}`.
    """

    reward_type = models.CharField(max_length=20, choices=RewardType.choices)
    points_cost = models.BigIntegerField(default=0, db_default=0)
    max_claims_per_user = models.PositiveIntegerField(null=True, blank=True, default=1)
    total_inventory = models.PositiveIntegerField(null=True, blank=True)
    min_tier_level = models.PositiveIntegerField(null=True, blank=True)
    starts_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    image_url = models.CharField(max_length=500, null=True, blank=True)
    code_pattern = models.CharField(max_length=MAX_PATTERN, null=True, blank=True)
    config = JSONField(null=True, blank=True)
    claimed = models.PositiveIntegerField(default=0, db_default=0, editable=False)
    free_codes = models.PositiveIntegerField(default=0, db_default=0, editable=False)
    has_codes = models.BooleanField(default=False, db_default=False, editable=False)

    class Meta(Definition.Meta):
        constraints = [
            *Definition.Meta.constraints,
            models.CheckConstraint(condition=Q(points_cost__gte=0), name="reward_cost_not_negative"),
            models.CheckConstraint(condition=Q(starts_at__lt=F("expires_at")), name="reward_dates_ordered"),
        ]

    @property
    def available_codes(self) -> int | None:
        """How many codes are left. None if the reward has no codes, or makes them on demand."""
        return self.free_codes if self.has_codes and self.code_pattern is None else None
