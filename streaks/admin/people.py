"""The streaks of a participant on their page: status, calendars, freezes, and the pages Freeze and Restore."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils import timezone
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from participants.admin.fields import DayField, ReasonField
from participants.admin.pages import Done, ObjectPage, PageForm
from participants.admin.panels import Box, Panel, panels
from participants.catalog import catalog_of
from participants.models import Capability, Participant
from streaks import services
from streaks.admin.calendars import render_calendars
from streaks.engine.milestones import next_threshold
from streaks.models import Status
from streaks.selectors import ParticipantStreakStatus, restorable_span, visible_statuses_of
from streaks.services import CareRequest

CARE_PERMISSION = "streaks.change_participantstreak"
COLUMNS = ("Streak", "Current", "Longest", "State", "Next milestone", "Last activity")
FREEZE_COLUMNS = ("Streak", "From", "To", "Reason", "Given")
MAX_FREEZES = 20
CACHE = "console_streaks"
REASON = "Appears on this page and in webhooks."


def _statuses(participant: Participant) -> list[ParticipantStreakStatus]:
    """Statuses in active and paused streaks, in display order. Cached on the instance: buttons and boxes both need them."""
    cache = vars(participant)
    if CACHE not in cache:
        cache[CACHE] = visible_statuses_of(participant, catalog_of(participant.tenant), now=timezone.now())
    statuses: list[ParticipantStreakStatus] = cache[CACHE]
    return statuses


# --- freeze and restore -----------------------------------------------------------------------------------------------


class CareForm(PageForm):
    """A form about one of the participant's streaks. Subclasses list the streaks in `choices_for`."""

    streak_code = forms.ChoiceField(label="Streak", widget=UnfoldAdminSelectWidget)

    def __init__(self, data: Any = None, *, row: Any) -> None:
        super().__init__(data, row=row)
        self.fields["streak_code"].choices = list(self.choices_for(row))  # type: ignore[attr-defined]

    def choices_for(self, participant: Participant) -> Iterable[tuple[str, str]]:
        raise NotImplementedError


class FreezeForm(CareForm):
    refused_names: Mapping[str, str] = {"from": "begin", "to": "end"}

    begin = DayField(
        label="From",
        required=False,
        widget=UnfoldAdminTextInputWidget({"type": "date"}),
        help_text="A day of the streak. Leave both fields empty for the open period.",
    )
    end = DayField(
        label="To",
        required=False,
        widget=UnfoldAdminTextInputWidget({"type": "date"}),
        help_text="Included. Leave empty for one day.",
    )
    reason = ReasonField(help_text=REASON)

    def choices_for(self, participant: Participant) -> Iterator[tuple[str, str]]:
        for status in _statuses(participant):
            yield status.streak.code, f"{status.streak.name} ({_label(status, timezone.now())})"


class RestoreForm(CareForm):
    reason = ReasonField(help_text=REASON)

    def choices_for(self, participant: Participant) -> Iterator[tuple[str, str]]:
        for status in _restorable(participant):
            yield status.streak.code, f"{status.streak.name} ({_broken_run(status)})"


def _restorable(participant: Participant) -> list[ParticipantStreakStatus]:
    now = timezone.now()
    return [status for status in _statuses(participant) if restorable_span(status, now=now)]


def _broken_run(status: ParticipantStreakStatus) -> str:
    latest = status.streak_status.latest
    if status.streak_status.current or latest is None:
        return "the run before the present one"
    return f"a run of {latest.count:,} broke"


def _care_request(participant: Participant, data: Mapping[str, Any]) -> CareRequest:
    return CareRequest(participant.external_id, data["streak_code"], data["reason"])


def _freeze(request: HttpRequest, participant: Participant, data: Mapping[str, Any]) -> Done:
    now = timezone.now()
    care = _care_request(participant, data)
    frozen = services.freeze(tenant=participant.tenant, request=care, begin=data["begin"], end=data["end"], now=now)
    latest = frozen.row.freezes[-1]
    if latest["at"] != now.isoformat():
        return Done(f"Sent twice, done once: {frozen.streak.name} is frozen.")
    begin, end = (f"{datetime.fromisoformat(latest[name]):%Y-%m-%d %H:%M}" for name in ("from", "to"))
    return Done(f"Excused in {frozen.streak.name} from {begin} to {end} UTC.", f"Froze streak {frozen.streak.code}.")


def _restore(request: HttpRequest, participant: Participant, data: Mapping[str, Any]) -> Done:
    restored = services.restore(tenant=participant.tenant, request=_care_request(participant, data), now=timezone.now())
    message = f"Restored {restored.streak.name}; the run is {restored.streak_status.current:,} long."
    return Done(message, f"Restored streak {restored.streak.code}.")


FREEZE = ObjectPage(
    name="freeze_streak",
    title="Freeze streak",
    explanation="The periods that these days touch are excused: missing them breaks nothing and uses no grace. Days may be in "
    "the past. Periods that are completed count.",
    button="Freeze",
    permission=CARE_PERMISSION,
    capability=Capability.CARE,
    perform=_freeze,
    form_class=FreezeForm,
    icon="ac_unit",
    is_offered=lambda participant: bool(_statuses(participant)),
)
RESTORE = ObjectPage(
    name="restore_streak",
    title="Restore streak",
    explanation="The last broken run is alive again, as if the periods missed since then were excused. Milestones that it "
    "reaches are paid.",
    button="Restore",
    permission=CARE_PERMISSION,
    capability=Capability.CARE,
    perform=_restore,
    form_class=RestoreForm,
    icon="healing",
    is_offered=lambda participant: bool(_restorable(participant)),
)


# --- status -----------------------------------------------------------------------------------------------------------


def _boxes(participant: Participant) -> Iterator[Box]:
    now = timezone.now()
    statuses = _statuses(participant)
    rows = [_row(status, now) for status in statuses]
    yield Box("Streaks", COLUMNS, rows, empty="None yet.", drawing=render_calendars(statuses, now=now))
    if freezes := sorted(_freezes(statuses), key=lambda freeze: freeze[-1], reverse=True):
        yield Box("Freezes", FREEZE_COLUMNS, freezes[:MAX_FREEZES], empty="", note="Restored runs are listed here too.")


def _row(status: ParticipantStreakStatus, now: datetime) -> Sequence[Any]:
    return [
        status.streak.name,
        status.streak_status.current,
        status.streak_status.longest,
        _label(status, now),
        _next_milestone(status),
        status.last_activity_at,
    ]


def _label(status: ParticipantStreakStatus, now: datetime) -> str:
    if status.streak.status == Status.PAUSED:
        return "paused"
    if status.streak_status.is_at_risk:
        return "at risk"
    if not status.streak_status.current:
        return "broken" if status.streak_status.longest else "no period completed yet"
    return "frozen" if any(begin <= now < end for begin, end in status.row.frozen_spans if end) else "alive"


def _next_milestone(status: ParticipantStreakStatus) -> str | None:
    threshold = next_threshold(status.streak.milestones, status.streak_status.alive, status.state.paid)
    if threshold is None:
        return None
    left = threshold - status.streak_status.current
    return f"{threshold:,}, {left:,} to go" if left > 0 else f"{threshold:,}, reached"


def _freezes(statuses: Iterable[ParticipantStreakStatus]) -> Iterator[list[Any]]:
    for status in statuses:
        for freeze in status.row.freezes:
            begin, end, at = (datetime.fromisoformat(freeze[name]) for name in ("from", "to", "at"))
            yield [status.streak.name, begin, end, freeze["reason"], at]


VIEW_PERMISSIONS = ("streaks.view_participantstreak", CARE_PERMISSION)
panels.register(
    "streaks",
    Panel(
        capability=Capability.SEE_PARTICIPANTS, view_permissions=VIEW_PERMISSIONS, pages=(FREEZE, RESTORE), boxes=_boxes
    ),
)
