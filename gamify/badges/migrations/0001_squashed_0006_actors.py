import django.db.models.deletion
from django.db import migrations, models

import participants.ids
import participants.models.json


class Migration(migrations.Migration):
    replaces = [
        ("badges", "0001_initial"),
        ("badges", "0002_badge_criteria"),
        ("badges", "0003_count_badges"),
        ("badges", "0004_badge_award_event"),
        ("badges", "0005_column_defaults"),
        ("badges", "0006_actors"),
    ]

    initial = True

    dependencies = [
        ("participants", "0001_squashed_0024_support_points_per_day"),
    ]

    operations = [
        migrations.CreateModel(
            name="Badge",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=participants.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("code", models.CharField(max_length=50)),
                ("name", models.CharField(max_length=100)),
                ("description", models.TextField(blank=True, null=True)),
                ("is_active", models.BooleanField(db_default=True, default=True)),
                ("display_order", models.IntegerField(db_default=0, default=0)),
                ("created_at", models.DateTimeField(editable=False)),
                ("updated_at", models.DateTimeField(editable=False)),
                ("icon_url", models.CharField(blank=True, max_length=500, null=True)),
                ("category", models.CharField(blank=True, max_length=100, null=True)),
                (
                    "rarity",
                    models.CharField(
                        choices=[
                            ("common", "Common"),
                            ("uncommon", "Uncommon"),
                            ("rare", "Rare"),
                            ("epic", "Epic"),
                            ("legendary", "Legendary"),
                        ],
                        db_default="common",
                        default="common",
                        max_length=10,
                    ),
                ),
                (
                    "criteria",
                    participants.models.json.JSONField(blank=True, decoder=participants.models.json.Decoder, null=True),
                ),
                ("criteria_revision", models.PositiveIntegerField(db_default=1, default=1, editable=False)),
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
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="BadgeAward",
            fields=[
                ("actor", models.CharField(editable=False, max_length=100, null=True)),
                ("actor_label", models.CharField(editable=False, max_length=255, null=True)),
                ("request_id", models.CharField(editable=False, max_length=128, null=True)),
                (
                    "id",
                    models.UUIDField(
                        default=participants.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("earned_at", models.DateTimeField()),
                ("event_id", models.UUIDField(null=True)),
                (
                    "metadata",
                    participants.models.json.JSONField(
                        db_default={}, decoder=participants.models.json.Decoder, default=dict
                    ),
                ),
                (
                    "badge",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="badges.badge",
                    ),
                ),
                (
                    "participant",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
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
            ],
        ),
        migrations.CreateModel(
            name="BadgeProgress",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=participants.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("revision", models.PositiveIntegerField()),
                ("value", models.DecimalField(decimal_places=9, max_digits=40)),
                (
                    "badge",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="badges.badge",
                    ),
                ),
                (
                    "participant",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
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
            ],
            options={
                "verbose_name_plural": "badge progress",
            },
        ),
        migrations.AddConstraint(
            model_name="badge",
            constraint=models.UniqueConstraint(fields=("tenant", "code"), name="badge_code_unique"),
        ),
        migrations.AddConstraint(
            model_name="badgeaward",
            constraint=models.UniqueConstraint(fields=("tenant", "participant", "badge"), name="badge_award_once"),
        ),
        migrations.AddConstraint(
            model_name="badgeprogress",
            constraint=models.UniqueConstraint(fields=("tenant", "participant", "badge"), name="badge_progress_once"),
        ),
    ]
