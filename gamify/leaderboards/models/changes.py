from django.db import models

from participants.ids import new_id
from participants.models import ParticipantRow, Tenant


class ScoreChange(ParticipantRow):
    """A change of one participant's scores by one unit of work, which waits to be folded. Folding deletes the row.

    `changes` maps keys of measures to the amount to add at the instant `at`. For a level it is null: the fold looks up the
    current value. The key `engine.measures.PERSON` with null means that the participant was changed, so that membership
    and visibility must be checked. Answers include waiting changes.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    at = models.DateTimeField()
    created_at = models.DateTimeField()
    changes = (
        models.JSONField()
    )  # Django's own field: amounts may exceed 64 bits, and our JSONField reads such numbers as floats

    class Meta:
        indexes = [models.Index(fields=["tenant", "id"], name="score_change_order")]


class Folding(models.Model):
    """One row per tenant with boards. Writers of scores lock it.

    `revision` grows whenever the standing of a closed period changes. Cached ranks of an older revision are stale.
    """

    tenant = models.OneToOneField(Tenant, primary_key=True, on_delete=models.CASCADE, related_name="+")
    revision = models.BigIntegerField(default=1, db_default=1)
