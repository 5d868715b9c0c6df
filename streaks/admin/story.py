"""The streaks of a participant in the timeline on their page."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.utils.html import format_html

from participants.activity import Activity
from participants.admin.access import link
from participants.admin.panels import Line, Story
from participants.admin.words import plain
from participants.catalog import catalog_of
from participants.models import Participant
from streaks.models import Streak
from streaks.selectors import CompiledStreak, streaks_in
from streaks.selectors.terms import zone_of


def _lines(participant: Participant, items: Sequence[Activity], reader: Any) -> Mapping[UUID, Line]:
    known = streaks_in(catalog_of(participant.tenant)).by_code
    return {item.id: _line(item, known.get(item.data["streak_code"]), participant, reader) for item in items}


def _line(item: Activity, streak: CompiledStreak | None, participant: Participant, reader: Any) -> Line:
    """`streak` is None if it does not exist any more."""
    if streak is None:
        return Line(format_html(WORDS[item.type], item.data["streak_code"]), detail=_number(item))
    name = link(streak.name, Streak, streak.id, reader)
    zone = zone_of(streak.terms.rules_for(participant))
    return Line(format_html(WORDS[item.type], name), detail=_span(item, zone) or _number(item))


def _span(item: Activity, zone: ZoneInfo) -> str:
    if "from" not in item.data:
        return ""
    begin, end = (plain(datetime.fromisoformat(item.data[name]).astimezone(zone)) for name in ("from", "to"))
    return f"From {begin} to {end}."


def _number(item: Activity) -> str:
    return next((text.format(item.data[name]) for name, text in DETAILS.items() if name in item.data), "")


WORDS = {
    "streak.incremented": "Streak {} went on",
    "streak.decremented": "Streak {} was set back, because an event was reversed",
    "streak.broken": "Streak {} broke",
    "streak.at_risk": "Streak {} was about to break",
    "streak.restored": "Streak {} restored",
    "streak.frozen": "Streak {} frozen",
    "streak.unfrozen": "Freeze of streak {} lifted",
    "streak.nudged": "Nudged to go on with streak {}",
    "streak.milestone_reached": "Milestone of streak {} reached",
}
DETAILS = {
    "threshold": "A run of {:,}.",
    "new_count": "The run was {:,} long then.",
    "final_count": "The run was {:,} long.",
    "current_count": "The run was {:,} long then.",
}
STORY = Story("streak", "Streaks and care", "local_fire_department", WORDS, _lines)
