"""The daily figures of points are the sums of the ledger, in the days of the tenant."""

from collections import Counter
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.db.models import Sum
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gamify.points.engine import BalanceLimit, InsufficientPoints
from gamify.points.models import LedgerEntry
from gamify.points.services import AlreadyReversed, Change, NotReversible, adjust, award, deduct, expire, reverse
from participants.models import Participant, Tenant
from participants.services.figures import compute_in_steps
from tests.factories import LedgerEntryFactory, ParticipantFactory, TenantFactory
from tests.figures import compute, figure, id_at

pytestmark = pytest.mark.django_db

ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "America/Asuncion", "Pacific/Apia")
BEGIN = datetime(2025, 10, 24, 10, tzinfo=UTC)  # Berlin turns its clocks back on the 26th
END = datetime(2025, 11, 4, tzinfo=UTC)  # New York on the 2nd of November
MIDNIGHTS = st.integers(0, 9).map(lambda days: timedelta(days=days, hours=12))
MOMENTS = st.one_of(st.integers(0, 14 * 24 * 60 - 1).map(lambda minutes: timedelta(minutes=minutes / 1.5)), MIDNIGHTS)
DEEDS = st.sampled_from(["award", "award", "expiring", "deduct", "adjust", "reverse", "expire"])
HISTORIES = st.lists(st.tuples(MOMENTS, DEEDS, st.integers(1, 10**15), st.integers(0, 2)), max_size=25)
REFUSALS = (InsufficientPoints, BalanceLimit, AlreadyReversed, NotReversible)


def do(tenant: Tenant, deed: str, amount: int, who: str, now: datetime) -> None:
    context = {"tenant": tenant, "now": now}
    newest = LedgerEntry.objects.filter(tenant=tenant).order_by("-pk").first()
    deeds = {
        "award": lambda: award(change=Change(who, amount), **context),
        "expiring": lambda: award(change=Change(who, amount, expires_at=now + timedelta(hours=30)), **context),
        "deduct": lambda: deduct(change=Change(who, amount % 1000 + 1), **context),
        "adjust": lambda: adjust(participant_id=who, delta=(amount % 2000 - 1000) or 1, reason="", **context),
        "reverse": lambda: newest and reverse(transaction_id=str(newest.pk), reason=None, **context),
        "expire": lambda: expire(**context),
    }
    deeds[deed]()


def sums_of_ledger(tenant: Tenant, days: list[date]) -> dict[str, dict[str, int]]:
    zone, sums, changes = ZoneInfo(tenant.timezone), Counter(), Counter()
    for entry in LedgerEntry.objects.filter(tenant=tenant):
        day = entry.created_at.astimezone(zone).date().isoformat()
        sums[entry.type, day] += entry.delta
        changes[day] += entry.delta
    flows = {
        "points.issued": (["award"], 1),
        "points.spent": (["deduct", "claim"], -1),
        "points.expired": (["expire"], -1),
        "points.corrected": (["refund", "adjust", "reversal"], 1),
    }
    names = [day.isoformat() for day in days]
    expected = {
        name: {day: sign * sum(sums[kind, day] for kind in kinds) for day in names}
        for name, (kinds, sign) in flows.items()
    }
    expected["points.outstanding"] = {day: sum(change for on, change in changes.items() if on <= day) for day in names}
    return {name: {day: value for day, value in values.items() if value} for name, values in expected.items()}


@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(HISTORIES, st.sampled_from(ZONES))
def test_figures_of_random_histories_are_sums_of_the_ledger(history, zone):
    tenant = TenantFactory(timezone=zone)
    for moment, deed, amount, person in sorted(history):
        with suppress(*REFUSALS):
            do(Tenant.objects.get(pk=tenant.pk), deed, amount, f"user_{person}", BEGIN + moment)

    compute(tenant, BEGIN.date() - timedelta(days=1), END)

    days = [BEGIN.date() + timedelta(days=number) for number in range(-1, 12)]
    found = {name: figure(tenant, name) for name in sums_of_ledger(tenant, days)}
    last = END.astimezone(ZoneInfo(zone)).date()
    assert found == sums_of_ledger(tenant, [day for day in days if day <= last])
    balance = Participant.objects.filter(tenant=tenant).aggregate(sum=Sum("balance"))["sum"] or 0
    assert found["points.outstanding"].get(last.isoformat(), 0) == balance


@pytest.mark.parametrize(
    ("at", "day"),
    [
        ("2025-10-25T21:59:59Z", "2025-10-25"),
        ("2025-10-25T22:00:00Z", "2025-10-26"),
        ("2025-10-26T22:59:59Z", "2025-10-26"),
        ("2025-10-26T23:00:00Z", "2025-10-27"),
    ],
)
def test_the_day_on_which_clocks_are_turned_back_has_25_hours(at, day):
    tenant = TenantFactory(timezone="Europe/Berlin")
    award(tenant=tenant, change=Change("ada", 5), now=datetime.fromisoformat(at))

    compute(tenant, date(2025, 10, 24), END)

    assert figure(tenant, "points.issued") == {day: 5}


def test_a_reversal_is_a_correction_of_its_own_day():
    tenant = TenantFactory()
    entry_id = award(tenant=tenant, change=Change("ada", 5), now=BEGIN).transaction_id
    reverse(tenant=tenant, transaction_id=str(entry_id), reason=None, now=BEGIN + timedelta(days=2))

    compute(tenant, BEGIN.date(), END)

    assert figure(tenant, "points.issued") == {"2025-10-24": 5}
    assert figure(tenant, "points.corrected") == {"2025-10-26": -5}
    assert figure(tenant, "points.outstanding") == {"2025-10-24": 5, "2025-10-25": 5}


@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite adds in 64 bits, and refuses what is larger")
def test_sums_beyond_64_bits_are_exact():
    tenant, most = TenantFactory(), 2**62
    for _ in range(3):
        LedgerEntryFactory(participant__tenant=tenant, delta=most, created_at=BEGIN)

    compute(tenant, BEGIN.date(), BEGIN)

    assert figure(tenant, "points.issued") == {"2025-10-24": 3 * most}


def test_the_sweep_counts_an_entry_on_its_day_and_not_one_of_another_tenant():
    now = datetime(2025, 10, 29, 10, tzinfo=UTC)
    tenant = TenantFactory()
    Tenant.objects.filter(pk=tenant.pk).update(created_at=BEGIN)
    LedgerEntryFactory(participant__tenant=tenant, id=id_at(BEGIN), delta=7, created_at=BEGIN)
    LedgerEntryFactory(participant=ParticipantFactory(), id=id_at(BEGIN), delta=9, created_at=BEGIN)

    steps = list(compute_in_steps(tenant=Tenant.objects.get(pk=tenant.pk), now=now))

    assert sum(steps) == 6
    assert figure(tenant, "points.issued") == {"2025-10-24": 7}
