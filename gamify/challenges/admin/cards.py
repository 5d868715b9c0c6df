"""Editors made of cards: one card per object, with fields and an editor of rows. The body of the API validates the result.

The form also submits the value that the cards were made from (`shown`), so that an edit does not overwrite a concurrent
change of something else. Blank cards are ignored.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from django import forms
from django.utils.safestring import SafeString

from participants.admin.words import list_of

MAX_CARDS = 20
BLANK_CARDS = 5

Stored = Sequence[Mapping[str, Any]]


class Card(Protocol):
    """One card as filled in. `body` returns the object for the API (raises ValidationError), `context` the template's context."""

    @property
    def is_blank(self) -> bool: ...

    def body(self, shown: Stored) -> dict[str, Any]: ...

    def context(self, prefix: str, shown: Stored) -> dict[str, Any]: ...


@dataclass(frozen=True)
class Submitted:
    """The submitted cards, and the stored value that they were made from (`shown`)."""

    shown: Stored
    cards: Sequence[Card]


def bodies_of(submitted: Submitted) -> list[dict[str, Any]]:
    """The objects for the API, one per card. Raises: ValidationError."""
    return [_card_body(number, card, submitted.shown) for number, card in enumerate(submitted.cards, start=1)]


def _card_body(number: int, card: Card, shown: Stored) -> dict[str, Any]:
    try:
        return card.body(shown)
    except forms.ValidationError as refusal:
        raise forms.ValidationError(f"No. {number}: {refusal.messages[0]}") from refusal


class CardsWidget(forms.Widget):
    """Base of editors. Subclasses implement how a card is read from a form (by the prefix of its field names), how it is made
    from a stored object, and how a blank card looks.
    """

    class Media:
        js = ("participants/attributes.js", "challenges/cards.js")

    def read(self, data: Any, prefix: str) -> Card:
        raise NotImplementedError

    def of_stored(self, stored: Mapping[str, Any], place: int) -> Card:
        raise NotImplementedError

    def blank(self) -> Card:
        raise NotImplementedError

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Submitted:
        prefixes = [f"{name}-{index}" for index in range(MAX_CARDS + BLANK_CARDS)]
        cards = [self.read(data, prefix) for prefix in prefixes if f"{prefix}-place" in data]
        return Submitted(_parse_stored(data.get(f"{name}-shown", "")), [card for card in cards if not card.is_blank])

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return f"{name}-shown" not in data

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        submitted = value if isinstance(value, Submitted) else self.unchanged(value or [])
        context = super().get_context(name, None, attrs)
        cards = [*submitted.cards, *(self.blank() for _ in range(BLANK_CARDS))]
        shown = [self.card_context(card, f"{name}-{index}", submitted.shown) for index, card in enumerate(cards)]
        for later in shown[max(1, len(submitted.cards)) :]:
            later["is_hidden"] = True
        return context | {"widget": context["widget"] | {"cards": shown, "shown": json.dumps(submitted.shown)}}

    def card_context(self, card: Card, prefix: str, shown: Stored) -> dict[str, Any]:
        return {"prefix": prefix, **card.context(prefix, shown)}

    def unchanged(self, stored: Stored) -> Submitted:
        return Submitted(stored, [self.of_stored(each, place) for place, each in enumerate(stored)])


def _parse_stored(text: str) -> Stored:
    """The list of JSON objects in `text`. Empty for any other text."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return []
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


class CardsField(forms.Field):
    """A form field whose cleaned value is the list of objects for the API, not yet validated."""

    widget: Any = CardsWidget
    submits_shown_value = True

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, **kwargs)

    def in_words(self, value: Stored | None) -> SafeString | None:
        return list_of(self.sentence(each) for each in value or ())

    def sentence(self, stored: Mapping[str, Any]) -> str:
        """One stored object as a sentence."""
        raise NotImplementedError

    def clean(self, value: Submitted) -> list[dict[str, Any]]:
        return bodies_of(value)

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return _as_json(bodies_of(data)) != _as_json(bodies_of(self.widget.unchanged(data.shown)))
        except (forms.ValidationError, LookupError, TypeError):  # `shown` was tampered with
            return True


def _as_json(value: Any) -> str:
    return json.dumps(value, sort_keys=True)  # as JSON, since 1 == True == 1.0
