"""The definitions of the tenant `demo`: badges, tiers, streaks of all kinds, a challenge and leaderboards."""

from typing import Any

from gamify.badges.models import Badge, Rarity
from gamify.challenges.models import Challenge
from gamify.leaderboards.models import Leaderboard
from gamify.tiers.models import Tier
from gamify_project.blueprints import Blueprint
from streaks.engine.windows import Period
from streaks.models import Streak

BADGES = (
    Blueprint(Badge, "first_steps", "First Steps", {"description": "Did a first thing", "display_order": 1}),
    Blueprint(
        Badge,
        "regular",
        "Regular",
        {"description": "Was there 25 times", "rarity": Rarity.UNCOMMON, "category": "loyalty", "display_order": 2},
    ),
    Blueprint(
        Badge,
        "scholar",
        "Scholar",
        {"description": "Completed 10 lessons", "rarity": Rarity.RARE, "category": "learning", "display_order": 3},
    ),
    Blueprint(
        Badge,
        "big_spender",
        "Big Spender",
        {"description": "Made 6 purchases", "rarity": Rarity.RARE, "category": "shop", "display_order": 4},
    ),
    Blueprint(
        Badge,
        "ambassador",
        "Ambassador",
        {"description": "Invited 3 friends", "rarity": Rarity.EPIC, "category": "community", "display_order": 5},
    ),
    Blueprint(
        Badge,
        "legend",
        "Legend",
        {"description": "Was there 70 times", "rarity": Rarity.LEGENDARY, "category": "loyalty", "display_order": 6},
    ),
    Blueprint(
        Badge,
        "all_rounder",
        "All-Rounder",
        {"description": "Completed the grand tour", "rarity": Rarity.EPIC, "category": "community", "display_order": 7},
    ),
)

TIERS = (
    Blueprint(Tier, "bronze", "Bronze", {"level": 1, "color": "#CD7F32", "criteria_config": {"min_points": 0}}),
    Blueprint(
        Tier,
        "silver",
        "Silver",
        {
            "level": 2,
            "color": "#C0C0C0",
            "criteria_config": {"min_points": 500, "basis": "lifetime"},
            "benefits": ["free_shipping"],
        },
    ),
    Blueprint(
        Tier,
        "gold",
        "Gold",
        {
            "level": 3,
            "color": "#FFD700",
            "criteria_config": {"min_points": 1500, "basis": "lifetime"},
            "benefits": ["free_shipping", "priority_support"],
        },
    ),
    Blueprint(
        Tier,
        "platinum",
        "Platinum",
        {
            "level": 4,
            "color": "#E5E4E2",
            "criteria_config": {"min_points": 3000, "basis": "lifetime"},
            "benefits": ["free_shipping", "priority_support", "early_access"],
        },
    ),
    Blueprint(Tier, "founder", "Founder", {"level": 5, "color": "#7C3AED", "award_type": "manual"}),
)

STREAKS = (
    Blueprint(Streak, "daily_login", "Daily Login", {"event_types": ["*"], "grace_periods": 1, "color": "#0891B2"}),
    Blueprint(Streak, "daily_lesson", "Daily Lesson", {"event_types": ["lesson_completed"], "color": "#16A34A"}),
    Blueprint(
        Streak,
        "weekly_lesson",
        "A Lesson a Week",
        {"event_types": ["lesson_completed"], "period": Period.WEEKLY.value, "grace_periods": 1},
    ),
    Blueprint(
        Streak,
        "monthly_purchase",
        "A Purchase a Month",
        {"event_types": ["purchase_completed"], "period": Period.MONTHLY.value},
    ),
    Blueprint(
        Streak,
        "invitations",
        "Days with an Invitation",
        {"event_types": ["friend_invited"], "reset_on_miss": False, "description": "Never reset"},
    ),
)


def _objective(code: str, label: str, event: str, minimum: int, *prerequisites: str) -> dict[str, Any]:
    return {
        "code": code,
        "label": label,
        "event_types": [event],
        "expression": None,
        "condition": {"type": "count", "min": minimum},
        "prerequisites": list(prerequisites),
    }


CHALLENGES = (
    Blueprint(
        Challenge,
        "grand_tour",
        "Grand Tour",
        {
            "description": "Learn, then buy, then bring a friend",
            "objectives": [
                _objective("learn", "Complete three lessons", "lesson_completed", 3),
                _objective("buy", "Make a purchase", "purchase_completed", 1, "learn"),
                _objective("invite", "Invite a friend", "friend_invited", 1, "learn"),
            ],
            "completion_grants": [{"type": "badge", "code": "all_rounder"}],
        },
    ),
)

LEADERBOARDS = (
    Blueprint(
        Leaderboard, "top_scorers", "Top Scorers", {"description": "Points earned this month", "time_window": "monthly"}
    ),
    Blueprint(
        Leaderboard,
        "scholars",
        "Scholars",
        {"metric": "event_count", "selector": {"event_name": "lesson_completed"}},
    ),
)

ALL = (*BADGES, *TIERS, *STREAKS, *CHALLENGES, *LEADERBOARDS)
