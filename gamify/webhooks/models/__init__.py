from gamify.webhooks.models.deliveries import Delivery, DeliveryStatus
from gamify.webhooks.models.endpoints import DisabledReason, Endpoint
from gamify.webhooks.models.feed import FeedHead

__all__ = ["Delivery", "DeliveryStatus", "DisabledReason", "Endpoint", "FeedHead"]
