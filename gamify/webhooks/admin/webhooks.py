"""Endpoints: made, changed, tested, given another secret, replayed, deleted."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from gamify.webhooks import services
from gamify.webhooks.definitions import NewWebhook, WebhookChanges
from gamify.webhooks.models import Delivery, Endpoint
from gamify.webhooks.services import Span
from participants.admin import audit
from participants.admin.access import may_open
from participants.admin.base import replace_fields
from participants.admin.definitions import DefinitionForm
from participants.admin.display import display
from participants.admin.fields import ChoiceField, LineField, MomentField, SwitchField, WordsField
from participants.admin.notices import Notice, notices
from participants.admin.once import ShownOnceAdmin
from participants.admin.pages import Done, Link, ObjectPage, PageForm
from participants.models import Tenant

LIST = "admin:webhooks_endpoint_changelist"
STATUSES = {"active": "success", "inactive": "warning", "failing": "warning", "disabled": "danger"}
WHAT = [
    ("failed", "what failed, also where another try is due"),
    ("missed", "what it missed while it was inactive"),
    ("succeeded", "what succeeded"),
    ("", "everything"),
]


class WebhookForm(DefinitionForm):
    create_body, update_body = NewWebhook, WebhookChanges
    only_new = ()

    code = name = display_order = None  # type: ignore[assignment]  # Django's way to leave out what the parent declares
    url = LineField(label="Address", required=True, help_text="An https address that is reachable from the internet.")
    event_types = WordsField(
        label="Events", initial=["*"], help_text="Types separated by commas: points.awarded, streak.*, or * for all."
    )
    description = LineField(  # type: ignore[assignment]  # of one line here
        help_text="For your colleagues."
    )
    is_active = SwitchField(
        label="Active", initial=True, help_text="What waits meanwhile goes on when it is active again."
    )

    class Meta:
        model = Endpoint
        fields = ("url", "event_types", "description", "is_active")


class ReplayForm(PageForm):
    begin = MomentField(label="From", help_text="UTC.")
    end = MomentField(label="Until", help_text="UTC. Left empty: until now.")
    status = ChoiceField(label="Deliver again", choices=WHAT, required=False, initial="failed")
    refused_names: Mapping[str, str] = {"from": "begin", "to": "end"}

    def __init__(self, data: Any = None, *, row: Any) -> None:
        super().__init__(data, row=row)
        self.fields["begin"].initial = timezone.now() - timedelta(hours=24)
        self.fields["begin"].required = True


class DeletionForm(PageForm):
    is_sure = forms.BooleanField(label="Yes, delete it", required=True)


def _test(request: HttpRequest, endpoint: Endpoint, data: Mapping[str, Any]) -> Done:
    services.send_test(endpoint=endpoint, now=timezone.now())
    told = "A test is on its way: see the deliveries in a moment."
    return Done(told, "Tested.", goes_to=_deliveries_of(endpoint))


def _deliveries_of(endpoint: Endpoint) -> str:
    return f"{reverse('admin:webhooks_delivery_changelist')}?endpoint__id__exact={endpoint.pk}"


def _rotate(request: HttpRequest, endpoint: Endpoint, data: Mapping[str, Any]) -> Done:
    made = services.rotate_secret(endpoint, now=timezone.now())
    told = "For 24 hours deliveries are signed with the former one too: change the receiver over meanwhile."
    return Done(told, "Changed the secret over.", secret=made.secret)


def _replay(request: HttpRequest, endpoint: Endpoint, data: Mapping[str, Any]) -> Done:
    now = timezone.now()
    span = Span(data["begin"], data["end"] or now)
    count = services.replay_span(endpoint, span, status=data["status"] or None, now=now)
    return Done(f"{count:,} deliveries are to be made.", f"Replayed {count}." if count else "")


def _delete(request: HttpRequest, endpoint: Endpoint, data: Mapping[str, Any]) -> Done:
    pk = endpoint.pk
    services.delete_endpoint(endpoint)
    endpoint.pk = pk  # for the audit row
    return Done(f"Deleted: {endpoint}.", "Deleted.", flag=audit.DELETION, goes_to=reverse(LIST))


TEST = ObjectPage(
    name="test",
    title="Test",
    explanation="An event webhook.test is delivered to this address alone, whatever it wants.",
    button="Send a test",
    permission="webhooks.change_endpoint",
    perform=_test,
    icon="send",
    is_offered=lambda endpoint: endpoint.is_active,
)
ROTATE = ObjectPage(
    name="rotate",
    title="Change the secret",
    explanation="The new secret is shown once. For 24 hours deliveries carry a signature of each: change the receiver over meanwhile.",
    button="Make a new secret",
    permission="webhooks.change_endpoint",
    perform=_rotate,
    icon="key",
)
REPLAY = ObjectPage(
    name="replay",
    title="Replay",
    explanation="Events are delivered again under the ids they had: a receiver that has seen one knows it.",
    button="Deliver again",
    permission="webhooks.change_endpoint",
    perform=_replay,
    form_class=ReplayForm,
    icon="replay",
)
DELETE = ObjectPage(
    name="remove",
    title="Delete",
    explanation="With the log of its deliveries. What was still to be delivered to it is not.",
    button="Delete this webhook",
    permission="webhooks.delete_endpoint",
    perform=_delete,
    form_class=DeletionForm,
    icon="delete",
    is_dangerous=True,
)


@admin.register(Endpoint)
class EndpointAdmin(ShownOnceAdmin):
    """The secret is shown once; everything else can be changed."""

    form = WebhookForm
    list_display = ("url", "display_types", "display_status", "description", "created_at")
    list_filter = ("is_active",)
    search_fields = ("url", "description")
    search_help_text = "Part of the address or the description"
    ordering = ("id",)
    object_pages = (TEST, ROTATE, REPLAY, DELETE)
    about = ("id", "failing_since", "disabled_at", "disabled_because", "created_at", "updated_at")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        fields = ("url", "event_types", "description", "is_active")
        return (
            (None, {"fields": fields if obj else (*fields, "opened_for")}),
            *([("About", {"fields": self.about})] if obj else []),
        )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.about if obj else ()

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.has_perm("webhooks.change_endpoint"))

    def object_facts(self, row: Endpoint) -> list[tuple[str, Any]]:
        since = row.failing_since and f"{row.failing_since:%Y-%m-%d %H:%M} UTC"
        return [("status", _status_of(row)), ("why", _why(row)), ("failing since", since)]

    def object_links(self, request: HttpRequest, row: Any) -> Iterable[Link]:
        if may_open(request.user, Delivery):
            yield Link("Deliveries", _deliveries_of(row), "list")
        yield from super().object_links(request, row)

    def save_model(self, request: HttpRequest, obj: Endpoint, form: Any, change: bool) -> None:  # noqa: FBT001 - Django's
        data, now = form.judged.validated_data, timezone.now()
        if change:
            replace_fields(obj, services.update_endpoint(Endpoint.objects.get(pk=obj.pk), changes=data, now=now))
            return
        made = services.create_endpoint(tenant=form.tenant, data=data, now=now)
        self.show_once(request, made.secret)
        replace_fields(obj, made.endpoint)

    def told_once(self, row: Endpoint) -> str:
        return "Deliveries are signed with it (Standard Webhooks)."

    @display("events")
    def display_types(self, endpoint: Endpoint) -> str:
        return ", ".join(endpoint.event_types)

    @display("status", label=STATUSES)
    def display_status(self, endpoint: Endpoint) -> str:
        return _status_of(endpoint)


def _status_of(endpoint: Endpoint) -> str:
    if not endpoint.is_active:
        return "disabled" if endpoint.disabled_because else "inactive"
    return "failing" if endpoint.failing_since else "active"


def _why(endpoint: Endpoint) -> str | None:
    return endpoint.get_disabled_because_display() if endpoint.disabled_because else None


def _notices(tenant: Tenant) -> Iterable[Notice]:
    """Those that the product has disabled itself, until somebody activates or deletes them."""
    for endpoint in Endpoint.objects.of(tenant).exclude(disabled_because=None):
        url = reverse("admin:webhooks_endpoint_change", args=[endpoint.pk])
        yield Notice(f"Deliveries to {endpoint} were stopped: {_why(endpoint)}.", url)


notices.register("webhooks", _notices)
