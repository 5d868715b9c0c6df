from django.db import models


class PeriodicRun(models.Model):
    """The newest run of one periodic task. `task` is its name in Celery.

    - `started_at` is the start of the newest run. `finished_at` is the end of the newest run that ended, and `succeeded_at` the end
      of the newest that ended without an error. So a run that never ends is visible.
    - `seconds`, `rows`, `failed` and `unfinished` tell about the newest run that ended (`participants.work.Swept`). `rows` is null
      if the task does not count them.
    - `error` is the name of the exception that ended that run. Empty if none did. The log has the rest.
    - `failures` counts all runs that an exception ended.
    """

    task = models.CharField(max_length=100, primary_key=True)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    succeeded_at = models.DateTimeField(null=True)
    seconds = models.FloatField(null=True)
    rows = models.BigIntegerField(null=True)
    failed = models.PositiveIntegerField(default=0, db_default=0)
    unfinished = models.PositiveIntegerField(default=0, db_default=0)
    error = models.CharField(max_length=200, default="", db_default="")
    failures = models.PositiveBigIntegerField(default=0, db_default=0)

    class Meta:
        verbose_name = "run of a periodic task"
        verbose_name_plural = "runs of periodic tasks"

    def __str__(self) -> str:
        return self.task
