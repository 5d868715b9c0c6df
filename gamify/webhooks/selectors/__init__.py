"""What endpoints want, what is due for them, and how far the feed has come."""

from gamify.webhooks.selectors.catalog import Wanted, wanted_in
from gamify.webhooks.selectors.endpoints import deliveries_of, find_delivery, find_endpoint

__all__ = ["Wanted", "deliveries_of", "find_delivery", "find_endpoint", "wanted_in"]
