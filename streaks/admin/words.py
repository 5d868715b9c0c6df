"""Descriptions of streaks in words."""

from collections.abc import Iterator

from participants.admin.lengths import duration_in_words
from participants.errors import FieldError
from streaks.definitions.config import Config
from streaks.models import Amnesty, Streak
from streaks.selectors.reach import Reach

COUNTS_CARRIED_OVER = "Participants keep their counts. The new rules apply from now on."
_INNER = {"threshold": "the length", "reward_item_id": "the reward", "repeatable": "how often it is paid"}


def complete_message(error: FieldError, label: str) -> str:
    """The message of an error for its form field. Messages of a configuration are ends of sentences, so add a subject."""
    head, *path = error.field.split(".")
    if head not in Config().fields or not error.message[:1].islower():
        return error.message
    number = next((f"No. {int(part) + 1}" for part in path if part.isdecimal()), "")
    inner = _INNER.get(path[-1], "") if path else ""
    subject = ": ".join(filter(None, (number, inner))) or label
    return f"{subject} {error.message}."


# --- definitions ------------------------------------------------------------------------------------------------------


def period_of(streak: Streak) -> str:
    if streak.is_rolling:
        return f"rolling, {duration_in_words(streak.duration_seconds or 0)}"
    return streak.period


def condition_of(streak: Streak) -> str:
    """What completes a period of the streak, in words."""
    kind, minimum, field = (streak.condition.get(name) for name in ("type", "min", "field"))
    if kind == "count":
        return "any event" if minimum == 1 else f"{minimum:,} events"
    return f"{field} adds up to {minimum:,}" if kind == "sum" else f"{minimum:,} different {field}"


def grace_of(streak: Streak) -> str:
    return f"{streak.grace_periods:,}" if streak.reset_on_miss else "never resets"


# --- affected participants --------------------------------------------------------------------------------------------


def with_noun(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"


def reach_lines(reach: Reach) -> Iterator[str]:
    """The number of participants that a change of a streak affects, one sentence per line."""
    if not reach.participants:
        yield "No participant has it yet."
        return
    yield f"{with_noun(reach.participants, 'participant has', 'participants have')} it."
    yield f"{with_noun(reach.alive, 'run is', 'runs are')} alive; at risk now: {reach.at_risk:,}."


def reach_line(name: str, reach: Reach) -> str:
    """The participants that an amnesty affects in one of its streaks, in one sentence."""
    who = with_noun(reach.participants, "participant", "participants")
    return f"{name}: {who}, {with_noun(reach.alive, 'run', 'runs')} alive, {reach.at_risk:,} at risk now."


def total_line(reach: Reach) -> str:
    """The participants that an amnesty affects in all its streaks together. A participant with several runs counts once."""
    who = with_noun(reach.participants, "participant", "participants")
    return f"All together: {who}; alive for {reach.alive:,} of them, at risk now for {reach.at_risk:,}."


def streaks_of(amnesty: Amnesty) -> str:
    return "all" if amnesty.streak_codes is None else ", ".join(amnesty.streak_codes)
