"""What webhooks register with the layers below."""

from gamify.webhooks.selectors.catalog import register as register_catalog
from gamify.webhooks.services.sequencing import TEST_EVENT
from gamify.webhooks.services.waking import wake_if_wanted
from participants import events
from participants.events import INSTANT, TEXT, UUID, EventField
from participants.work import after_commit

_WHICH = {"webhook_id": EventField(UUID, "Id of the webhook.")}
_EVENTS = {
    TEST_EVENT: ("A webhook was tried out. It goes to that one alone, whatever it wants.", {}),
    "webhook.disabled": (
        "Deliveries to a webhook were stopped, since it does not take them.",
        {
            "url": EventField(TEXT, "Its address."),
            "reason": EventField(TEXT, "`gone` (it answered 410) or `failing` (for five days)."),
            "failing_since": EventField(
                INSTANT, "When the failures began of which none was followed by a success, or null.", nullable=True
            ),
        },
    ),
}


def register() -> None:
    """Called once the apps are loaded."""
    register_catalog()
    after_commit.register("webhooks", wake_if_wanted)
    for name, (meaning, fields) in _EVENTS.items():
        events.register(name, meaning, _WHICH | fields, is_about_participant=False)
