from django.db import models

from participants.ids import new_id
from participants.models import Tenant


class PreviousProgramme(models.Model):
    """The programme that a tenant had before its newest import, as the text of a file. A rollback exchanges it with the current one.

    `replaced_by` says who imported what, for people.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    tenant = models.OneToOneField(Tenant, on_delete=models.CASCADE, related_name="+")
    text = models.TextField()
    replaced_by = models.CharField(max_length=255)
    replaced_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"The programme until {self.replaced_at:%Y-%m-%d %H:%M} UTC"
