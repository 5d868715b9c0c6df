"""The editor of milestones. Each row has a length, a reward and how often it is paid. The API's body validates them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.safestring import SafeString

from gamify.facts.admin.grants import choices_of_ids
from gamify.facts.services import grant_kinds, reference_names
from participants.admin.rows import RowsWidget, SubmittedRows
from participants.admin.words import list_of
from participants.models import Tenant

UNKNOWN = "that does not exist"
ONCE, EACH_RUN = "ever", "run"
CHOICES = {ONCE: "once ever", EACH_RUN: "once in each run"}


@dataclass(frozen=True)
class Row:
    threshold: str = ""
    reward: str = ""
    paid: str = ONCE

    @property
    def is_blank(self) -> bool:
        return not self.threshold.strip() and not self.reward.strip()

    def body(self) -> dict[str, Any]:
        """The milestone in the shape of the API."""
        reward = self.reward.strip() or None
        return {"threshold": self.threshold.strip(), "reward_item_id": reward, "repeatable": self.paid == EACH_RUN}


Submitted = SubmittedRows[Sequence[Mapping[str, Any]], Row]


def row_of(stored: Mapping[str, Any]) -> Row:
    paid = EACH_RUN if stored.get("repeatable") else ONCE
    return Row(str(stored["threshold"]), stored.get("reward_item_id") or "", paid)


def _description(stored: Mapping[str, Any], names: Mapping[str, str]) -> str:
    row = row_of(stored)
    reward = (
        f"reward {names.get(row.reward, 'that does not exist')}, {CHOICES[row.paid]}"
        if row.reward
        else "announced to clients, without a reward"
    )
    return f"At a length of {row.threshold}: {reward}"


class MilestonesWidget(RowsWidget):
    template_name = "admin/streaks/milestones.html"
    row_class = Row
    nothing = []
    choices = {"choices": CHOICES}
    tenant: Tenant | None = None

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        rows = context["widget"]["rows"]
        context["widget"]["rows"] = [{"row": row, "rewards": self._rewards(row.reward.strip())} for row in rows]
        return context

    def _rewards(self, chosen: str) -> Mapping[str, str]:
        return {**choices_of_ids(grant_kinds["reward"], chosen, self.tenant), "": "no reward"}

    def show(self, value: Sequence[Mapping[str, Any]]) -> Submitted:
        rows = [row_of(milestone) for milestone in value]
        return Submitted([row.body() for row in rows], rows)


class MilestonesField(forms.Field):
    """Cleans to milestones in the shape of the API, which validates them afterwards."""

    widget = MilestonesWidget
    submits_shown_value = True

    def name_rewards_of(self, tenant: Tenant | None) -> None:
        """List the rewards of `tenant` as choices, and use their names in words."""
        assert isinstance(self.widget, MilestonesWidget), "a field of milestones has their widget"  # noqa: S101
        self.widget.tenant = tenant

    def in_words(self, value: Sequence[Mapping[str, Any]] | None) -> SafeString | None:
        tenant = self.widget.tenant
        names = {} if tenant is None else reference_names(tenant)
        return list_of(_description(milestone, names) for milestone in value or ())

    def clean(self, value: Submitted) -> list[dict[str, Any]]:
        return [row.body() for row in value.rows]

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(self.clean(data) != data.shown)
