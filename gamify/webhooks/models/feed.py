"""The state of a tenant's feed."""

from django.db import models

from participants.models import Tenant


class FeedHead(models.Model):
    """The last position that was assigned in a tenant's feed, and the last one that retention removed.

    Code that assigns positions locks this row. So it runs once at a time, and positions become visible in order.
    """

    tenant = models.OneToOneField(Tenant, on_delete=models.CASCADE, primary_key=True, related_name="+")
    position = models.BigIntegerField(default=0, db_default=0)
    pruned_through = models.BigIntegerField(default=0, db_default=0)
