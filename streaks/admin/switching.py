"""The pages that pause, resume, activate and archive a streak. Each shows the affected participants first."""

from collections.abc import Callable, Collection, Iterable, Mapping
from functools import partial
from typing import Any

from django.http import HttpRequest
from django.utils import timezone

from participants.admin.pages import Done, ObjectPage
from participants.models import Capability
from streaks import services
from streaks.admin.words import reach_lines
from streaks.models import Status, Streak
from streaks.selectors.reach import reach_of


def _preview(streak: Streak) -> Iterable[str]:
    return reach_lines(reach_of(streak.tenant, [streak.pk], now=timezone.now()))


def _page(
    title: str, done: str, switch: Callable[..., Streak], offered_in: Collection[str], **shown: Any
) -> ObjectPage:
    """`switch` is the service, `done` the title in the past tense, and `offered_in` the statuses in which the page makes sense."""

    def perform(request: HttpRequest, streak: Streak, data: Mapping[str, Any]) -> Done:
        switch(streak, tenant=streak.tenant, now=timezone.now())
        return Done(f"{done} {streak}.", f"{done}.")

    return ObjectPage(
        name=title.lower(),
        title=title,
        permission="streaks.change_streak",
        capability=Capability.PUBLISH,
        perform=perform,
        preview=_preview,
        is_offered=lambda streak: streak.status in offered_in,
        **shown,
    )


PAGES = (
    _page(
        "Pause",
        "Paused",
        services.pause,
        {Status.ACTIVE},
        icon="pause",
        explanation="Until you resume it, events are not counted and no period can be missed, so runs stay alive. Ticks that "
        "clients record are refused.",
    ),
    _page(
        "Resume",
        "Resumed",
        services.resume,
        {Status.PAUSED},
        icon="play_arrow",
        variant="primary",
        explanation="It counts again from now on. Runs that were alive when it was paused continue. Periods that the pause "
        "touched are excused.",
    ),
    _page(
        "Activate",
        "Activated",
        partial(services.set_status, status=Status.ACTIVE.value),
        {Status.DRAFT, Status.ARCHIVED},
        icon="play_arrow",
        variant="primary",
        explanation="It counts from now on, and clients see it.",
    ),
    _page(
        "Archive",
        "Archived",
        partial(services.set_status, status=Status.ARCHIVED.value),
        {Status.ACTIVE, Status.PAUSED, Status.DRAFT},
        icon="archive",
        is_dangerous=True,
        explanation="It is taken out of use: nothing is counted, and participants no longer see it. Their counts stay, and "
        "continue if you activate it again. Its code cannot be used for another streak.",
    ),
)
