"""The pages that pause, resume, activate and archive a streak. Each shows the affected participants first."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django.http import HttpRequest
from django.utils import timezone

from participants.admin.pages import Done, ObjectPage
from streaks import services
from streaks.admin.words import reach_lines
from streaks.models import Status, Streak
from streaks.selectors.reach import reach_of

CHANGE_PERMISSION = "streaks.change_streak"


def _preview(streak: Streak) -> Iterable[str]:
    return reach_lines(reach_of(streak.tenant, [streak.pk], now=timezone.now()))


def _perform_with(
    service: Callable[..., Streak], done: str, **arguments: Any
) -> Callable[[HttpRequest, Streak, Mapping[str, Any]], Done]:
    def switch(request: HttpRequest, streak: Streak, data: Mapping[str, Any]) -> Done:
        service(streak, tenant=streak.tenant, now=timezone.now(), **arguments)
        return Done(f"{done} {streak}.", f"{done}.")

    return switch


def _has_status(*statuses: Status) -> Callable[[Streak], bool]:
    return lambda streak: streak.status in statuses


PAUSE = ObjectPage(
    name="pause",
    title="Pause",
    explanation="Until you resume it, events are not counted and no period can be missed, so runs stay alive. Ticks that clients "
    "record are refused.",
    button="Pause",
    permission=CHANGE_PERMISSION,
    perform=_perform_with(services.pause, "Paused"),
    icon="pause",
    is_offered=_has_status(Status.ACTIVE),
    preview=_preview,
)
RESUME = ObjectPage(
    name="resume",
    title="Resume",
    explanation="It counts again from now on. Runs that were alive when it was paused continue. Periods that the pause touched "
    "are excused.",
    button="Resume",
    permission=CHANGE_PERMISSION,
    perform=_perform_with(services.resume, "Resumed"),
    icon="play_arrow",
    variant="primary",
    is_offered=_has_status(Status.PAUSED),
    preview=_preview,
)
ACTIVATE = ObjectPage(
    name="activate",
    title="Activate",
    explanation="It counts from now on, and clients see it.",
    button="Activate",
    permission=CHANGE_PERMISSION,
    perform=_perform_with(services.set_status, "Activated", status=Status.ACTIVE.value),
    icon="play_arrow",
    variant="primary",
    is_offered=_has_status(Status.DRAFT, Status.ARCHIVED),
    preview=_preview,
)
ARCHIVE = ObjectPage(
    name="archive",
    title="Archive",
    explanation="It is taken out of use: nothing is counted, and participants no longer see it. Their counts stay, and continue "
    "if you activate it again. Its code cannot be used for another streak.",
    button="Archive",
    permission=CHANGE_PERMISSION,
    perform=_perform_with(services.set_status, "Archived", status=Status.ARCHIVED.value),
    icon="archive",
    is_dangerous=True,
    is_offered=_has_status(Status.ACTIVE, Status.PAUSED, Status.DRAFT),
    preview=_preview,
)
PAGES = (PAUSE, RESUME, ACTIVATE, ARCHIVE)
