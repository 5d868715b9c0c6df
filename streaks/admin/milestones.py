"""The editor of milestones. Each row has a length, a reward and how often it is paid. The API's body validates them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.safestring import SafeString

from participants.admin.words import list_of

MAX_ROWS = 200
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


@dataclass(frozen=True)
class SubmittedMilestones:
    """The submitted rows, and as text the rows that the page showed.

    Only a difference between the two is a change. So an edit that somebody else made meanwhile is not undone.
    """

    shown: str
    rows: Sequence[Row]

    @property
    def has_changed(self) -> bool:
        return _as_text(self.rows) != self.shown


def row_of(stored: Mapping[str, Any]) -> Row:
    paid = EACH_RUN if stored.get("repeatable") else ONCE
    return Row(str(stored["threshold"]), stored.get("reward_item_id") or "", paid)


def _as_text(rows: Sequence[Row]) -> str:
    return json.dumps([row.body() for row in rows])


def _description(stored: Mapping[str, Any]) -> str:
    row = row_of(stored)
    reward = f"reward {row.reward}, {CHOICES[row.paid]}" if row.reward else "announced to clients, without a reward"
    return f"At a length of {row.threshold}: {reward}"


class MilestonesWidget(forms.Widget):
    template_name = "admin/streaks/milestones.html"

    class Media:
        js = ("participants/attributes.js",)

    def value_from_datadict(self, data: Any, files: Any, name: str) -> SubmittedMilestones:
        columns = (data.getlist(f"{name}-{column}")[:MAX_ROWS] for column in ("threshold", "reward", "paid"))
        rows = [Row(*cells) for cells in zip(*columns, strict=False)]
        return SubmittedMilestones(data.get(f"{name}-shown", "[]"), [row for row in rows if not row.is_blank])

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return f"{name}-shown" not in data

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        submitted = value if isinstance(value, SubmittedMilestones) else _as_shown(value or [])
        context = super().get_context(name, None, attrs)
        context["widget"] |= {"rows": [*submitted.rows, Row()], "shown": submitted.shown, "choices": CHOICES}
        return context


def _as_shown(stored: Sequence[Mapping[str, Any]]) -> SubmittedMilestones:
    rows = [row_of(milestone) for milestone in stored]
    return SubmittedMilestones(_as_text(rows), rows)


class MilestonesField(forms.Field):
    """Cleans to milestones in the shape of the API, which validates them afterwards."""

    widget = MilestonesWidget
    submits_shown_value = True

    def in_words(self, value: Sequence[Mapping[str, Any]] | None) -> SafeString | None:
        return list_of(map(_description, value or ()))

    def clean(self, value: SubmittedMilestones) -> list[dict[str, Any]]:
        return [row.body() for row in value.rows]

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(data.has_changed)
