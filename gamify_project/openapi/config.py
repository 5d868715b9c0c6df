"""The settings of drf-spectacular: title, tags, hooks, and names of enums. `gamify_project.settings` imports them."""

from typing import Any

TAGS = {
    "Events": "Report what your users do. Rules, badges, streaks, challenges and leaderboards react to it.",
    "Points": "Award and deduct points; read balances and their history.",
    "Tiers": "Levels that participants reach by points or that you assign; their definitions.",
    "Badges": "Award badges, list the badges of a participant, and define badges.",
    "Rules": "If an event matches conditions, grant something. Rules can be tried before they are activated.",
    "Leaderboards": "Rankings of participants in every period; their definitions.",
    "Streaks": "Runs of days, weeks or months with an activity; their definitions.",
    "Challenges": "Objectives that users reach by their events; enrolments and progress; their definitions.",
    "Rewards": "Rewards that users buy with points or that definitions grant: catalogue, claims and codes.",
    "Webhooks": "Domain events, delivered to your servers or read as a feed.",
    "Programme": "All definitions as one file, to export, compare and import.",
    "Exports": "Rows of your tenant as CSV and NDJSON files.",
    "Undo": "Take back what one key, import, user or definition wrote.",
    "Phoenix streaks": "The same streaks in the Phoenix dialect: admin gateway and query gateway.",
    "Participants": "Your users: profile, state and erasure.",
}
SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "Gamify",
    "VERSION": "0.1.0",
    "OAS_VERSION": "3.1.0",
    "DESCRIPTION": "Points, tiers, badges, streaks, challenges, leaderboards and rewards for the users of your application.",
    "SERVERS": [{"url": "/", "description": "This server"}],
    "TAGS": [{"name": name, "description": about} for name, about in TAGS.items()],
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "gamify_project.openapi.operations.document_errors",
        "gamify_project.openapi.webhooks.describe_webhooks",
    ],
    "ENUM_NAME_OVERRIDES": {
        "ActorKind": "participants.api.actors.KINDS",
        "CauseKind": "gamify_project.undo.services.CAUSE_KINDS",
        "ChallengeStatus": "gamify.challenges.api.serializers.STATUSES",
        "ClaimStatus": "rewards.models.ClaimStatus",
        "RewardType": "rewards.models.RewardType",
        "DeliveryStatus": "gamify.webhooks.models.DeliveryStatus",
        "CalendarPeriod": "streaks.definitions.config.CALENDAR_PERIODS",
        "LeaderboardMetric": "gamify.facts.services.metrics.board_metric_names",
        "LeaderboardPeriod": "gamify.leaderboards.models.WindowChoice.values",
        "EntryType": "gamify.points.models.EntryType",
        "Period": "streaks.engine.windows.PERIOD_NAMES",
        "StreakStatus": "streaks.api.phoenix.serializers.STATUSES",
        "TierAwardType": "gamify.tiers.models.AwardType",
        "UndoStatus": "gamify_project.undo.models.UndoStatus",
    },
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "PATH_CONVERTER_OVERRIDES": {"pid": str},
    "COMPONENT_SPLIT_PATCH": False,
    "SERVE_AUTHENTICATION": [],
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SWAGGER_UI_SETTINGS": {
        "deepLinking": True,
        "defaultModelsExpandDepth": 0,
        "validatorUrl": None,  # otherwise the page loads a badge from another host
    },
}
