import pytest

from tests.factories import TierFactory


@pytest.fixture
def ladder(tenant):
    """Bronze from 0 points; silver, gold and platinum by points; and one manual tier."""
    steps = [
        ("bronze", 1, 0, "#CD7F32"),
        ("silver", 2, 500, None),
        ("gold", 3, 1000, "#FFD700"),
        ("platinum", 4, 10_000, None),
    ]
    for code, level, min_points, color in steps:
        TierFactory(tenant=tenant, code=code, level=level, color=color, criteria_config={"min_points": min_points})
    TierFactory(tenant=tenant, code="ambassador", level=5, award_type="manual", criteria_config={})
