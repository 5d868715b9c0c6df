import django.core.validators
import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import participants.ids
import participants.models.figures
import participants.models.json
import participants.models.tenants


class Migration(migrations.Migration):
    replaces = [
        ("participants", "0001_initial"),
        ("participants", "0002_hmac_secret"),
        ("participants", "0003_participant_past_zones"),
        ("participants", "0004_file_import"),
        ("participants", "0005_participant_badge_count"),
        ("participants", "0006_participant_challenges_completed"),
        ("participants", "0007_participant_rewards_claimed"),
        ("participants", "0008_participant_next_expiry_at"),
        ("participants", "0009_audit_run"),
        ("participants", "0010_visible"),
        ("participants", "0011_feed_position"),
        ("participants", "0012_column_defaults"),
        ("participants", "0013_second_factor_required"),
        ("participants", "0014_actors"),
        ("participants", "0015_configuration_change"),
        ("participants", "0016_actor_index"),
        ("participants", "0017_who_may_export_participants"),
        ("participants", "0018_newest_index"),
        ("participants", "0019_removals"),
        ("participants", "0020_figures"),
        ("participants", "0021_point_value"),
        ("participants", "0022_point_value_valid"),
        ("participants", "0023_membership"),
        ("participants", "0024_support_points_per_day"),
    ]

    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Tenant",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=participants.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("slug", models.CharField(max_length=64)),
                (
                    "environment",
                    models.CharField(
                        choices=[("live", "Live"), ("sandbox", "Sandbox")],
                        db_default="live",
                        default="live",
                        max_length=8,
                    ),
                ),
                ("name", models.CharField(max_length=255)),
                (
                    "timezone",
                    models.CharField(
                        db_default="UTC", default="UTC", help_text="IANA name, such as Europe/Berlin.", max_length=64
                    ),
                ),
                ("is_active", models.BooleanField(db_default=True, default=True)),
                ("catalog_version", models.PositiveBigIntegerField(db_default=1, default=1, editable=False)),
                (
                    "participant_writes_per_minute",
                    models.PositiveIntegerField(
                        db_default=300,
                        default=participants.models.tenants.default_participant_writes,
                        help_text="Writes one participant may cause per minute; 0 switches the cap off.",
                        validators=[django.core.validators.MinValueValidator(0)],
                    ),
                ),
                (
                    "key_requests_per_minute",
                    models.PositiveIntegerField(
                        db_default=60000,
                        default=participants.models.tenants.default_key_requests,
                        help_text="Requests one API key may make per minute; 0 switches the cap off.",
                        validators=[django.core.validators.MinValueValidator(0)],
                    ),
                ),
                (
                    "requires_second_factor",
                    models.BooleanField(
                        db_default=False,
                        default=False,
                        help_text="All who can open this tenant must set up a second factor before they can use the console.",
                    ),
                ),
                (
                    "support_points_per_day",
                    models.PositiveBigIntegerField(
                        db_default=1000,
                        default=1000,
                        help_text="Points by which one person with the role support may adjust balances per day (UTC), up and down together; 0: none.",
                    ),
                ),
                (
                    "point_value",
                    models.DecimalField(
                        blank=True,
                        decimal_places=6,
                        help_text="What a point costs you, such as 0.01. The overview then also shows points in money.",
                        max_digits=12,
                        null=True,
                        verbose_name="value of a point",
                    ),
                ),
                (
                    "point_currency",
                    models.CharField(
                        blank=True,
                        help_text="Three letters (ISO 4217), such as EUR.",
                        max_length=3,
                        null=True,
                        verbose_name="currency",
                    ),
                ),
                ("created_at", models.DateTimeField()),
                ("updated_at", models.DateTimeField()),
                (
                    "live",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="sandbox",
                        to="participants.tenant",
                    ),
                ),
            ],
            options={
                "ordering": ["slug", "environment"],
            },
        ),
        migrations.CreateModel(
            name="Removal",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=participants.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("at", models.DateTimeField()),
                ("table", models.CharField(max_length=63)),
                (
                    "action",
                    models.CharField(
                        choices=[("erase", "Erase"), ("anonymize", "Anonymize"), ("prune", "Prune")], max_length=10
                    ),
                ),
                ("participant_id", models.UUIDField(null=True)),
                ("rows", models.PositiveBigIntegerField()),
                ("role", models.CharField(db_default="", default="", max_length=63)),
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
            name="Participant",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=participants.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("external_id", models.CharField(max_length=255, verbose_name="participant id")),
                ("display_name", models.CharField(blank=True, max_length=255, null=True)),
                ("avatar_url", models.CharField(blank=True, max_length=500, null=True)),
                (
                    "attributes",
                    participants.models.json.JSONField(
                        blank=True, db_default={}, decoder=participants.models.json.Decoder, default=dict
                    ),
                ),
                ("timezone", models.CharField(blank=True, max_length=64, null=True)),
                ("past_zones", models.JSONField(blank=True, db_default=[], default=list, editable=False)),
                ("is_active", models.BooleanField(db_default=True, default=True)),
                (
                    "visible",
                    models.BooleanField(
                        db_default=True,
                        default=True,
                        help_text="Off: on no leaderboard, now and in the past.",
                        verbose_name="shown on leaderboards",
                    ),
                ),
                ("balance", models.BigIntegerField(db_default=0, default=0)),
                ("total_earned", models.BigIntegerField(db_default=0, default=0)),
                ("total_spent", models.BigIntegerField(db_default=0, default=0)),
                ("total_expired", models.BigIntegerField(db_default=0, default=0)),
                ("ledger_count", models.BigIntegerField(db_default=0, default=0)),
                ("total_events", models.BigIntegerField(db_default=0, default=0)),
                ("tier_code", models.CharField(blank=True, max_length=50, null=True)),
                ("tier_is_manual", models.BooleanField(db_default=False, default=False)),
                ("tier_count", models.BigIntegerField(db_default=0, default=0)),
                ("badge_count", models.PositiveIntegerField(db_default=0, default=0)),
                ("challenges_completed", models.BigIntegerField(db_default=0, default=0)),
                ("rewards_claimed", models.PositiveIntegerField(db_default=0, default=0)),
                ("next_expiry_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("first_seen_at", models.DateTimeField()),
                ("last_seen_at", models.DateTimeField()),
                ("anonymized_at", models.DateTimeField(blank=True, null=True)),
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
                "permissions": [("export_participant", "Can export all data of a participant")],
            },
        ),
        migrations.CreateModel(
            name="Membership",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=participants.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("role", models.CharField(max_length=20)),
                ("created_at", models.DateTimeField(editable=False, verbose_name="since")),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="memberships",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="memberships",
                        to="participants.tenant",
                    ),
                ),
            ],
            options={
                "verbose_name": "member",
                "ordering": ["user__username"],
            },
        ),
        migrations.CreateModel(
            name="IdempotencyKey",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=participants.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("operation", models.CharField(max_length=40)),
                ("subject", models.UUIDField()),
                ("key", models.CharField(max_length=255)),
                ("digest", models.CharField(max_length=64)),
                ("answer", participants.models.json.JSONField(decoder=participants.models.json.Decoder)),
                ("created_at", models.DateTimeField()),
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
            name="HmacSecret",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=participants.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("name", models.CharField(blank=True, db_default="", default="", max_length=100)),
                ("ciphertext", models.TextField(editable=False)),
                ("revoked_at", models.DateTimeField(blank=True, null=True)),
                ("last_used_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("created_at", models.DateTimeField()),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="hmac_secrets",
                        to="participants.tenant",
                    ),
                ),
            ],
            options={
                "verbose_name": "partner secret",
                "ordering": ["-created_at"],
            },
        ),
        migrations.CreateModel(
            name="FileImport",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=participants.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("command", models.CharField(max_length=40)),
                ("digest", models.CharField(max_length=64)),
                ("line", models.PositiveBigIntegerField(db_default=0, default=0)),
                ("offset", models.PositiveBigIntegerField(db_default=0, default=0)),
                ("bad", models.PositiveBigIntegerField(db_default=0, default=0)),
                ("created_at", models.DateTimeField()),
                ("updated_at", models.DateTimeField()),
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
            name="FigureRun",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=participants.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("computed_at", models.DateTimeField(null=True)),
                ("final_through", models.DateField(null=True)),
                ("due_at", models.DateTimeField(null=True)),
                (
                    "tenant",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="figure_run", to="participants.tenant"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="DomainEvent",
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
                ("participant_id", models.UUIDField(null=True)),
                ("type", models.CharField(max_length=60)),
                ("data", participants.models.json.JSONField(decoder=participants.models.json.Decoder)),
                ("occurred_at", models.DateTimeField()),
                (
                    "written_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False),
                ),
                ("position", models.BigIntegerField(editable=False, null=True)),
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
            name="DailyFigure",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=participants.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("day", models.DateField()),
                ("figure", models.CharField(max_length=60)),
                ("dimension", models.CharField(db_default="", default="", max_length=100)),
                ("value", participants.models.figures.WholeNumberField()),
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
            name="ConfigurationChange",
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
                ("object_type", models.CharField(max_length=40)),
                ("object_id", models.CharField(max_length=40)),
                ("code", models.CharField(max_length=255)),
                ("number", models.PositiveIntegerField(null=True)),
                ("changes", models.JSONField()),
                ("reason", models.TextField(null=True)),
                ("created_at", models.DateTimeField(verbose_name="changed at")),
                (
                    "tenant",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="participants.tenant",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="AuditRun",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=participants.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("began_at", models.DateTimeField()),
                ("audited_at", models.DateTimeField(null=True)),
                ("rows", models.PositiveBigIntegerField(db_default=0, default=0)),
                ("drifts", models.PositiveBigIntegerField(db_default=0, default=0)),
                (
                    "tenant",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="audit_run", to="participants.tenant"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="ApiKey",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=participants.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("name", models.CharField(blank=True, db_default="", default="", max_length=100)),
                ("prefix", models.CharField(max_length=20)),
                ("digest", models.CharField(editable=False, max_length=64)),
                ("scopes", models.JSONField(blank=True, db_default=[], default=list)),
                ("expires_at", models.DateTimeField(blank=True, null=True)),
                ("revoked_at", models.DateTimeField(blank=True, null=True)),
                ("last_used_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("created_at", models.DateTimeField()),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="api_keys", to="participants.tenant"
                    ),
                ),
            ],
            options={
                "verbose_name": "API key",
                "ordering": ["-created_at"],
            },
        ),
        migrations.AddConstraint(
            model_name="tenant",
            constraint=models.UniqueConstraint(fields=("slug", "environment"), name="tenant_slug_unique"),
        ),
        migrations.AddConstraint(
            model_name="tenant",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("environment", "live"), ("live__isnull", True)),
                    models.Q(("environment", "sandbox"), ("live__isnull", False)),
                    _connector="OR",
                ),
                name="tenant_sandbox_has_live",
            ),
        ),
        migrations.AddConstraint(
            model_name="tenant",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("point_currency__isnull", True), ("point_value__isnull", True)),
                    models.Q(("point_currency__isnull", False), ("point_value__gt", 0)),
                    _connector="OR",
                ),
                name="tenant_point_value_has_currency",
            ),
        ),
        migrations.AddIndex(
            model_name="removal",
            index=models.Index(fields=["tenant", "at"], name="removal_of_tenant"),
        ),
        migrations.AddConstraint(
            model_name="participant",
            constraint=models.UniqueConstraint(fields=("tenant", "external_id"), name="participant_external_id_unique"),
        ),
        migrations.AddConstraint(
            model_name="participant",
            constraint=models.CheckConstraint(
                condition=models.Q(("balance__gte", 0)), name="participant_balance_not_negative"
            ),
        ),
        migrations.AddConstraint(
            model_name="participant",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "balance",
                        django.db.models.expressions.CombinedExpression(
                            django.db.models.expressions.CombinedExpression(
                                models.F("total_earned"), "-", models.F("total_spent")
                            ),
                            "-",
                            models.F("total_expired"),
                        ),
                    )
                ),
                name="participant_totals_agree",
            ),
        ),
        migrations.AddConstraint(
            model_name="membership",
            constraint=models.UniqueConstraint(fields=("tenant", "user"), name="membership_unique"),
        ),
        migrations.AddConstraint(
            model_name="idempotencykey",
            constraint=models.UniqueConstraint(
                fields=("tenant", "subject", "operation", "key"), name="idempotency_key_unique"
            ),
        ),
        migrations.AddConstraint(
            model_name="fileimport",
            constraint=models.UniqueConstraint(fields=("tenant", "command", "digest"), name="file_import_unique"),
        ),
        migrations.AddIndex(
            model_name="domainevent",
            index=models.Index(fields=["tenant", "participant_id", "id"], name="domain_event_participant"),
        ),
        migrations.AddIndex(
            model_name="domainevent",
            index=models.Index(fields=["tenant", "actor", "id"], name="domain_event_actor"),
        ),
        migrations.AddIndex(
            model_name="domainevent",
            index=models.Index(fields=["tenant", "id"], name="domain_event_newest"),
        ),
        migrations.AddIndex(
            model_name="domainevent",
            index=models.Index(
                condition=models.Q(("position", None)), fields=["tenant", "written_at"], name="domain_event_unplaced"
            ),
        ),
        migrations.AddConstraint(
            model_name="domainevent",
            constraint=models.UniqueConstraint(
                condition=models.Q(("position", None), _negated=True),
                fields=("tenant", "position"),
                name="domain_event_position_unique",
            ),
        ),
        migrations.AddConstraint(
            model_name="dailyfigure",
            constraint=models.UniqueConstraint(
                fields=("tenant", "day", "figure", "dimension"), name="daily_figure_unique"
            ),
        ),
        migrations.AddIndex(
            model_name="configurationchange",
            index=models.Index(fields=["tenant", "id"], name="configuration_change_newest"),
        ),
        migrations.AddIndex(
            model_name="configurationchange",
            index=models.Index(fields=["tenant", "object_type", "object_id", "id"], name="configuration_change_object"),
        ),
        migrations.AddConstraint(
            model_name="configurationchange",
            constraint=models.UniqueConstraint(
                condition=models.Q(("number__isnull", False)),
                fields=("tenant", "object_type", "object_id", "number"),
                name="configuration_change_number_unique",
            ),
        ),
        migrations.AddIndex(
            model_name="apikey",
            index=models.Index(fields=["tenant", "prefix"], name="api_key_prefix"),
        ),
        migrations.AddConstraint(
            model_name="apikey",
            constraint=models.UniqueConstraint(fields=("digest",), name="api_key_digest_unique"),
        ),
        migrations.AddConstraint(
            model_name="apikey",
            constraint=models.CheckConstraint(
                condition=models.Q(("expires_at", None), ("expires_at__gt", models.F("created_at")), _connector="OR"),
                name="api_key_expires_later",
            ),
        ),
    ]
