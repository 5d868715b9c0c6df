"""Two requests for one name, or one code, at the same moment: real threads, real connections."""

from functools import partial

import pytest

from participants.services.definitions import CodeConflict
from participants.services.tenants import create_tenant
from streaks.models import Streak
from streaks.services import StreakNameConflict, create_named_streak, create_streak, update_named_streak
from tests.streaks.phoenix.conftest import NOW
from tests.threads import all_at_once

EVENTS = {"event_types": ["login"]}

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def tenant():
    return create_tenant(slug="acme", name="Acme", now=NOW)


def named(tenant, name):
    return partial(create_named_streak, tenant=tenant, data={"name": name, **EVENTS}, now=NOW)


def test_one_of_eight_parallel_creations_with_one_name_succeeds(tenant):
    found = all_at_once([named(tenant, "Daily")] * 8)

    assert sorted(type(each).__name__ for each in found) == ["Streak"] + ["StreakNameConflict"] * 7
    assert Streak.objects.count() == 1


def test_one_of_eight_parallel_renames_to_one_name_succeeds(tenant):
    rows = [named(tenant, f"Streak {number}")() for number in range(8)]

    found = all_at_once(
        [partial(update_named_streak, row, tenant=tenant, changes={"name": "Daily"}, now=NOW) for row in rows]
    )

    assert sum(isinstance(each, StreakNameConflict) for each in found) == 7
    assert Streak.objects.filter(name="Daily").count() == 1


def test_codes_made_from_names_never_collide_with_chosen_codes(tenant):
    chosen = partial(create_streak, tenant=tenant, data={"code": "daily-login", "name": "Chosen", **EVENTS}, now=NOW)

    for number in range(5):
        found = all_at_once([chosen, *(named(tenant, f"Daily {mark} Login") for mark in "-_" * (number + 1))])

        assert all(isinstance(each, Streak | CodeConflict | StreakNameConflict) for each in found), found
        assert all(isinstance(each, Streak | StreakNameConflict) for each in found[1:]), found
        Streak.objects.all().delete()
