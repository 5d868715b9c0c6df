"""Challenges on a participant's page: status, and enrolment by hand."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from django import forms
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from unfold.widgets import UnfoldAdminSelectWidget

from gamify.challenges import services
from gamify.challenges.admin.words import progress_of
from gamify.challenges.models import Challenge
from gamify.challenges.selectors import (
    CompiledChallenge,
    EnrolmentStatus,
    Status,
    challenges_in,
    enrolment_statuses,
    open_challenges,
)
from participants.activity import Activity
from participants.admin.access import link
from participants.admin.pages import AuditedForm, Done, ObjectPage
from participants.admin.panels import Box, Line, Panel, Story, panels
from participants.catalog import catalog_of
from participants.models import Capability, Participant

COLUMNS = ("Challenge", "Status", "Since", "Until", "Objectives", "Completed")


def _statuses(participant: Participant) -> Sequence[EnrolmentStatus]:
    return enrolment_statuses(participant, catalog_of(participant.tenant), now=timezone.now())


class EnrolForm(AuditedForm):
    code = forms.ChoiceField(label="Challenge", widget=UnfoldAdminSelectWidget)

    def __init__(self, data: Any = None, *, row: Any) -> None:
        super().__init__(data, row=row)
        # A form that is sent twice names a challenge that the participant is enrolled in by now.
        offered = [each for each in _statuses(row) if self.is_bound or each.status is Status.AVAILABLE]
        choices = [(each.challenge.code, each.challenge.name) for each in offered]
        self.fields["code"].choices = choices  # type: ignore[attr-defined]


def _enrol(request: HttpRequest, participant: Participant, data: Mapping[str, Any]) -> Done:
    before = {each.challenge.code: each.status for each in _statuses(participant)}
    enrolled = services.enroll(
        tenant=participant.tenant, participant_id=participant.external_id, code=data["code"], now=timezone.now()
    )
    if before[enrolled.challenge.code] is not Status.AVAILABLE:
        return Done(f"They take part in {enrolled.challenge.name} already.")
    return Done(f"Enrolled in {enrolled.challenge.name}.", f"Enrolled in challenge {enrolled.challenge.code}.")


ENROL = ObjectPage(
    name="enrol",
    title="Enrol in challenge",
    explanation="Enrols the participant now, like an enrolment through the API. Earlier events do not count.",
    button="Enrol",
    permission="challenges.add_enrolment",
    capability=Capability.CARE,
    perform=_enrol,
    form_class=EnrolForm,
    icon="flag",
    is_offered=lambda participant: bool(open_challenges(catalog_of(participant.tenant), now=timezone.now())),
    is_dialog=True,
)


def _boxes(participant: Participant, reader: Any) -> Iterable[Box]:
    rows = [_row(status) for status in _statuses(participant) if status.state is not None]
    note = f"{participant.challenges_completed:,} completed so far." if participant.challenges_completed else ""
    yield Box("Challenges", COLUMNS, rows, empty="They take part in none.", note=note, is_wide=bool(rows))


def _row(status: EnrolmentStatus) -> list[Any]:
    state = status.state
    times = f"{state.completions:,} ×" if state and state.completions else None
    since = state and state.enrolled_at
    return [status.challenge.name, status.status.value, since, status.ends_at, progress_of(status), times]


def _lines(participant: Participant, items: Sequence[Activity], reader: Any) -> Mapping[UUID, Line]:
    known = challenges_in(catalog_of(participant.tenant)).by_code
    return {item.id: _line(item, known, reader) for item in items}


def _line(item: Activity, known: Mapping[str, CompiledChallenge], reader: Any) -> Line:
    code, name = item.data["challenge_code"], item.data["challenge_name"]
    title = link(name, Challenge, known[code].id, reader) if code in known else name
    done = item.data.get("completions")
    return Line(
        format_html(WORDS[item.type], title),
        detail=f"Objective {item.data['objective_label']}." if "objective_label" in item.data else _times(done),
    )


def _times(completions: int | None) -> str:
    return f"Completed {completions:,} times so far." if completions and completions > 1 else ""


WORDS = {
    "challenge.enrolled": "Enrolled in challenge {}",
    "challenge.objective_completed": "Objective of challenge {} completed",
    "challenge.completed": "Challenge {} completed",
    "challenge.expired": "Challenge {} ended before it was completed",
    "challenge.set_back": "Challenge {} was set back, because an event was reversed",
}
STORY = Story("challenge", "Challenges", "flag", WORDS, _lines)
VIEW_PERMISSIONS = ("challenges.view_enrolment", "challenges.add_enrolment")
panels.register(
    "challenges",
    Panel(
        capability=Capability.SEE_PARTICIPANTS,
        view_permissions=VIEW_PERMISSIONS,
        pages=(ENROL,),
        boxes=_boxes,
        story=STORY,
    ),
)
