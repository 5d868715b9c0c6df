"""How far a tenant's feed has come."""

from django.db import models

from participants.models import Tenant


class FeedHead(models.Model):
    """The last position that was given in a tenant's feed, and the last one that retention has removed.

    Whoever gives positions holds this row: one at a time, so that they become visible in order.
    """

    tenant = models.OneToOneField(Tenant, on_delete=models.CASCADE, primary_key=True, related_name="+")
    position = models.BigIntegerField(default=0)
    pruned_through = models.BigIntegerField(default=0)
