import django.db.models.deletion
from django.db import migrations, models

import participants.ids


class Migration(migrations.Migration):
    replaces = [
        ("undo", "0001_initial"),
        ("undo", "0002_leases_and_deleted_participants"),
        ("undo", "0003_checked_until"),
    ]

    initial = True

    dependencies = [
        ("participants", "0001_squashed_0024_support_points_per_day"),
    ]

    operations = [
        migrations.CreateModel(
            name="Undo",
            fields=[
                ("actor", models.CharField(editable=False, max_length=100, null=True)),
                ("actor_label", models.CharField(editable=False, max_length=255, null=True)),
                ("request_id", models.CharField(editable=False, max_length=128, null=True)),
                ("attempts", models.PositiveSmallIntegerField(db_default=0, default=0)),
                ("leased_until", models.DateTimeField(null=True)),
                (
                    "id",
                    models.UUIDField(
                        default=participants.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("cause", models.CharField(max_length=100)),
                ("version", models.PositiveIntegerField(null=True)),
                ("since", models.DateTimeField()),
                ("until", models.DateTimeField()),
                ("reason", models.CharField(max_length=500, null=True)),
                ("is_dry_run", models.BooleanField()),
                (
                    "status",
                    models.CharField(
                        choices=[("queued", "Queued"), ("running", "Running"), ("done", "Done"), ("failed", "Failed")],
                        db_default="queued",
                        default="queued",
                        max_length=8,
                    ),
                ),
                ("error", models.TextField(null=True)),
                ("created_at", models.DateTimeField()),
                ("planned_at", models.DateTimeField(null=True)),
                ("checked_until", models.UUIDField(null=True)),
                ("finished_at", models.DateTimeField(null=True)),
                (
                    "tenant",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="participants.tenant",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="UndoItem",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=participants.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("type", models.CharField(max_length=60)),
                ("row_id", models.UUIDField()),
                ("part", models.PositiveIntegerField(db_default=0, default=0)),
                ("kept_id", models.UUIDField(null=True)),
                ("turn", models.PositiveSmallIntegerField(db_default=0, default=0)),
                ("is_consequence", models.BooleanField(db_default=False, default=False)),
                (
                    "state",
                    models.CharField(
                        choices=[("waiting", "Waiting"), ("reversed", "Reversed"), ("kept", "Kept")],
                        db_default="waiting",
                        default="waiting",
                        max_length=8,
                    ),
                ),
                ("reason", models.CharField(max_length=255, null=True)),
                (
                    "participant",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="participants.participant",
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="participants.tenant",
                    ),
                ),
                (
                    "undo",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="items",
                        to="undo.undo",
                    ),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="undo",
            index=models.Index(fields=["tenant", "id"], name="undo_newest"),
        ),
        migrations.AddConstraint(
            model_name="undo",
            constraint=models.UniqueConstraint(
                condition=models.Q(("is_dry_run", False), ("status__in", ["queued", "running"])),
                fields=("tenant", "cause"),
                name="undo_one_of_a_cause",
            ),
        ),
        migrations.AddConstraint(
            model_name="undo",
            constraint=models.CheckConstraint(
                condition=models.Q(("since__lt", models.F("until"))), name="undo_dates_ordered"
            ),
        ),
        migrations.AddIndex(
            model_name="undoitem",
            index=models.Index(
                condition=models.Q(("state", "waiting")),
                fields=["undo", "participant", "turn", "-row_id"],
                name="undo_item_waiting",
            ),
        ),
        migrations.AddIndex(
            model_name="undoitem",
            index=models.Index(condition=models.Q(("state", "kept")), fields=["undo", "id"], name="undo_item_kept"),
        ),
        migrations.AddIndex(
            model_name="undoitem",
            index=models.Index(fields=["tenant", "participant"], name="undo_item_participant"),
        ),
        migrations.AddConstraint(
            model_name="undoitem",
            constraint=models.UniqueConstraint(fields=("undo", "row_id", "part"), name="undo_item_once"),
        ),
        migrations.AddConstraint(
            model_name="undoitem",
            constraint=models.CheckConstraint(
                condition=models.Q(("state", "kept"), ("reason", None), _connector="OR"),
                name="undo_item_kept_for_a_reason",
            ),
        ),
    ]
