"""The page that lists what an actor did, newest first."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.http import urlencode
from unfold.widgets import UnfoldAdminSplitDateTimeWidget, UnfoldAdminTextInputWidget

from participants.activity import Activity, ActivityFilter, activity_page
from participants.actors import MAX_KEY
from participants.admin.access import link
from participants.admin.actors import KIND_WORDS, NOT_KNOWN
from participants.admin.base import console_page
from participants.admin.picker import picked_tenant
from participants.admin.words import plain, table_of
from participants.engine import MAX_EXTERNAL_ID, instant_of, uuid_of
from participants.models import Capability, Participant, Tenant

PAGE = 50


class ActivityForm(forms.Form):
    actor = forms.CharField(
        required=False,
        max_length=MAX_KEY,
        widget=UnfoldAdminTextInputWidget,
        help_text="Id of a key, a user or an import, <code>rule:CODE</code> for a rule, or a kind such as <code>staff</code>. "
        "A click on an actor below fills it in.",
    )
    participant_id = forms.CharField(
        label="Participant", required=False, max_length=MAX_EXTERNAL_ID, strip=False, widget=UnfoldAdminTextInputWidget
    )
    since = forms.SplitDateTimeField(required=False, widget=UnfoldAdminSplitDateTimeWidget, help_text="In UTC.")
    until = forms.SplitDateTimeField(required=False, widget=UnfoldAdminSplitDateTimeWidget, help_text="In UTC.")


@console_page("participants.view_domainevent", Capability.SEE_PARTICIPANTS)
def activity(request: HttpRequest) -> HttpResponse:
    """View: GET lists one page. The filters and the cursor are in the query string, so that a page can be linked to."""
    tenant = picked_tenant(request)
    assert tenant is not None, "the page is only shown for a picked tenant"  # noqa: S101
    form = ActivityForm(request.GET)
    items, cursor = _found(tenant, form, request.GET.get("cursor", "")) if form.is_valid() else ((), None)
    filters = {name: str(value) for name, value in request.GET.items() if name != "cursor"}
    context = {
        **admin.site.each_context(request),
        "title": "Activity",
        "form": form,
        "items": [_shown(item, request, filters) for item in items],
        "older": f"?{urlencode(filters | {'cursor': str(cursor)})}" if cursor else "",
        "undo_query": f"?{urlencode({'actor': request.GET.get('actor', '')})}",
        "newest": f"?{urlencode(filters)}" if request.GET.get("cursor") else "",
    }
    return TemplateResponse(request, "admin/participants/activity.html", context)


def _found(tenant: Tenant, form: ActivityForm, cursor: str) -> tuple[Any, Any]:
    wanted = form.cleaned_data
    return activity_page(
        tenant,
        ActivityFilter(
            actor=wanted["actor"] or None,
            since=wanted["since"],
            until=wanted["until"],
            external_id=wanted["participant_id"] or None,
            before=uuid_of(cursor),
        ),
        limit=PAGE,
        now=timezone.now(),
    )


def _shown(item: Activity, request: HttpRequest, filters: Mapping[str, str]) -> dict[str, Any]:
    actor = item.actor_json
    key = f"{actor['kind']}:{actor['id']}" if actor else ""
    return {
        "at": item.at,
        "what": item.type.replace(".", " ").replace("_", " "),
        "details": table_of({name: _as_moment(value) for name, value in item.data.items()}),
        "participant": _participant(item, request),
        "actor": actor["label"] if actor else NOT_KNOWN,
        "kind": KIND_WORDS.get(actor["kind"], actor["kind"]) if actor else "",
        "of_actor": f"?{urlencode({**filters, 'actor': key})}" if actor else "",
        "request_id": item.request_id,
    }


def _as_moment(value: Any) -> Any:
    """Return the instant that `value` is the text of, so that it is shown like all times of the console, or `value`."""
    return (isinstance(value, str) and instant_of(value)) or value


def _participant(item: Activity, request: HttpRequest) -> Any:
    if item.participant_id is None:
        return ""
    return (
        plain(item.participant_id)
        if item.participant_pk is None
        else link(item.participant_id, Participant, item.participant_pk, request.user)
    )
