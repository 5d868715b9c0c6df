"""Webhook endpoints in the console: create, change, test, change the secret, replay and delete."""

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
from participants.admin.authorization import Needs
from participants.admin.base import replace_fields
from participants.admin.definitions import DefinitionForm
from participants.admin.display import display
from participants.admin.empty import WhenEmpty
from participants.admin.fields import ChoiceField, LineField, MomentField, SwitchField, WordsField
from participants.admin.notices import Notice, notices
from participants.admin.once import ShownOnceAdmin
from participants.admin.pages import Done, Link, ObjectPage, PageForm
from participants.models import Capability, Tenant

LIST = "admin:webhooks_endpoint_changelist"
STATUSES = {"active": "success", "inactive": "warning", "failing": "warning", "disabled": "danger"}
WHAT = [
    ("failed", "failed deliveries, also those that will be tried again"),
    ("missed", "events that it missed while it was inactive"),
    ("succeeded", "successful deliveries"),
    ("", "all of these"),
]


class WebhookForm(DefinitionForm):
    create_body, update_body = NewWebhook, WebhookChanges
    only_new = ()

    code = name = display_order = None  # type: ignore[assignment]  # Django's way to remove fields of the parent class
    url = LineField(label="Address", required=True, help_text="An https address that is reachable from the internet.")
    event_types = WordsField(
        label="Events", initial=["*"], help_text="Types separated by commas: points.awarded, streak.*, or * for all."
    )
    description = LineField(  # type: ignore[assignment]  # a single line here
        help_text="For your colleagues."
    )
    is_active = SwitchField(
        label="Active", initial=True, help_text="Deliveries of an inactive webhook wait until it is active again."
    )

    class Meta:
        model = Endpoint
        fields = ("url", "event_types", "description", "is_active")


class ReplayForm(PageForm):
    begin = MomentField(label="From", help_text="UTC.")
    end = MomentField(label="Until", help_text="UTC. If empty: until now.")
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
    message = "The test event will be sent in a moment; see the deliveries."
    return Done(message, "Tested.", next_url=_deliveries_url(endpoint))


def _deliveries_url(endpoint: Endpoint) -> str:
    return f"{reverse('admin:webhooks_delivery_changelist')}?endpoint__id__exact={endpoint.pk}"


def _rotate(request: HttpRequest, endpoint: Endpoint, data: Mapping[str, Any]) -> Done:
    rotated = services.rotate_secret(endpoint, now=timezone.now())
    message = "For 24 hours, deliveries are signed with both secrets. Change the receiver in this time."
    return Done(message, "Changed the secret.", secret=rotated.secret)


def _replay(request: HttpRequest, endpoint: Endpoint, data: Mapping[str, Any]) -> Done:
    now = timezone.now()
    span = Span(data["begin"], data["end"] or now)
    count = services.replay_span(endpoint, span, status=data["status"] or None, now=now)
    return Done(f"{count:,} deliveries will be made.", f"Replayed {count}." if count else "")


def _delete(request: HttpRequest, endpoint: Endpoint, data: Mapping[str, Any]) -> Done:
    pk = endpoint.pk
    services.delete_endpoint(endpoint, now=timezone.now())
    endpoint.pk = pk  # Django has set it to None, and the audit row needs it
    return Done(f"Deleted: {endpoint}.", "Deleted.", flag=audit.DELETION, next_url=reverse(LIST))


TEST = ObjectPage(
    name="test",
    title="Test",
    explanation="Sends an event webhook.test to this address only, whichever events it subscribes to.",
    button="Send a test",
    permission="webhooks.change_endpoint",
    capability=Capability.DEVELOP,
    perform=_test,
    icon="send",
    is_offered=lambda endpoint: endpoint.is_active,
)
ROTATE = ObjectPage(
    name="rotate",
    title="Change the secret",
    explanation="The new secret is shown once. For 24 hours, deliveries carry a signature of each secret. Change the receiver in this time.",
    button="Create a new secret",
    permission="webhooks.change_endpoint",
    capability=Capability.DEVELOP,
    perform=_rotate,
    icon="key",
)
REPLAY = ObjectPage(
    name="replay",
    title="Replay",
    explanation="Events keep their ids, so a receiver that already has an event can recognise it.",
    button="Deliver again",
    permission="webhooks.change_endpoint",
    capability=Capability.DEVELOP,
    perform=_replay,
    form_class=ReplayForm,
    icon="replay",
)
DELETE = ObjectPage(
    name="remove",
    title="Delete",
    explanation="Also deletes the log of its deliveries. Pending deliveries are not sent.",
    button="Delete this webhook",
    permission="webhooks.delete_endpoint",
    capability=Capability.DEVELOP,
    perform=_delete,
    form_class=DeletionForm,
    icon="delete",
    is_dangerous=True,
)


@admin.register(Endpoint)
class EndpointAdmin(ShownOnceAdmin):
    """The secret is shown once; everything else can be changed."""

    needs = Needs(view=Capability.DEVELOP, add=Capability.DEVELOP, change=Capability.DEVELOP)
    when_empty = WhenEmpty(
        "There is no webhook yet. Add one, so that your application gets the events.",
        "Add a webhook",
        "webhooks_endpoint_add",
    )
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
            yield Link("Deliveries", _deliveries_url(row), "list")
        yield from super().object_links(request, row)

    def save_model(self, request: HttpRequest, obj: Endpoint, form: Any, change: bool) -> None:  # noqa: FBT001 - Django's signature
        data, now = form.judged.validated_data, timezone.now()
        if change:
            replace_fields(obj, services.update_endpoint(Endpoint.objects.get(pk=obj.pk), changes=data, now=now))
            return
        created = services.create_endpoint(tenant=form.tenant, data=data, now=now)
        self.show_once(request, created.secret)
        replace_fields(obj, created.endpoint)

    def secret_note(self, row: Endpoint) -> str:
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
    """A notice for each webhook that the product disabled, until somebody activates or deletes the webhook."""
    for endpoint in Endpoint.objects.of(tenant).exclude(disabled_because=None):
        url = reverse("admin:webhooks_endpoint_change", args=[endpoint.pk])
        yield Notice(f"Deliveries to {endpoint} were stopped: {_why(endpoint)}.", url)


notices.register("webhooks", _notices)
