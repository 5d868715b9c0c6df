import django.db.models.deletion
from django.db import migrations, models

import participants.ids
import participants.models.json


class Migration(migrations.Migration):
    replaces = [
        ("rewards", "0001_initial"),
        ("rewards", "0002_reward_code_pattern"),
        ("rewards", "0003_points_multiplier"),
        ("rewards", "0004_who_may_see_codes"),
        ("rewards", "0005_column_defaults"),
        ("rewards", "0006_actors"),
    ]

    initial = True

    dependencies = [
        ("participants", "0001_squashed_0024_support_points_per_day"),
    ]

    operations = [
        migrations.CreateModel(
            name="Reward",
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
                (
                    "reward_type",
                    models.CharField(
                        choices=[
                            ("coupon", "Coupon"),
                            ("voucher", "Voucher"),
                            ("physical", "Physical"),
                            ("digital", "Digital"),
                            ("points_multiplier", "Points multiplier"),
                        ],
                        max_length=20,
                    ),
                ),
                ("points_cost", models.BigIntegerField(db_default=0, default=0)),
                ("max_claims_per_user", models.PositiveIntegerField(blank=True, default=1, null=True)),
                ("total_inventory", models.PositiveIntegerField(blank=True, null=True)),
                ("min_tier_level", models.PositiveIntegerField(blank=True, null=True)),
                ("starts_at", models.DateTimeField(blank=True, null=True)),
                ("expires_at", models.DateTimeField(blank=True, null=True)),
                ("image_url", models.CharField(blank=True, max_length=500, null=True)),
                ("code_pattern", models.CharField(blank=True, max_length=100, null=True)),
                (
                    "config",
                    participants.models.json.JSONField(blank=True, decoder=participants.models.json.Decoder, null=True),
                ),
                ("claimed", models.PositiveIntegerField(db_default=0, default=0, editable=False)),
                ("free_codes", models.PositiveIntegerField(db_default=0, default=0, editable=False)),
                ("has_codes", models.BooleanField(db_default=False, default=False, editable=False)),
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
            name="Claim",
            fields=[
                ("actor", models.CharField(editable=False, max_length=100, null=True)),
                ("actor_label", models.CharField(editable=False, max_length=255, null=True)),
                ("request_id", models.CharField(editable=False, max_length=128, null=True)),
                ("multiplier", models.DecimalField(decimal_places=4, max_digits=7, null=True)),
                ("active_from", models.DateTimeField(null=True)),
                ("active_until", models.DateTimeField(null=True)),
                (
                    "id",
                    models.UUIDField(
                        default=participants.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("reward_name", models.CharField(max_length=100)),
                (
                    "reward_type",
                    models.CharField(
                        choices=[
                            ("coupon", "Coupon"),
                            ("voucher", "Voucher"),
                            ("physical", "Physical"),
                            ("digital", "Digital"),
                            ("points_multiplier", "Points multiplier"),
                        ],
                        max_length=20,
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("pending", "Pending"),
                            ("claimed", "Claimed"),
                            ("fulfilled", "Fulfilled"),
                            ("cancelled", "Cancelled"),
                        ],
                        max_length=10,
                    ),
                ),
                ("code_value", models.CharField(max_length=255, null=True)),
                ("points_deducted", models.BigIntegerField(db_default=0, default=0)),
                ("entry_id", models.UUIDField(null=True)),
                ("refund_id", models.UUIDField(null=True)),
                ("source", participants.models.json.JSONField(decoder=participants.models.json.Decoder, null=True)),
                ("event_id", models.UUIDField(null=True)),
                ("reason", models.TextField(null=True)),
                ("claimed_at", models.DateTimeField()),
                ("closed_at", models.DateTimeField(null=True)),
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
                (
                    "reward",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="rewards.reward",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="RewardCode",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=participants.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("value", models.CharField(max_length=255)),
                ("claim_id", models.UUIDField(null=True)),
                ("created_at", models.DateTimeField()),
                (
                    "reward",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="rewards.reward",
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
                "permissions": [("reveal_rewardcode", "Can see what reward codes say")],
            },
        ),
        migrations.CreateModel(
            name="RewardTally",
            fields=[
                ("multiplier", models.DecimalField(decimal_places=4, max_digits=7, null=True)),
                ("active_from", models.DateTimeField(null=True)),
                ("active_until", models.DateTimeField(null=True)),
                (
                    "id",
                    models.UUIDField(
                        default=participants.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("claims", models.PositiveIntegerField()),
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
                    "reward",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="rewards.reward",
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
                "verbose_name_plural": "reward tallies",
            },
        ),
        migrations.AddConstraint(
            model_name="reward",
            constraint=models.UniqueConstraint(fields=("tenant", "code"), name="reward_code_unique"),
        ),
        migrations.AddConstraint(
            model_name="reward",
            constraint=models.CheckConstraint(
                condition=models.Q(("points_cost__gte", 0)), name="reward_cost_not_negative"
            ),
        ),
        migrations.AddConstraint(
            model_name="reward",
            constraint=models.CheckConstraint(
                condition=models.Q(("starts_at__lt", models.F("expires_at"))), name="reward_dates_ordered"
            ),
        ),
        migrations.AddIndex(
            model_name="claim",
            index=models.Index(fields=["tenant", "participant", "claimed_at", "id"], name="claim_history"),
        ),
        migrations.AddIndex(
            model_name="claim",
            index=models.Index(
                condition=models.Q(("status", "pending")), fields=["tenant", "reward", "id"], name="claim_pending"
            ),
        ),
        migrations.AddIndex(
            model_name="rewardcode",
            index=models.Index(
                condition=models.Q(("claim_id__isnull", True)),
                fields=["tenant", "reward", "id"],
                name="reward_code_free",
            ),
        ),
        migrations.AddConstraint(
            model_name="rewardcode",
            constraint=models.UniqueConstraint(fields=("tenant", "reward", "value"), name="reward_code_value_unique"),
        ),
        migrations.AddConstraint(
            model_name="rewardtally",
            constraint=models.UniqueConstraint(fields=("tenant", "participant", "reward"), name="reward_tally_unique"),
        ),
    ]
