from django.db import models

from participants.ids import new_id
from participants.models.rows import TenantRow


class Removal(TenantRow):
    """One removal from a table to which rows are otherwise only added: `rows` rows of `table` were deleted or partly cleared.

    `participant_id` is the participant whose data was removed. It is null for retention, which is not about one participant.
    `role` is the database role that asked for it.
    """

    class Action(models.TextChoices):
        ERASE = "erase"
        ANONYMIZE = "anonymize"
        PRUNE = "prune"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    at = models.DateTimeField()
    table = models.CharField(max_length=63)
    action = models.CharField(max_length=10, choices=Action.choices)
    participant_id = models.UUIDField(null=True)
    rows = models.PositiveBigIntegerField()
    role = models.CharField(max_length=63, default="", db_default="")

    class Meta:
        indexes = [models.Index(fields=["tenant", "at"], name="removal_of_tenant")]

    def __str__(self) -> str:
        return f"{self.action} {self.rows} of {self.table}"
