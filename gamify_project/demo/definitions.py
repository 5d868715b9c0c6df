"""What the tenant `demo` has defined: badges, tiers, and streaks of all kinds."""

from gamify.badges.models import Badge, Rarity
from gamify.tiers.models import Tier
from gamify_project.blueprints import Blueprint
from streaks.models import PeriodChoice, Streak

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
        {"event_types": ["lesson_completed"], "period": PeriodChoice.WEEKLY, "grace_periods": 1},
    ),
    Blueprint(
        Streak,
        "monthly_purchase",
        "A Purchase a Month",
        {"event_types": ["purchase_completed"], "period": PeriodChoice.MONTHLY},
    ),
    Blueprint(
        Streak,
        "invitations",
        "Days with an Invitation",
        {"event_types": ["friend_invited"], "reset_on_miss": False, "description": "Never reset"},
    ),
)

ALL = (*BADGES, *TIERS, *STREAKS)
