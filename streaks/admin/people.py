"""The streaks of a participant on their page: status, calendars and freezes."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.html import format_html
from django.utils.http import urlencode

from participants.admin.authorization import may
from participants.admin.panels import Box, Panel, panels
from participants.admin.words import plain
from participants.models import Capability, Participant
from streaks.admin.calendars import render_calendars
from streaks.admin.care import (
    CARE_PERMISSION,
    FREEZE,
    LIFT,
    RESTORE,
    GivenFreeze,
    freezes_in,
    state_of_run,
    statuses_on_page,
)
from streaks.admin.story import STORY
from streaks.engine.milestones import next_threshold
from streaks.selectors import ParticipantStreakStatus

COLUMNS = ("Streak", "Current", "Longest", "State", "Next milestone", "Last activity")
FREEZE_COLUMNS = ("Streak", "From", "To", "Reason", "Given", "By")
MAX_FREEZES = 20


def _boxes(participant: Participant, reader: Any) -> Iterator[Box]:
    now, statuses = timezone.now(), statuses_on_page(participant)
    rows = [_row(status, now) for status in statuses]
    drawing = render_calendars(statuses, now=now)
    yield Box("Streaks", COLUMNS, rows, empty="None yet.", drawing=drawing, is_wide=bool(drawing))
    if freezes := freezes_in(statuses):
        may_lift = may(reader, CARE_PERMISSION, Capability.CARE)
        shown = [_freeze_row(each, may_lift=may_lift) for each in freezes[:MAX_FREEZES]]
        yield Box("Freezes", FREEZE_COLUMNS, shown, note="Restored runs are listed here too.", is_wide=True)


def _row(status: ParticipantStreakStatus, now: datetime) -> Sequence[Any]:
    return [
        status.streak.name,
        status.streak_status.current,
        status.streak_status.longest,
        state_of_run(status, now),
        _next_milestone(status),
        status.last_activity_at,
    ]


def _next_milestone(status: ParticipantStreakStatus) -> str | None:
    threshold = next_threshold(status.streak.milestones, status.streak_status.alive, status.state.paid)
    if threshold is None:
        return None
    left = threshold - status.streak_status.current
    return f"{threshold:,}, {left:,} to go" if left > 0 else f"{threshold:,}, reached"


def _freeze_row(freeze: GivenFreeze, *, may_lift: bool) -> list[Any]:
    name = freeze.status.streak.name
    begin, end = map(plain, freeze.span)
    cells = [name, begin, end, freeze.stored["reason"], freeze.given_at, freeze.stored.get("actor_label")]
    url = f"{LIFT.url(freeze.status.participant)}?{urlencode({'freeze': freeze.key})}"
    lift = format_html(
        '<a href="{}" class="console-link" data-dialog aria-label="Lift the freeze of {}">Lift</a>', url, name
    )
    return [*cells, lift] if may_lift else cells


VIEW_PERMISSIONS = ("streaks.view_participantstreak", CARE_PERMISSION)
PAGES = (FREEZE, RESTORE, LIFT)
panels.register(
    "streaks",
    Panel(
        capability=Capability.SEE_PARTICIPANTS,
        view_permissions=VIEW_PERMISSIONS,
        pages=PAGES,
        boxes=_boxes,
        story=STORY,
    ),
)
