import django.db.models.deletion
from django.db import migrations, models

import participants.ids


class Migration(migrations.Migration):
    replaces = [
        ("exports", "0001_exports"),
        ("exports", "0002_export_columns"),
    ]

    initial = True

    dependencies = [
        ("participants", "0001_squashed_0024_support_points_per_day"),
    ]

    operations = [
        migrations.CreateModel(
            name="Export",
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
                ("kind", models.CharField(max_length=40)),
                ("filters", models.JSONField(db_default={}, default=dict)),
                ("format", models.CharField(choices=[("csv", "CSV"), ("ndjson", "NDJSON")], max_length=10)),
                ("has_bom", models.BooleanField(db_default=False, default=False)),
                (
                    "status",
                    models.CharField(
                        choices=[("queued", "Queued"), ("running", "Running"), ("done", "Done"), ("failed", "Failed")],
                        db_default="queued",
                        default="queued",
                        max_length=10,
                    ),
                ),
                ("build", models.PositiveIntegerField(db_default=1, default=1)),
                ("parts", models.PositiveIntegerField(db_default=0, default=0)),
                ("columns", models.JSONField(null=True)),
                ("cursor", models.JSONField(null=True)),
                ("rows", models.PositiveBigIntegerField(db_default=0, default=0)),
                ("size", models.PositiveBigIntegerField(db_default=0, default=0)),
                ("sha256", models.CharField(max_length=64, null=True)),
                ("error", models.CharField(max_length=255, null=True)),
                ("created_at", models.DateTimeField()),
                ("finished_at", models.DateTimeField(null=True)),
                ("expires_at", models.DateTimeField(null=True)),
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
            ],
        ),
        migrations.CreateModel(
            name="ExportPart",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=participants.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("number", models.PositiveIntegerField()),
                ("data", models.BinaryField()),
                (
                    "export",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="exports.export",
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
            ],
        ),
        migrations.AddIndex(
            model_name="export",
            index=models.Index(fields=["tenant", "id"], name="export_newest"),
        ),
        migrations.AddIndex(
            model_name="export",
            index=models.Index(
                condition=models.Q(("status__in", ("queued", "running"))),
                fields=["status", "id"],
                name="export_unfinished",
            ),
        ),
        migrations.AddIndex(
            model_name="export",
            index=models.Index(fields=["expires_at"], name="export_expiry"),
        ),
        migrations.AddConstraint(
            model_name="export",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status", "done"), _negated=True), ("sha256__isnull", False), _connector="OR"
                ),
                name="export_done_has_digest",
            ),
        ),
        migrations.AddConstraint(
            model_name="exportpart",
            constraint=models.UniqueConstraint(fields=("tenant", "export", "number"), name="export_part_number_unique"),
        ),
    ]
