"""The reversal of an event in the console. A preview shows what it takes back, and what it cannot."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.http import HttpRequest
from django.utils import timezone

from gamify.facts import services
from gamify.facts.models import Event
from participants.admin.history import WhyForm
from participants.admin.pages import Done, ObjectPage
from participants.models import Capability

NOTHING = "It gave nothing. It is only no longer counted as an event."


def _reverse(request: HttpRequest, event: Event, data: Mapping[str, Any]) -> Done:
    answer = services.reverse_event(
        tenant=event.tenant, event_id=str(event.pk), reason=data["reason"], now=timezone.now()
    )
    kept = sum("kept" in each for each in answer.undone)
    rest = " Below you see what could not be taken back." if kept else ""
    return Done(f"{event.name} is reversed.{rest}", "Reversed.")


def _preview(event: Event) -> Iterable[str]:
    answer = services.reverse_event(
        tenant=event.tenant, event_id=str(event.pk), reason=None, now=timezone.now(), is_dry_run=True
    )
    return undone_in_words(answer.undone) or [NOTHING]


def undone_in_words(undone: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return a sentence for each thing that resulted from the event."""
    return [_sentence(each) for each in undone]


def _sentence(undone: Mapping[str, Any]) -> str:
    amount = f": {undone['amount']:,}" if undone.get("amount") is not None else ""
    what = f"{_WHAT.get(undone['type'], undone['type'].replace('_', ' ').capitalize())} {undone['name']}{amount}"
    if "kept" in undone:
        return f"Not taken back: {what}. {undone['kept']}."
    short = f"; {undone['shortfall']:,} more were already spent" if undone.get("shortfall") else ""
    return f"Taken back: {what}{short}."


_WHAT = {
    "streak_tick": "Tick of streak",
    "streak_milestone": "Milestone of streak",
    "challenge": "Completion of challenge",
    "challenge_progress": "Progress in challenge",
    "challenge_milestone": "Milestone of challenge",
}

REVERSE = ObjectPage(
    name="reverse",
    title="Reverse",
    explanation="This takes back everything that resulted from the event. It cannot be repeated or undone. The event stays in the history, "
    "marked as reversed, and is no longer counted.",
    button="Reverse the event",
    permission="facts.change_event",
    capability=Capability.OWN,
    perform=_reverse,
    form_class=WhyForm,
    icon="undo",
    is_dangerous=True,
    is_offered=lambda event: event.reversed_at is None,
    preview=_preview,
    is_dialog=True,
)
