"""A page that shows what a rule, or a change of it, would have given for past events. It writes nothing."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from unfold.widgets import UnfoldAdminIntegerFieldWidget

from gamify.rules.admin.conditions import conditions_of
from gamify.rules.admin.forms import WHEN, RuleForm
from gamify.rules.definitions import LIMITS, rule_with_changes
from gamify.rules.engine.replaying import Side, Totals
from gamify.rules.models import Rule
from gamify.rules.selectors import ReplayReport, RuleReplay, replay
from participants.admin.panels import Box
from participants.admin.words import counted
from participants.models import Tenant

EXPLANATION = (
    "Change the rule as you like. The events of the last days are played to the changed rule and to the active one. Nothing is written or "
    "saved. Schedules are ignored, limits start at zero, participants have today's attributes, and points are counted before multipliers."
)
DEFAULT_DAYS, MAX_DAYS = 30, 366
STORED = ("event_types", "changes", "grants")  # fields of the form that have the same names in the model
TOTALS = ("matched", "fired", "limited", "points", "participants")


class WhatIfForm(RuleForm):
    """The form of the page “What if”: the settings of a rule that matter for past events."""

    days = forms.IntegerField(
        label="Days", initial=DEFAULT_DAYS, min_value=1, max_value=MAX_DAYS, widget=UnfoldAdminIntegerFieldWidget
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields = {name: self.fields[name] for name in ("days", *_shown(self.instance), "grants", *LIMITS)}
        for field in self.fields.values():
            field.show_hidden_initial = False

    def body(self, names: Sequence[str]) -> dict[str, Any]:
        return super().body([name for name in names if name != "days"])

    def draft(self) -> Rule:
        """Return the changed rule, unsaved. The form must be valid."""
        return rule_with_changes(self.instance, self.judged.validated_data)


def _shown(rule: Rule) -> Iterator[str]:
    """Return the fields to show: no changes, because they are not played, and conditions only if rows can express them."""
    has_rows = rule.expression is None or conditions_of(rule.expression) is not None
    left_out = {"changes", "drop_expression" if has_rows else "conditions"}
    return (name for name in WHEN if name not in left_out)


def page(request: HttpRequest, row: Rule, *, tenant: Tenant, context: Mapping[str, Any]) -> HttpResponse:
    """Show the form and, once it is sent, what the rule would have given."""
    form = _form(request, row)
    played = _played(tenant, form) if form.is_bound and form.is_valid() else None
    shown = {
        "title": "What if",
        "explanation": EXPLANATION,
        "original": row,
        "form": form,
        "back": reverse("admin:rules_rule_change", args=[row.pk]),
        "played": played,
        "played_in_words": "" if played is None else _played_in_words(played),
        "boxes": [] if played is None else list(_boxes(played.rules[0])),
    }
    return TemplateResponse(request, "admin/rules/what_if.html", {**context, **shown})


def _form(request: HttpRequest, row: Rule) -> Any:
    form_class = type("Form", (WhatIfForm,), {"request": request})
    return forms.modelform_factory(Rule, form=form_class, fields=STORED)(request.POST or None, instance=row)


def _played(tenant: Tenant, form: Any) -> ReplayReport:
    now = timezone.now()
    since = now - timedelta(days=form.cleaned_data["days"])
    return replay(tenant, [form.draft()], since=since, now=now, max_events=settings.REPLAY_MAX_EVENTS)


def _played_in_words(played: ReplayReport) -> str:
    return f"{counted(played.events, 'event')} of {counted(played.participants, 'participant')}"


def _boxes(rule: RuleReplay) -> Iterator[Box]:
    rows = [["This rule", *_cells(rule.totals)]]
    if rule.active is not None:
        rows.append(["The active one", *_cells(rule.active)])
    note = f"Changes are not played: {', '.join(rule.changes_not_played)}." if rule.changes_not_played else ""
    yield Box("What would have been given", ("", *TOTALS), rows, empty="", note=note)
    yield _side("Who would gain", rule.gain)
    if rule.active is not None:
        yield _side("Who would lose", rule.loss)


def _cells(totals: Totals) -> list[str]:
    return [f"{getattr(totals, name):,}" for name in TOTALS]


def _side(title: str, side: Side) -> Box:
    rows = [[share.participant_id, f"{share.points:+,}"] for share in side.largest]
    total = f"{counted(side.participants, 'participant')}, {counted(side.points, 'point')} in total; the largest first."
    return Box(title, ("Participant", "Points"), rows, empty="No participant.", note=total if rows else "")
