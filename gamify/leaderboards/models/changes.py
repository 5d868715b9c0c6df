from django.db import models

from participants.ids import new_id
from participants.models import Participant, Tenant


class ScoreChange(models.Model):
    """What one unit of work changed for one participant, not worked into the boards yet; folding deletes the row.

    `changes` has by measure what is to be added at `at`, null where a level is to be looked up, and under `engine.measures.PERSON` null
    where the participant is to be looked at: who they are, whether they are shown. Answers count what is not folded.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    tenant = models.ForeignKey(
        Tenant, on_delete=models.DO_NOTHING, related_name="+", db_index=False, db_constraint=False
    )
    participant = models.ForeignKey(
        Participant, on_delete=models.DO_NOTHING, related_name="+", db_index=False, db_constraint=False
    )
    at = models.DateTimeField()
    created_at = models.DateTimeField()
    changes = models.JSONField()  # Django's own: amounts may exceed 64 bits, and our JSONField reads those as floats

    class Meta:
        indexes = [models.Index(fields=["tenant", "id"], name="score_change_order")]


class Folding(models.Model):
    """One row per tenant with boards: whoever writes scores holds it.

    `revision` grows with whatever changes a standing that is over: what was worked out of one may be kept until then.
    """

    tenant = models.OneToOneField(Tenant, primary_key=True, on_delete=models.CASCADE, related_name="+")
    revision = models.BigIntegerField(default=1)
