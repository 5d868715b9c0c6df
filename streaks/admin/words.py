"""Descriptions of streaks in words."""

from collections.abc import Iterator, Mapping
from typing import Any

from gamify.facts.admin.words import expression_in_words
from participants.admin.conditions import filter_in_words
from participants.admin.display import display
from participants.admin.lengths import duration_in_words
from participants.admin.words import any_of, counted, sentence_of
from participants.errors import FieldError
from streaks.definitions.config import Config
from streaks.engine.windows import ROLLING, Period
from streaks.models import PARTICIPANT_ZONE, Streak
from streaks.selectors.configs import WEEKDAYS
from streaks.selectors.reach import Reach

NOUNS = {Period.HOURLY: "hour", Period.DAILY: "day", Period.WEEKLY: "week", Period.MONTHLY: "month", ROLLING: "period"}
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


@display("events")
def events_of(streak: Streak) -> str:
    return ", ".join(streak.event_types)


@display("period")
def period_of(streak: Streak) -> str:
    if streak.is_rolling:
        return f"rolling, {duration_in_words(streak.duration_seconds or 0)}"
    return streak.period


@display("completed by")
def condition_of(streak: Streak) -> str:
    """What completes a period of the streak, in words."""
    kind, minimum, field = (streak.condition.get(name) for name in ("type", "min", "field"))
    if kind == "count":
        return "any event" if minimum == 1 else f"{minimum:,} events"
    return f"{field} adds up to {minimum:,}" if kind == "sum" else f"{minimum:,} different {field}"


@display("grace")
def grace_of(streak: Streak) -> str:
    return f"{streak.grace_periods:,}" if streak.reset_on_miss else "never resets"


def streak_in_words(streak: Streak, names: Mapping[str, str], *, tenant_zone: str) -> str:
    """Return a streak as one sentence. `names` are the names of rewards by id.

    Example: “3 × workout a week, weeks start on Monday in Europe/Berlin; 1 missed week is forgiven; at 4 weeks: Coupon.”
    """
    noun = NOUNS[streak.period]
    return sentence_of(
        [
            f"{_needed(streak)} {_often(streak, tenant_zone)}",
            f"only where {where}" if (where := _where(streak)) else "",
            _missing(streak, noun),
            f"at risk {duration_in_words(streak.at_risk_seconds)} before it breaks" if streak.at_risk_seconds else "",
            *(
                _milestone(each, noun, names)
                for each in sorted(streak.milestones, key=lambda each: int(each["threshold"]))
            ),
        ]
    )


def _needed(streak: Streak) -> str:
    """What completes a period."""
    kind, minimum, field = (streak.condition.get(name) for name in ("type", "min", "field"))
    events = any_of(streak.event_types or [streak.code or "an event"])
    if kind == "count":
        return f"{minimum:,} × {events}"
    return (
        f"{field} of {events} adds up to {minimum:,}" if kind == "sum" else f"{minimum:,} different {field} of {events}"
    )


def _often(streak: Streak, tenant_zone: str) -> str:
    """How often, with the beginning of the periods: “a week, weeks start on Monday in Europe/Berlin”."""
    if streak.is_rolling:
        return f"every {duration_in_words(streak.duration_seconds or 0)}, from the first event on"
    noun, zone = NOUNS[streak.period], streak.timezone or tenant_zone
    place = "each participant's time zone" if zone == PARTICIPANT_ZONE else zone
    day = f" on {WEEKDAYS[streak.week_start].title()}" if streak.period == Period.WEEKLY else ""
    hour = "" if streak.reset_time in {"", "00:00"} else f" at {streak.reset_time}"
    return f"{'an' if noun == 'hour' else 'a'} {noun}, {noun}s start{day}{hour} in {place}"


def _where(streak: Streak) -> str:
    if streak.expression is not None:
        return expression_in_words(streak.expression)
    return " and ".join(filter_in_words(streak.fact_filter or {}))


def _missing(streak: Streak, noun: str) -> str:
    if not streak.reset_on_miss:
        return f"a missed {noun} does not end the run"
    if not streak.grace_periods:
        return f"a missed {noun} ends the run"
    one = streak.grace_periods == 1
    return f"{counted(streak.grace_periods, f'missed {noun}')} {'is' if one else 'in a row are'} forgiven"


def _milestone(stored: Mapping[str, Any], noun: str, names: Mapping[str, str]) -> str:
    reward = stored.get("reward_item_id")
    given = names.get(str(reward), "a reward that does not exist") if reward else "announced to clients"
    each = ", in each run" if reward and stored.get("repeatable") else ""
    return f"at {counted(int(stored['threshold']), noun)}: {given}{each}"


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
