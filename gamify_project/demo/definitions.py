"""The definitions of the tenant `demo`: badges, tiers, streaks of all kinds, a challenge, leaderboards, rules, rewards and a boost."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from gamify.badges.models import Badge, Rarity
from gamify.challenges.models import Challenge
from gamify.leaderboards.models import Leaderboard
from gamify.points.models import Boost
from gamify.rules.models import Rule
from gamify.tiers.models import Tier
from gamify_project.blueprints import Blueprint
from gamify_project.demo import cast
from rewards.models import Reward, RewardType
from streaks.engine.windows import Period
from streaks.models import Streak

# Code, name, description, rarity, category.
_BADGES = (
    ("first_steps", "First Steps", "Did a first thing", Rarity.COMMON, None),
    ("regular", "Regular", "Was there 25 times", Rarity.UNCOMMON, "loyalty"),
    ("scholar", "Scholar", "Completed 10 lessons", Rarity.RARE, "learning"),
    ("big_spender", "Big Spender", "Made 6 purchases", Rarity.RARE, "shop"),
    ("ambassador", "Ambassador", "Invited 3 friends", Rarity.EPIC, "community"),
    ("legend", "Legend", "Was there 70 times", Rarity.LEGENDARY, "loyalty"),
    ("all_rounder", "All-Rounder", "Completed the grand tour", Rarity.EPIC, "community"),
)
BADGES = tuple(
    Blueprint(
        Badge, code, name, {"description": about, "rarity": rarity, "category": category, "display_order": number}
    )
    for number, (code, name, about, rarity, category) in enumerate(_BADGES, start=1)
)

# Code, name, color, points, benefits.
_TIERS: tuple[tuple[str, str, str, int, list[str]], ...] = (
    ("bronze", "Bronze", "#CD7F32", 0, []),
    ("silver", "Silver", "#C0C0C0", 500, ["free_shipping"]),
    ("gold", "Gold", "#FFD700", 1500, ["free_shipping", "priority_support"]),
    ("platinum", "Platinum", "#E5E4E2", 3000, ["free_shipping", "priority_support", "early_access"]),
)
TIERS = (
    *(
        Blueprint(
            Tier,
            code,
            name,
            {
                "level": level,
                "color": color,
                "criteria_config": {"min_points": points, "basis": "lifetime"},
                "benefits": benefits,
            },
        )
        for level, (code, name, color, points, benefits) in enumerate(_TIERS, start=1)
    ),
    Blueprint(Tier, "founder", "Founder", {"level": 5, "color": "#7C3AED", "award_type": "manual"}),
)

STREAKS = (
    Blueprint(
        Streak,
        "daily_login",
        "Daily Login",
        {"event_types": ["*"], "grace_periods": 1, "color": "#0891B2", "at_risk_seconds": 86_400},
    ),
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

RULES = (
    Blueprint(
        Rule,
        "purchase_bonus",
        "Purchase Bonus",
        {
            "description": "Extra points for a purchase",
            "event_types": ["purchase_completed"],
            "grants": [{"type": "points", "amount": 15}],
        },
    ),
    Blueprint(
        Rule,
        "win_back",
        "Win Back",
        {
            "description": "No application reports this event, which the overview shows",
            "event_types": ["subscription_renewed"],
            "grants": [{"type": "points", "amount": 100}],
        },
    ),
)

COFFEE, MUG = "coffee", "mug"
REWARDS = (
    Blueprint(
        Reward,
        COFFEE,
        "Coffee",
        {"reward_type": RewardType.COUPON, "points_cost": cast.COFFEE, "max_claims_per_user": None, "display_order": 1},
    ),
    Blueprint(
        Reward,
        MUG,
        "Mug",
        {"reward_type": RewardType.PHYSICAL, "points_cost": cast.MUG, "total_inventory": 40, "display_order": 2},
    ),
    Blueprint(
        Reward,
        "double_day",
        "Double Day",
        {
            "reward_type": RewardType.POINTS_MULTIPLIER,
            "points_cost": 200,
            "config": {"multiplier": 2, "duration_hours": 24},
            "display_order": 3,
        },
    ),
)
COFFEE_CODES = [f"COFFEE-{number:04}" for number in range(300)]

ALL = (*BADGES, *TIERS, *STREAKS, *CHALLENGES, *LEADERBOARDS, *RULES, *REWARDS)


def boosts(*, created_at: datetime) -> Sequence[Blueprint]:
    """Return a boost that begins a week after the creation of the tenant, so it does not change the points of its history."""
    begin = created_at.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=7)
    dates = {"starts_at": begin, "ends_at": begin + timedelta(days=2)}
    return (Blueprint(Boost, "double_weekend", "Double Weekend", {"multiplier": Decimal(2), **dates}),)
