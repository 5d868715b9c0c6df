"""Appearance and sidebar of the console (settings.UNFOLD)."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse, reverse_lazy


def _page(title: str, icon: str, route: str, permission: str) -> dict[str, Any]:
    may_see = {"permission": lambda request: request.user.has_perm(permission)}
    return {"title": title, "icon": icon, "link": reverse_lazy(f"admin:{route}"), **may_see}


def _is_at(route: str, *, except_for: str) -> Callable[[HttpRequest], bool]:
    """Return a function: whether the page is below `route`, except for the page `except_for`, which has its own entry."""
    return lambda request: (
        request.path.startswith(reverse(f"admin:{route}")) and request.path != reverse(f"admin:{except_for}")
    )


def _group(title: str, *items: dict[str, Any]) -> dict[str, Any]:
    return {"title": title, "items": list(items)}


NAVIGATION = [
    _group(
        "Tenants & keys",
        _page("Tenants", "domain", "participants_tenant_changelist", "participants.view_tenant"),
        _page("API keys", "key", "participants_apikey_changelist", "participants.view_apikey"),
        _page("Partner secrets", "signature", "participants_hmacsecret_changelist", "participants.view_hmacsecret"),
        _page("Members", "group_add", "participants_membership_changelist", "participants.view_membership"),
    ),
    _group(
        "Participants",
        _page("Participants", "group", "participants_participant_changelist", "participants.view_participant"),
        _page("Events", "bolt", "facts_event_changelist", "facts.view_event"),
    ),
    _group(
        "Achievements",
        _page("Badges", "workspace_premium", "badges_badge_changelist", "badges.view_badge"),
        _page("Tiers", "military_tech", "tiers_tier_changelist", "tiers.view_tier")
        | {"active": _is_at("tiers_tier_changelist", except_for="tiers_tier_ladder")},
        _page("Tier ladder", "stairs", "tiers_tier_ladder", "tiers.view_tier"),
        _page("Streaks", "local_fire_department", "streaks_streak_changelist", "streaks.view_streak"),
        _page("Streaks at risk", "warning", "streaks_participantstreak_changelist", "streaks.view_participantstreak"),
        _page("Challenges", "flag", "challenges_challenge_changelist", "challenges.view_challenge"),
        _page("Leaderboards", "leaderboard", "leaderboards_leaderboard_changelist", "leaderboards.view_leaderboard"),
        _page("Amnesties", "umbrella", "streaks_amnesty_changelist", "streaks.view_amnesty"),
    ),
    _group(
        "Rules",
        _page("Rules", "rule", "rules_rule_changelist", "rules.view_rule")
        | {"active": _is_at("rules_rule_changelist", except_for="rules_rule_try")},
        _page("Try an event", "experiment", "rules_rule_try", "rules.view_rule"),
    ),
    _group(
        "Programme",
        _page("Export and import", "move_up", "programme", "programme.view_previousprogramme"),
    ),
    _group(
        "Rewards",
        _page("Rewards", "redeem", "rewards_reward_changelist", "rewards.view_reward"),
        _page("Codes", "confirmation_number", "rewards_rewardcode_changelist", "rewards.view_rewardcode"),
        _page("Claims", "shopping_bag", "rewards_claim_changelist", "rewards.view_claim"),
    ),
    _group(
        "Webhooks",
        _page("Webhooks", "webhook", "webhooks_endpoint_changelist", "webhooks.view_endpoint"),
        _page("Deliveries", "local_shipping", "webhooks_delivery_changelist", "webhooks.view_delivery"),
    ),
    _group(
        "Points",
        _page("Ledger", "receipt_long", "points_ledgerentry_changelist", "points.view_ledgerentry"),
        _page("Boosts", "rocket_launch", "points_boost_changelist", "points.view_boost"),
    ),
    _group(
        "Who did what",
        _page("Activity", "manage_search", "activity", "participants.view_domainevent"),
        _page(
            "Changes",
            "difference",
            "participants_configurationchange_changelist",
            "participants.view_configurationchange",
        ),
        _page("Exports", "download", "exports_export_changelist", "exports.view_export"),
        _page("Undo", "undo", "undo", "undo.add_undo"),
    ),
    _group(
        "Operations",
        _page("Periodic tasks", "update", "periodic_tasks", "gamify_project.view_periodicrun"),
    ),
    _group(
        "Staff",
        _page("Staff users", "badge", "auth_user_changelist", "auth.view_user"),
        _page("Failed logins", "lock", "axes_accessattempt_changelist", "axes.view_accessattempt"),
        _page("Audit trail", "history", "admin_logentry_changelist", "admin.view_logentry"),
    ),
]

UNFOLD = {
    "SITE_TITLE": "Gamify",
    "SITE_HEADER": "Gamify",
    "SITE_SYMBOL": "military_tech",
    "SITE_URL": None,
    "SHOW_BACK_BUTTON": True,
    "SHOW_VIEW_ON_SITE": False,
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("gamify_project/favicon.svg")}
    ],
    "ACCOUNT": {"navigation": [{"title": "Your account", "link": reverse_lazy("admin:account")}]},
    "STYLES": [lambda request: static("gamify_project/console.css")],
    "SCRIPTS": [
        lambda request: static("gamify_project/console.js"),
        lambda request: static("gamify_project/lost_input.js"),
    ],
    "SIDEBAR": {"show_search": False, "show_all_applications": False, "navigation": NAVIGATION},
}
