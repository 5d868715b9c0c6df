from datetime import date
from typing import Self

from django.db import models
from django.db.models import F, Q

from gamify.rules.engine.limits import Tally
from participants.ids import new_id
from participants.models import Definition, ParticipantRow, ParticipantRowQuerySet
from participants.models.definitions import DefinitionQuerySet
from participants.models.json import JSONField


class RuleQuerySet(DefinitionQuerySet["Rule"]):
    def in_order(self) -> Self:
        """In the order of evaluation: a higher priority comes first."""
        return self.order_by("-priority", "code")


class Rule(Definition):
    """Gives `grants` when one of `event_types` or `changes` happens and `expression` holds (docs/contract.md §11).

    `limits` is `{"per_day", "per_week", "ever", "cooldown_seconds"}` without the limits that do not apply. The schedule
    [starts_at, ends_at) refers to the time of the fact.
    """

    display_order = None  # type: ignore[assignment]  # Django's way to leave it out; rules have a priority instead
    priority = models.IntegerField(default=0, db_default=0)
    starts_at = models.DateTimeField(null=True, blank=True)
    ends_at = models.DateTimeField(null=True, blank=True)
    event_types = models.JSONField(default=list, db_default=[], blank=True)
    changes = models.JSONField(default=list, db_default=[], blank=True)
    expression = JSONField(null=True, blank=True)
    grants = JSONField(default=list, db_default=[])
    limits = models.JSONField(default=dict, db_default={}, blank=True)

    objects = RuleQuerySet.as_manager()  # type: ignore[misc]  # a subclass of the parent's manager type

    class Meta(Definition.Meta):
        constraints = [
            *Definition.Meta.constraints,
            models.CheckConstraint(condition=Q(starts_at__lt=F("ends_at")), name="rule_schedule_ordered"),
        ]


class RuleTally(ParticipantRow):
    """How often a rule with limits has fired for one participant. A rule without limits has no rows.

    `days` counts the firings per local date, such as `{"2026-02-14": 3}`, as far back as the engine needs them.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    rule = models.ForeignKey(Rule, on_delete=models.DO_NOTHING, related_name="+", db_index=False, db_constraint=False)
    total = models.BigIntegerField()
    days = models.JSONField(default=dict, db_default={})
    last_at = models.DateTimeField()

    objects = ParticipantRowQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "participant", "rule"], name="rule_tally_unique"),
        ]

    @property
    def tally(self) -> Tally:
        """The stored values, as the engine uses them."""
        return Tally(self.total, {date.fromisoformat(day): count for day, count in self.days.items()}, self.last_at)

    @tally.setter
    def tally(self, tally: Tally) -> None:
        assert tally.last_at is not None, "a row is written when the rule has fired"  # noqa: S101
        self.total, self.last_at = tally.total, tally.last_at
        self.days = {day.isoformat(): count for day, count in sorted(tally.days.items())}
