"""Registrations of webhooks with the layers below."""

from gamify.webhooks.models import Delivery
from gamify.webhooks.selectors import undelivered_of, wanted_types
from gamify.webhooks.services.measuring import Waiting
from gamify.webhooks.services.secrets import new_secret
from gamify.webhooks.services.sequencing import TEST_EVENT
from gamify.webhooks.services.waking import wake_if_wanted
from participants import events
from participants.archiving import ArchiveRule, archive_rules
from participants.events import INSTANT, TEXT, UUID, EventField
from participants.measuring import stored
from participants.secrets import encrypt
from participants.services.participants import Eraser, erasers, keep_rows
from participants.services.personal_data import PersonalTable
from participants.work import after_commit

_ABOUT_DELIVERIES = "Webhooks about them that are not delivered yet. `event_id` is the id of the domain event."
_WEBHOOK = {"webhook_id": EventField(UUID, "Id of the webhook.")}
_EVENTS = {
    TEST_EVENT: ("A test of a webhook. It is delivered to that webhook only, whatever it subscribes to.", {}),
    "webhook.disabled": (
        "The product disabled a webhook that does not accept deliveries.",
        {
            "url": EventField(TEXT, "Its address."),
            "reason": EventField(TEXT, "`gone` (it answered 410) or `failing` (for five days)."),
            "failing_since": EventField(
                INSTANT, "Time of the first failure after the last success, or null.", nullable=True
            ),
        },
    ),
}


def register() -> None:
    """Called when the apps are loaded."""
    wanted_types.register()
    after_commit.register("webhooks", wake_if_wanted)
    stored.register(Waiting())
    # Deliveries have no data of their own. Those of erased events are deleted when they are due.
    tables = {"webhook_deliveries": PersonalTable(Delivery, _ABOUT_DELIVERIES, rows=undelivered_of)}
    erasers.register("deliveries", Eraser(tables, delete=keep_rows, anonymize=keep_rows))
    for name, (meaning, fields) in _EVENTS.items():
        events.register(name, meaning, _WEBHOOK | fields, is_about_participant=False)
    archive_rules.register("webhooks.Delivery", ArchiveRule("Two installations would send the same deliveries."))
    archive_rules.register(
        "webhooks.Endpoint",
        ArchiveRule(
            made_anew={
                "ciphertext": lambda: encrypt(new_secret()),
                "former_ciphertext": lambda: None,
                "former_until": lambda: None,
            },
            advice="Rotate the secret of each webhook, and give it to its receiver.",
        ),
    )
