import django.db.models.deletion
from django.db import migrations, models

import participants.ids
import participants.models.json


class Migration(migrations.Migration):
    replaces = [
        ("points", "0001_initial"),
        ("points", "0002_expiring_credits"),
        ("points", "0003_reversed_once"),
        ("points", "0004_boost"),
        ("points", "0005_column_defaults"),
        ("points", "0006_actors"),
        ("points", "0007_actor_index"),
        ("points", "0008_newest_index"),
    ]

    initial = True

    dependencies = [
        ("participants", "0001_squashed_0024_support_points_per_day"),
    ]

    operations = [
        migrations.CreateModel(
            name="Boost",
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
                ("multiplier", models.DecimalField(decimal_places=4, max_digits=7)),
                ("starts_at", models.DateTimeField(blank=True, null=True)),
                ("ends_at", models.DateTimeField(blank=True, null=True)),
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
                "constraints": [
                    models.UniqueConstraint(fields=("tenant", "code"), name="boost_code_unique"),
                    models.CheckConstraint(condition=models.Q(("multiplier__gt", 0)), name="boost_multiplier_positive"),
                    models.CheckConstraint(
                        condition=models.Q(("starts_at__lt", models.F("ends_at"))), name="boost_dates_ordered"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ExpiringCredit",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=participants.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("entry_id", models.UUIDField()),
                ("rest", models.BigIntegerField()),
                ("expires_at", models.DateTimeField()),
                ("retry_at", models.DateTimeField(null=True)),
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
                "indexes": [
                    models.Index(
                        condition=models.Q(("rest__gt", 0)),
                        fields=["tenant", "expires_at", "id"],
                        name="expiring_credit_due",
                    ),
                    models.Index(
                        condition=models.Q(("rest__gt", 0)),
                        fields=["tenant", "participant", "expires_at", "id"],
                        name="expiring_credit_unspent",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("tenant", "participant", "entry_id"), name="expiring_credit_entry_unique"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("rest__gte", 0)), name="expiring_credit_rest_not_negative"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="LedgerEntry",
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
                ("number", models.BigIntegerField()),
                (
                    "type",
                    models.CharField(
                        choices=[
                            ("award", "Award"),
                            ("deduct", "Deduct"),
                            ("claim", "Claim"),
                            ("refund", "Refund"),
                            ("expire", "Expire"),
                            ("adjust", "Adjust"),
                            ("reversal", "Reversal"),
                        ],
                        max_length=10,
                    ),
                ),
                ("delta", models.BigIntegerField()),
                ("balance_after", models.BigIntegerField()),
                ("base_amount", models.BigIntegerField(null=True)),
                ("multiplier", models.DecimalField(decimal_places=4, max_digits=9, null=True)),
                ("expires_at", models.DateTimeField(null=True)),
                ("used", models.JSONField(null=True)),
                ("event_id", models.UUIDField(null=True)),
                ("reverses_id", models.UUIDField(null=True)),
                ("reason", models.TextField(null=True)),
                (
                    "metadata",
                    participants.models.json.JSONField(
                        db_default={}, decoder=participants.models.json.Decoder, default=dict
                    ),
                ),
                ("created_at", models.DateTimeField()),
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
                "verbose_name_plural": "ledger entries",
                "indexes": [
                    models.Index(fields=["tenant", "actor", "id"], name="ledger_entry_actor"),
                    models.Index(fields=["tenant", "id"], name="ledger_entry_newest"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("tenant", "participant", "number"), name="ledger_entry_number_unique"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("delta", 0), _negated=True), name="ledger_entry_moves_points"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("balance_after__gte", 0)), name="ledger_entry_balance_not_negative"
                    ),
                    models.CheckConstraint(condition=models.Q(("number__gte", 1)), name="ledger_entry_number_positive"),
                    models.UniqueConstraint(
                        condition=models.Q(("reverses_id__isnull", False)),
                        fields=("tenant", "participant", "reverses_id"),
                        name="ledger_entry_reversed_once",
                    ),
                ],
            },
        ),
    ]
