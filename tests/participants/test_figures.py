"""Daily figures: which days are computed, when they are final, and what two workers do."""

from datetime import UTC, date, datetime, timedelta
from random import Random

import pytest
from django.core.management import call_command
from django.urls import reverse
from django.utils import timezone

from gamify.points.models import LedgerEntry
from participants.figures import (
    DAY,
    DaySpan,
    Figure,
    FigureSource,
    Measurement,
    Section,
    figure_sources,
    figures,
    today_of,
)
from participants.models import DailyFigure, FigureRun, Tenant
from participants.registries import Registry
from participants.services import figures as services
from participants.services.figures import compute_in_steps, rebuild, record_present, tenants_with_due_figures
from participants.tasks import compute_figures
from tests.factories import EventFactory, LedgerEntryFactory, ParticipantFactory, TenantFactory
from tests.figures import compute, domain_event, figure, first_seen, id_at, parts
from tests.threads import all_at_once

pytestmark = pytest.mark.django_db
NOW = datetime(2025, 10, 29, 10, tzinfo=UTC)
CREATED = NOW - 5 * DAY


@pytest.fixture
def tenant(db):
    tenant = TenantFactory(slug="acme")
    Tenant.objects.filter(pk=tenant.pk).update(created_at=CREATED)
    tenant.refresh_from_db()
    return tenant


@pytest.fixture
def sources(monkeypatch):
    """Registers sources in place of those of the product: `sources(name, measure, **options)`."""
    registry = Registry("Figure source")
    monkeypatch.setattr(services, "figure_sources", registry)

    def register(name, measure, **options):
        about = {name: Figure(name, "Help.", "things")}
        registry.register(name, FigureSource(Section.PEOPLE, about, measure, **options))

    return register


def sweep(tenant, now=NOW):
    return list(compute_in_steps(tenant=tenant, now=now))


def ones(name):
    """A source that counts 1 on each day that it is asked for, and notes the days."""
    asked = []

    def measure(span):
        asked.extend(span.days)
        for day in span.days:
            yield Measurement(name, day, 1)

    return measure, asked


def days(*numbers):
    return [date(2025, 10, number) for number in numbers]


def test_the_first_sweep_reaches_back_to_the_creation_of_the_tenant(tenant, sources):
    measure, asked = ones("flow")
    sources("flow", measure)

    sweep(tenant)

    assert asked == days(24, 25, 26, 27, 28, 29)


def test_the_first_sweep_of_an_old_tenant_reaches_back_sixty_days_a_week_at_a_time(tenant, sources):
    Tenant.objects.filter(pk=tenant.pk).update(created_at=NOW - 400 * DAY)
    tenant.refresh_from_db()
    measure, asked = ones("flow")
    sources("flow", measure)

    steps = sweep(tenant)

    assert (asked[0], asked[-1]) == (NOW.date() - 60 * DAY, NOW.date())
    assert steps == [7] * 8 + [5]


def test_a_day_is_computed_until_a_day_after_its_end_and_then_stays(tenant, sources):
    measure, asked = ones("flow")
    sources("flow", measure)
    sweep(tenant)
    asked.clear()

    sweep(tenant, NOW + timedelta(minutes=10))

    assert asked == days(28, 29)
    assert FigureRun.objects.get(tenant=tenant).final_through == date(2025, 10, 27)


def test_after_a_standstill_the_sweep_catches_up(tenant, sources):
    measure, asked = ones("flow")
    sources("flow", measure)
    sweep(tenant)
    asked.clear()

    sweep(tenant, NOW + 3 * DAY)

    assert asked == [*days(28, 29, 30, 31), date(2025, 11, 1)]
    assert len(figure(tenant, "flow")) == 9


def test_a_sweep_that_is_stopped_goes_on_with_the_next_step(tenant, sources):
    Tenant.objects.filter(pk=tenant.pk).update(created_at=NOW - 20 * DAY)
    tenant.refresh_from_db()
    measure, asked = ones("flow")
    sources("flow", measure)
    next(compute_in_steps(tenant=tenant, now=NOW))
    asked.clear()

    sweep(tenant)

    assert asked[0] == date(2025, 10, 16)
    assert len(figure(tenant, "flow")) == 21


def test_computing_twice_gives_the_same_rows(tenant):
    person = ParticipantFactory(tenant=tenant)
    EventFactory(participant=person, id=id_at(NOW), occurred_at=NOW)
    sweep(tenant)
    before = sorted(DailyFigure.objects.values_list("day", "figure", "dimension", "value"))

    sweep(tenant)

    assert before
    assert sorted(DailyFigure.objects.values_list("day", "figure", "dimension", "value")) == before


def test_a_momentary_figure_is_measured_today_only_and_keeps_its_last_number(tenant, sources):
    numbers = iter((5, 6, 7))
    sources("level", lambda span: [Measurement("level", span.last, next(numbers))], is_momentary=True)

    for now in (NOW, NOW + timedelta(hours=1), NOW + DAY):
        sweep(tenant, now)

    assert figure(tenant, "level") == {"2025-10-29": 6, "2025-10-30": 7}


def test_days_beyond_the_horizon_of_a_source_keep_their_numbers(tenant, sources):
    measure, asked = ones("flow")
    sources("flow", measure, horizon=lambda: 2 * DAY)
    DailyFigure.objects.create(tenant=tenant, day=date(2025, 10, 25), figure="flow", value=9)

    sweep(tenant)

    assert asked == days(28, 29)
    assert figure(tenant, "flow") == {"2025-10-25": 9, "2025-10-28": 1, "2025-10-29": 1}


def test_the_number_of_a_day_is_the_sum_of_its_parts_and_only_the_highest_parts_are_stored(
    tenant, sources, monkeypatch
):
    monkeypatch.setattr(services, "MAX_DIMENSIONS", 2)
    measured = [Measurement("flow", date(2025, 10, 29), value, name) for name, value in (("a", 1), ("b", 3), ("c", 2))]
    sources("flow", lambda span: measured if span.includes_today else [])

    sweep(tenant)

    assert figure(tenant, "flow") == {"2025-10-29": 6}
    assert parts(tenant, "flow", date(2025, 10, 29)) == {"b": 3, "c": 2}


def test_numbers_that_nobody_looks_at_any_more_are_deleted(tenant, sources):
    sources("flow", ones("flow")[0])
    for days_ago in (403, 402):
        DailyFigure.objects.create(tenant=tenant, day=NOW.date() - days_ago * DAY, figure="flow", value=9)

    sweep(tenant)

    oldest = DailyFigure.objects.order_by("day").values_list("day", flat=True)[0]
    assert oldest == NOW.date() - 402 * DAY


def test_a_slower_worker_does_not_replace_newer_numbers_of_open_days(tenant, sources):
    late = []

    def measure(span):
        if not late:
            late.append(True)
            sweep(tenant, NOW + timedelta(minutes=1))
        for day in span.days:
            yield Measurement("flow", day, span.now.minute + 1)

    sources("flow", measure)

    sweep(tenant)

    assert figure(tenant, "flow") == {
        "2025-10-24": 1, "2025-10-25": 1, "2025-10-26": 1, "2025-10-27": 1, "2025-10-28": 2, "2025-10-29": 2,
    }  # fmt: skip
    assert FigureRun.objects.get(tenant=tenant).computed_at == NOW + timedelta(minutes=1)


@pytest.mark.two_connections
@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_store_every_number_once(tenant):
    person = ParticipantFactory(tenant=tenant)
    for hours in range(5):
        EventFactory(participant=person, id=id_at(NOW), occurred_at=NOW - timedelta(hours=hours))

    answers = all_at_once([lambda: sweep(Tenant.objects.get(pk=tenant.pk))] * 3)

    assert answers == [[6]] * 3
    assert figure(tenant, "events.reported") == {"2025-10-29": 5}


def test_a_tenant_is_due_when_it_was_never_computed_and_again_after_a_pause(tenant, settings):
    settings.SWEEP_SECONDS = 60
    assert tenant in tenants_with_due_figures(now=NOW)

    sweep(tenant)

    assert tenant not in tenants_with_due_figures(now=NOW + timedelta(minutes=4))
    assert tenant in tenants_with_due_figures(now=NOW + timedelta(minutes=6))


def test_a_tenant_whose_computation_takes_long_waits_twenty_times_as_long(tenant, sources, monkeypatch):
    clock = iter((0.0, 60.0))
    monkeypatch.setattr(services, "monotonic", lambda: next(clock))
    sources("flow", ones("flow")[0])

    sweep(tenant)

    assert FigureRun.objects.get(tenant=tenant).due_at == NOW + timedelta(minutes=20)


def test_the_task_computes_all_tenants_in_the_scope_of_each():
    mine, other = TenantFactory(), TenantFactory()
    for tenant_, number in ((mine, 1), (other, 2)):
        for _ in range(number):
            EventFactory(participant__tenant=tenant_)

    compute_figures()

    today = today_of(mine, timezone.now())
    assert parts(mine, "events.reported", today) == {"login": 1}
    assert parts(other, "events.reported", today) == {"login": 2}
    assert not tenants_with_due_figures(now=timezone.now()).exists()


def test_the_command_finds_rows_that_were_written_long_after_their_day(tenant):
    now = timezone.now()
    Tenant.objects.filter(pk=tenant.pk).update(created_at=now - 20 * DAY)
    EventFactory(participant__tenant=tenant, occurred_at=now - 15 * DAY)
    sweep(Tenant.objects.get(pk=tenant.pk), now)
    assert figure(tenant, "events.reported") == {}

    call_command("rebuild_figures", tenant="acme", since=(now - 20 * DAY).date())

    assert figure(tenant, "events.reported") == {(now - 15 * DAY).date().isoformat(): 1}


def test_a_rebuild_that_a_sweep_overtakes_still_replaces_final_days(tenant, sources):
    late = []

    def measure(span):
        if not late:
            late.append(True)
            sweep(tenant, NOW + timedelta(minutes=1))
        return [Measurement("flow", day, 3) for day in span.days]

    sources("flow", measure)

    assert list(rebuild(tenant=tenant, since=date(2025, 10, 1), now=NOW)) == [29]

    assert len(figure(tenant, "flow")) == 29


def test_numbers_of_a_past_day_are_stored_though_a_sweep_was_faster(tenant, sources):
    """The demo records each day of its history while the sweep computes today."""
    sources("level", lambda span: [Measurement("level", span.last, 4)], is_momentary=True)
    sweep(tenant)

    record_present(tenant=tenant, now=NOW - 3 * DAY)

    assert figure(tenant, "level") == {"2025-10-26": 4, "2025-10-29": 4}


def test_the_present_can_be_recorded_alone(tenant):
    ParticipantFactory(tenant=tenant)

    record_present(tenant=tenant, now=NOW)

    assert figure(tenant, "people.total") == {"2025-10-29": 1}
    assert not DailyFigure.objects.filter(figure="people.new").exists()


# --- people ---------------------------------------------------------------------------------------------------------------


def test_participants_are_active_by_events_awards_and_ticks_and_count_once(tenant):
    ada, bob, eve = (ParticipantFactory(tenant=tenant) for _ in range(3))
    for hours in (1, 2):
        EventFactory(participant=ada, id=id_at(NOW), occurred_at=NOW - timedelta(hours=hours))
    EventFactory(participant=bob, id=id_at(NOW - 6 * DAY), occurred_at=NOW - 6 * DAY)
    domain_event(tenant, "streak.incremented", NOW - 29 * DAY, participant_id=eve.pk, data={"streak_code": "daily"})
    domain_event(tenant, "streak.broken", NOW, participant_id=eve.pk, data={"streak_code": "daily"})

    compute(tenant, NOW.date(), NOW)

    found = {name: figure(tenant, f"people.{name}") for name in ("active_day", "active_week", "active_month")}
    assert found == {
        "active_day": {"2025-10-29": 1}, "active_week": {"2025-10-29": 2}, "active_month": {"2025-10-29": 3},
    }  # fmt: skip


@pytest.mark.parametrize("seed", range(3))
def test_active_people_of_every_day_are_those_of_a_naive_count(tenant, seed):
    random, people = Random(seed), [ParticipantFactory(tenant=tenant) for _ in range(4)]
    active = {(person.pk, NOW.date() - random.randrange(70) * DAY) for person in people for _ in range(8)}
    people_by_id = {person.pk: person for person in people}
    for person_id, day in active:
        at = datetime(day.year, day.month, day.day, random.randrange(24), tzinfo=UTC)
        EventFactory(participant=people_by_id[person_id], occurred_at=at)

    compute(tenant, NOW.date() - 20 * DAY, NOW)

    for name, length in (("active_day", 1), ("active_week", 7), ("active_month", 30)):
        expected = {}
        for day in (NOW.date() - number * DAY for number in range(21)):
            if number := len({person for person, on in active if day - length * DAY < on <= day}):
                expected[day.isoformat()] = number
        assert figure(tenant, f"people.{name}") == expected


def test_points_that_a_definition_gave_make_nobody_active(tenant):
    for actor in ("api_key:1", "definition:streak:daily", None):
        entry = LedgerEntryFactory(participant__tenant=tenant, created_at=NOW)
        LedgerEntry.objects.filter(pk=entry.pk).update(actor=actor)

    compute(tenant, NOW.date(), NOW)

    assert figure(tenant, "people.active_day") == {"2025-10-29": 2}


def test_retention_counts_the_active_of_a_whole_week_by_the_week_in_which_they_were_first_seen(tenant):
    sunday = datetime(2025, 10, 26, 12, tzinfo=UTC)
    for weeks_ago in (0, 1, 1, 13):
        person = ParticipantFactory(tenant=tenant)
        first_seen(person, sunday - weeks_ago * 7 * DAY)
        EventFactory(participant=person, occurred_at=sunday)

    compute(tenant, date(2025, 10, 20), NOW)

    assert parts(tenant, "people.retained", date(2025, 10, 26)) == {"2025-10-20": 1, "2025-10-13": 2}
    assert parts(tenant, "people.retained", date(2025, 10, 25)) == {}


def test_newcomers_count_on_the_day_of_the_tenants_zone(tenant):
    Tenant.objects.filter(pk=tenant.pk).update(timezone="Pacific/Auckland")
    first_seen(ParticipantFactory(tenant=tenant), datetime(2025, 10, 28, 12, tzinfo=UTC))

    compute(tenant, date(2025, 10, 20), NOW)

    assert figure(tenant, "people.new") == {"2025-10-29": 1}


def test_a_day_without_midnight_begins_when_clocks_are_set_forward():
    tenant = Tenant(timezone="America/Asuncion", created_at=NOW)
    gap = date(2023, 10, 1)

    span = DaySpan(tenant, gap, gap, NOW)

    assert span.starts_at == datetime(2023, 10, 1, 4, tzinfo=UTC)
    assert span.ends_at - span.starts_at == timedelta(hours=23)


def test_every_figure_says_what_it_counts_and_has_a_page_behind_it():
    for name, about in figures().items():
        assert about.help.endswith("."), name
        assert about.label, name
        assert reverse(f"admin:{about.page}"), name


def test_no_figure_is_registered_by_two_sources():
    names = [name for source in figure_sources.values() for name in source.figures]

    assert len(names) == len(set(names))
