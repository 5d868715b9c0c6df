"""The deliveries of webhooks in the console, with the log of their tries. Staff can read them and send them again."""

import json
from collections.abc import Mapping
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from gamify.webhooks import services
from gamify.webhooks.engine.messages import message_of
from gamify.webhooks.models import Delivery, Endpoint
from gamify.webhooks.services.claiming import schema_version
from gamify.webhooks.services.recording import MAX_LOGGED
from gamify.webhooks.services.sending import unsigned_headers
from participants.admin.access import link_to
from participants.admin.authorization import Needs
from participants.admin.base import ReadOnlyAdmin, TenantDataAdmin
from participants.admin.display import display
from participants.admin.empty import WhenEmpty
from participants.admin.filters import DayFilter
from participants.admin.pages import Done, ObjectPage
from participants.admin.picker import picked_tenant
from participants.admin.words import plain
from participants.events import event_types
from participants.models import Capability, DomainEvent

MASK = "••••••••"
COLORS = {"pending": "warning", "succeeded": "success", "failed": "danger"}


class EndpointFilter(admin.SimpleListFilter):
    """Offers only the webhooks of the picked tenant."""

    title = "webhook"
    parameter_name = "endpoint__id__exact"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        tenant = picked_tenant(request)
        return [(str(each.pk), each.url) for each in Endpoint.objects.of(tenant)] if tenant else []

    def queryset(self, request: HttpRequest, queryset: "QuerySet[Delivery]") -> "QuerySet[Delivery]":
        chosen = self.value()
        is_known = chosen and any(pk == chosen for pk, _ in self.lookup_choices)
        return queryset.filter(endpoint_id=chosen) if chosen and is_known else queryset


def _replay(request: HttpRequest, delivery: Delivery, data: Mapping[str, Any]) -> Done:
    services.replay(delivery, now=timezone.now())
    return Done("The delivery will be sent again.", "Replayed.")


REPLAY = ObjectPage(
    name="replay",
    title="Deliver again",
    explanation="The event keeps its id, so a receiver that already has it can recognise it.",
    button="Deliver again",
    permission="webhooks.change_endpoint",
    capability=Capability.DEVELOP,
    perform=_replay,
    icon="replay",
)


@admin.register(Delivery)
class DeliveryAdmin(TenantDataAdmin, ReadOnlyAdmin):
    """Sorted by id, newest first: ids are ordered by time."""

    needs = Needs(view=Capability.DEVELOP)
    when_empty = WhenEmpty(
        "Nothing was delivered yet. Add a webhook, so that your application gets the events.",
        "Add a webhook",
        "webhooks_endpoint_add",
    )
    list_display = (
        "created_at",
        "endpoint",
        "type",
        "display_status",
        "display_answer",
        "display_tries",
        "display_due",
    )
    list_filter = (("status", ChoicesDropdownFilter), EndpointFilter, ("created_at", DayFilter))
    list_filter_submit = True
    list_select_related = ("endpoint",)
    ordering = ("-id",)
    sortable_by = ()
    object_pages = (REPLAY,)
    fields = (
        "display_endpoint", ("type", "event_id"), ("created_at", "finished_at"), "display_due", "display_log", "display_body", "id",
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Delivery]":
        return super().get_queryset(request).select_related("endpoint", "tenant")

    def object_facts(self, row: Delivery) -> list[tuple[str, Any]]:
        return [("status", row.status), ("tries", self.display_tries(row)), ("last answer", self.display_answer(row))]

    @display("webhook")
    def display_endpoint(self, delivery: Any) -> SafeString | str:
        return link_to(delivery.endpoint, delivery.reader)

    @display("status", label=COLORS)
    def display_status(self, delivery: Delivery) -> str:
        return delivery.status

    @display("next try")
    def display_due(self, delivery: Delivery) -> str | None:
        """Due deliveries of an inactive webhook wait until it is active again."""
        if delivery.due_at is None:
            return None
        return plain(delivery.due_at) if delivery.endpoint.is_active else "when the webhook is active again"

    @display("last answer")
    def display_answer(self, delivery: Delivery) -> str:
        if not delivery.log:
            return "–"
        _, status, milliseconds, error = delivery.log[-1]
        return f"{error or status}, {milliseconds:,} ms"

    @display("tries")
    def display_tries(self, delivery: Delivery) -> str:
        """Count the tries in the log. `delivery.tries` starts again at 0 with a replay, because it decides how long to wait."""
        number = len(delivery.log)
        text = f"{number} or more" if number == MAX_LOGGED else str(number)
        return text if delivery.tries == number else f"{text}, {delivery.tries} since the last replay"

    @display("tries")
    def display_log(self, delivery: Delivery) -> SafeString:
        tries = [(parse_datetime(at), *entry) for at, *entry in delivery.log]
        return render_to_string("admin/webhooks/tries.html", {"tries": tries})

    @display("what is sent")
    def display_body(self, delivery: Delivery) -> str:
        event = DomainEvent.objects.filter(pk=delivery.event_id, tenant_id=delivery.tenant_id).first()
        if event is None:
            return "Nothing: the event was erased with its participant, or removed because it is too old."
        sent = f"{_head(delivery, event)}\n\n{_masked_message(event)}"
        return format_html('<pre class="whitespace-pre-wrap break-all">{}</pre>', sent)


def _head(delivery: Delivery, event: DomainEvent) -> str:
    """Return the head of the request. Each try has its own time and signature. The signature is left out."""
    headers = {
        **unsigned_headers(schema_version(event)),
        "webhook-id": str(event.pk),
        "webhook-timestamp": "(the time of the try)",
        "webhook-signature": MASK,
    }
    return "\n".join([f"POST {delivery.endpoint.url}", *(f"{name}: {value}" for name, value in headers.items())])


def _masked_message(event: DomainEvent) -> str:
    """Return the message as JSON with its confidential fields masked: staff who see deliveries need not see coupon codes."""
    message = message_of(event)
    fields = event_types[event.type].fields if event.type in event_types else {}
    hidden = {name for name, field in fields.items() if field.confidential}
    data = {name: MASK if name in hidden and value else value for name, value in message["data"].items()}
    return json.dumps(message | {"data": data}, ensure_ascii=False, indent=2)
