"""The editor of objectives: one card per objective, with the conditions on its events in rows."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django import forms

from gamify.challenges.admin.cards import Card, CardsField, CardsWidget, Stored
from gamify.challenges.admin.words import objective_in_words
from gamify.facts.admin.seen import PROPERTIES
from gamify.facts.admin.words import expression_in_words
from gamify.facts.engine.conditions import ConditionKind
from gamify.facts.engine.expressions import MalformedExpression, expression_as_filter, filter_as_expression
from participants.admin.conditions import ConditionsWidget, SubmittedFilter, conditions_of, filter_of
from participants.admin.fields import NumberField
from participants.admin.shown import shown_object

KINDS = {
    ConditionKind.COUNT.value: "a number of events",
    ConditionKind.SUM.value: "the sum of a property",
    ConditionKind.DISTINCT.value: "a number of different values of a property",
}
NO_CONDITIONS = SubmittedFilter({}, [])


@dataclass(frozen=True)
class ObjectiveCard:
    """An objective as filled in.

    `of` is the property whose values are summed or counted. If the expression cannot be edited in rows, `place` is the index of
    its objective in the stored list (`shown`), else it is empty. `drops` says that this expression is to be removed.
    """

    code: str = ""
    label: str = ""
    events: str = ""
    kind: str = ConditionKind.COUNT.value
    of: str = ""
    minimum: str = "1"
    prerequisites: str = ""
    place: str = ""
    drops: bool = False
    where: SubmittedFilter = NO_CONDITIONS

    @property
    def is_blank(self) -> bool:
        return not any(map(str.strip, (self.code, self.label, self.events)))

    def body(self, shown: Stored) -> dict[str, Any]:
        return {
            "code": self.code.strip(),
            "label": self.label.strip(),
            "event_types": _parts(self.events),
            "expression": self._expression(shown),
            "condition": self._condition(),
            "prerequisites": _parts(self.prerequisites),
        }

    def _condition(self) -> dict[str, Any]:
        of = {} if self.kind == ConditionKind.COUNT else {"field": self.of.strip()}
        return {"type": self.kind, "min": _number(self.minimum), **of}

    def _expression(self, shown: Stored) -> Mapping[str, Any] | None:
        if self.place and not self.drops:
            return self._stored_expression(shown)
        short = filter_of(self.where)
        try:
            return None if short is None else filter_as_expression(short)
        except MalformedExpression as malformed:
            raise forms.ValidationError(f"{malformed.problem.field}: {malformed.problem.message}.") from malformed

    def _stored_expression(self, shown: Stored) -> Mapping[str, Any]:
        stored = shown_object(shown, self.place)
        if stored is None:
            raise forms.ValidationError("The stored conditions of this objective were not submitted. Reload the page.")
        return dict(stored["expression"])

    def context(self, prefix: str, shown: Stored) -> dict[str, Any]:
        widget = ConditionsWidget()
        widget.suggests = PROPERTIES
        where = widget.get_context(f"{prefix}-where", self.where, {})["widget"]
        return {"card": self, "where": where, "kinds": KINDS, "words": self._words(shown)}

    def _words(self, shown: Stored) -> str:
        """The expression that cannot be edited in rows, in words."""
        try:
            return expression_in_words(self._stored_expression(shown)) if self.place else ""
        except forms.ValidationError as refusal:
            return str(refusal.messages[0])


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _number(text: str) -> Any:
    """The number in `text`. Any other text is returned as it is, and the body of the API refuses it."""
    try:
        return NumberField(required=False).clean(text)
    except forms.ValidationError:
        return text


def card_of(stored: Mapping[str, Any], place: int) -> ObjectiveCard:
    condition, expression = stored["condition"], stored.get("expression")
    short = {} if expression is None else expression_as_filter(expression)
    return ObjectiveCard(
        code=stored["code"],
        label=stored["label"],
        events=", ".join(stored["event_types"]),
        kind=condition["type"],
        of=condition.get("field") or "",
        minimum=json.dumps(condition["min"]),
        prerequisites=", ".join(stored.get("prerequisites", ())),
        place=str(place) if short is None else "",
        where=SubmittedFilter(short or {}, conditions_of(short or {})),
    )


class ObjectivesWidget(CardsWidget):
    template_name = "admin/challenges/objectives.html"

    def read(self, data: Any, prefix: str) -> Card:
        names = ("code", "label", "events", "kind", "of", "minimum", "prerequisites", "place")
        texts = {name: data.get(f"{prefix}-{name}", "") for name in names}
        where = ConditionsWidget().value_from_datadict(data, {}, f"{prefix}-where")
        return ObjectiveCard(**texts, drops=f"{prefix}-drops" in data, where=where)

    def of_stored(self, stored: Mapping[str, Any], place: int) -> Card:
        return card_of(stored, place)

    def blank(self) -> Card:
        return ObjectiveCard()


class ObjectivesField(CardsField):
    widget = ObjectivesWidget

    def sentence(self, stored: Mapping[str, Any]) -> str:
        return objective_in_words(stored)
