"""Care for the streaks of a participant, on their page: freeze, restore, and lift a freeze."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils import timezone
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from participants.admin.fields import DayField, ReasonField
from participants.admin.pages import Done, ObjectPage, PageForm, Review
from participants.admin.words import plain
from participants.catalog import catalog_of
from participants.models import Capability, Participant
from streaks import services
from streaks.models import Status
from streaks.selectors import ParticipantStreakStatus, restorable_span, status_without_freeze, visible_statuses_of
from streaks.selectors.terms import zone_of
from streaks.services import CareRequest

CARE_PERMISSION = "streaks.change_participantstreak"
CACHE = "console_streaks"
REASON = "Appears on this page and in webhooks."


def statuses_on_page(participant: Participant) -> list[ParticipantStreakStatus]:
    """Statuses in active and paused streaks, in display order. Cached on the instance: buttons and boxes both need them."""
    cache = vars(participant)
    if CACHE not in cache:
        cache[CACHE] = visible_statuses_of(participant, catalog_of(participant.tenant), now=timezone.now())
    statuses: list[ParticipantStreakStatus] = cache[CACHE]
    return statuses


def state_of_run(status: ParticipantStreakStatus, now: datetime) -> str:
    if status.streak.status == Status.PAUSED:
        return "paused"
    if status.streak_status.is_at_risk:
        return "at risk"
    if not status.streak_status.current:
        return "broken" if status.streak_status.longest else "no period completed yet"
    return "frozen" if any(begin <= now < end for begin, end in status.row.frozen_spans if end) else "alive"


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
        for status in statuses_on_page(participant):
            yield status.streak.code, f"{status.streak.name} ({state_of_run(status, timezone.now())})"


class RestoreForm(CareForm):
    reason = ReasonField(help_text=REASON)

    def choices_for(self, participant: Participant) -> Iterator[tuple[str, str]]:
        for status in _restorable(participant):
            yield status.streak.code, f"{status.streak.name} ({_broken_run(status)})"


def _restorable(participant: Participant) -> list[ParticipantStreakStatus]:
    now = timezone.now()
    return [status for status in statuses_on_page(participant) if restorable_span(status, now=now)]


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
    is_offered=lambda participant: bool(statuses_on_page(participant)),
    is_dialog=True,
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
    is_dialog=True,
)


# --- lift a freeze ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class GivenFreeze:
    """One freeze or restore that is in force, in one streak of the participant. `key` is how the form names it."""

    status: ParticipantStreakStatus
    stored: Mapping[str, Any]

    @property
    def key(self) -> str:
        return f"{self.status.streak.code} {self.stored['at']}"

    @property
    def given_at(self) -> datetime:
        return datetime.fromisoformat(self.stored["at"])

    @property
    def span(self) -> tuple[datetime, datetime]:
        """[begin, end) in the time zone of the streak's days."""
        zone = zone_of(self.status.rules)
        begin, end = (datetime.fromisoformat(self.stored[name]).astimezone(zone) for name in ("from", "to"))
        return begin, end

    @property
    def words(self) -> str:
        begin, end = map(plain, self.span)
        return f"{self.status.streak.name}, {begin} to {end}"


def freezes_in(statuses: Iterable[ParticipantStreakStatus]) -> list[GivenFreeze]:
    """Return all freezes, the newest first."""
    found = [GivenFreeze(status, freeze) for status in statuses for freeze in status.row.freezes]
    return sorted(found, key=lambda freeze: freeze.given_at, reverse=True)


class LiftForm(PageForm):
    freeze = forms.ChoiceField(
        widget=UnfoldAdminSelectWidget, error_messages={"invalid_choice": "This freeze is no longer in force."}
    )
    reason = ReasonField(help_text=REASON)

    def __init__(self, data: Any = None, *, row: Any) -> None:
        super().__init__(data, row=row)
        choices = [(freeze.key, freeze.words) for freeze in freezes_in(statuses_on_page(row))]
        self.fields["freeze"].choices = choices  # type: ignore[attr-defined]


def _chosen_freeze(participant: Participant, key: str) -> GivenFreeze:
    return next(freeze for freeze in freezes_in(statuses_on_page(participant)) if freeze.key == key)


def _review_lift(request: HttpRequest, participant: Participant, form: Any) -> Review:
    freeze = _chosen_freeze(participant, form.cleaned_data["freeze"])
    return Review(list(_effects_of_lifting(freeze)), form.cleaned_data)


def _effects_of_lifting(freeze: GivenFreeze) -> Iterator[str]:
    without = status_without_freeze(freeze.status, freeze.given_at, now=timezone.now())
    before, after = freeze.status.streak_status.current, without.streak_status.current
    yield f"{freeze.words}: its periods are no longer excused."
    if not before:
        yield "No run is alive in this streak, so none breaks."
    elif before == after:
        yield f"The run of {before:,} stays as it is."
    elif after:
        yield f"The run gets shorter: {after:,} instead of {before:,}."
    else:
        yield f"The run of {before:,} breaks, because only this freeze preserves it."
    yield "Milestones that were paid stay paid."


def _lift(request: HttpRequest, participant: Participant, data: Mapping[str, Any]) -> Done:
    freeze = _chosen_freeze(participant, data["freeze"])
    code = freeze.status.streak.code
    lifted = services.lift_freeze(
        tenant=participant.tenant,
        request=CareRequest(participant.external_id, code, data["reason"]),
        given_at=freeze.given_at,
        now=timezone.now(),
    )
    message = f"Lifted the freeze of {lifted.streak.name}; the run is {lifted.streak_status.current:,} long."
    return Done(message, f"Lifted a freeze of streak {code}.")


LIFT = ObjectPage(
    name="lift_freeze",
    title="Lift a freeze",
    explanation="The periods that the freeze excused can be missed again, those in the past too. You see what changes before it does.",
    button="Lift it",
    review_button="Show what changes",
    permission=CARE_PERMISSION,
    capability=Capability.CARE,
    perform=_lift,
    review=_review_lift,
    form_class=LiftForm,
    icon="ac_unit",
    is_offered=lambda participant: bool(freezes_in(statuses_on_page(participant))),
    has_button=False,
    is_dialog=True,
)
