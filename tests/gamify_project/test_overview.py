"""The overview of the console: what it shows, to whom, and that it costs the same with any number of participants."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from html.parser import HTMLParser
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from gamify.badges.models import Badge
from gamify.facts.engine.events import EventInput
from gamify.facts.services import emit
from gamify.points.services import Change, adjust, award, deduct
from gamify_project.models import PeriodicRun
from gamify_project.overview.cards import Card, sections
from gamify_project.overview.charts import bar_chart, line_chart
from gamify_project.overview.steps import first_steps
from gamify_project.overview.stored import StoredFigures, stored_figures
from gamify_project.overview.tables import retention, rewards_running_out, survival, tier_spread
from gamify_project.overview.unused import event_names, unused_definitions
from participants.engine import start_of_day
from participants.errors import InvalidInput
from participants.figures import DAY, POINTS, figures, today_of
from participants.models import ConfigurationChange, DailyFigure, FigureRun, Participant, Tenant
from participants.services.figures import compute_in_steps
from participants.services.tenants import update_tenant
from rewards.services import add_codes, cancel, claim, create_reward, fulfil
from tests.factories import BadgeFactory, ParticipantFactory, RuleFactory, TenantFactory, TierFactory, raw_key
from tests.figures import compute

pytestmark = pytest.mark.django_db
INDEX = "/console/"
SECOND = timedelta(seconds=1)


@pytest.fixture
def staff(tenant: Tenant) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("ops"))
    return client


@pytest.fixture
def ops(staff: Client) -> User:
    return User.objects.get(username="ops")


def fresh(tenant: Tenant) -> Tenant:
    return Tenant.objects.get(pk=tenant.pk)


def store(tenant: Tenant, figure: str, numbers: dict[date, int], dimension: str = "") -> None:
    FigureRun.objects.update_or_create(tenant=tenant, defaults={"computed_at": timezone.now()})
    DailyFigure.objects.bulk_create(
        DailyFigure(tenant=tenant, figure=figure, day=day, value=value, dimension=dimension)
        for day, value in numbers.items()
    )


def today(tenant: Tenant) -> date:
    return today_of(tenant, timezone.now())


def days_ago(tenant: Tenant, first: int, last: int) -> list[date]:
    return [today(tenant) - number * DAY for number in range(first, last - 1, -1)]


def card(tenant: Tenant, reader: User, label: str) -> Card:
    stored = stored_figures(tenant, now=timezone.now())
    cards = [card for section in sections(fresh(tenant), stored, reader) for card in section.cards]
    return next(card for card in cards if card.label == label)


# --- cards ----------------------------------------------------------------------------------------------------------------


def test_a_flow_is_the_sum_of_the_last_30_whole_days_against_the_30_before(tenant, ops):
    store(
        tenant,
        "points.issued",
        dict.fromkeys(days_ago(tenant, 30, 1), 20) | dict.fromkeys(days_ago(tenant, 60, 31), 10),
    )
    store(tenant, "points.issued", {today(tenant): 7})

    found = card(tenant, ops, "Points issued")

    assert (found.value, found.change, found.is_up) == ("600", "+100 % against 300 in the 30 days before", True)
    assert found.when == "in the last 30 days; today so far 7"


def test_a_flow_is_not_compared_with_days_that_were_not_measured(tenant, ops):
    store(tenant, "points.issued", dict.fromkeys(days_ago(tenant, 35, 1), 20))

    found = card(tenant, ops, "Points issued")

    assert (found.value, found.change, found.is_up) == ("600", "The 30 days before are not complete.", None)


def test_a_level_is_its_newest_number_against_30_days_ago(tenant, ops):
    store(tenant, "points.outstanding", {today(tenant): 90, today(tenant) - 30 * DAY: 100, today(tenant) - DAY: 95})

    found = card(tenant, ops, "Points outstanding")

    assert (found.value, found.change, found.is_up) == ("90", "-10 % against 100, 30 days ago", False)


def test_numbers_of_another_tenant_are_not_shown(tenant, ops):
    store(TenantFactory(), "points.outstanding", {today(tenant): 90})

    assert card(tenant, ops, "Points outstanding").value == "–"


@pytest.mark.parametrize(("value", "money"), [(None, ""), (Decimal("0.005"), "6.17 EUR")])
def test_points_are_shown_in_money_only_if_a_point_has_a_value(tenant, ops, value, money):
    Tenant.objects.filter(pk=tenant.pk).update(point_value=value, point_currency=value and "EUR")
    store(tenant, "points.outstanding", {today(tenant): 1234})

    assert card(fresh(tenant), ops, "Points outstanding").money == money
    assert card(fresh(tenant), ops, "People").money == ""


def test_a_card_leads_to_the_list_behind_it_with_the_same_days(tenant, staff, ops):
    for name, figure in figures().items():
        store(tenant, name, {today(tenant): 1})
        if figure.is_listed:
            url = card(tenant, ops, figure.label).url
            assert staff.get(url).status_code == 200, url

    days = f"created_at_from={today(tenant) - 30 * DAY}&created_at_to={today(tenant) - DAY}"
    assert card(tenant, ops, "Points issued").url == f"/console/points/ledgerentry/?type__exact=award&{days}"


@pytest.mark.parametrize("zone", ["Pacific/Auckland", "America/Los_Angeles"])
def test_the_list_behind_a_number_has_exactly_this_number(tenant, staff, ops, zone):
    """At the first and last instants of the 30 days in the tenant's zone, and right before and after. Points are the sum of the list."""
    Tenant.objects.filter(pk=tenant.pk).update(timezone=zone)
    now, zone_ = timezone.now(), ZoneInfo(zone)
    first, end = (start_of_day(day, zone_) for day in (today(fresh(tenant)) - 30 * DAY, today(fresh(tenant))))
    for number, at in enumerate((first - SECOND, first, end - SECOND, end)):
        act(fresh(tenant), f"user_{number}", at)

    compute(
        fresh(tenant), first.date() - DAY, first + DAY
    )  # later the domain events of the first day are too old to be counted
    compute(fresh(tenant), first.date(), now)

    wanted = {
        name: figure
        for name, figure in figures().items()
        if figure.column or name in ("people.total", "rewards.waiting")
    }
    cards = {name: card(fresh(tenant), ops, figure.label) for name, figure in wanted.items()}
    numbers = {name: abs(int(each.value.replace(",", ""))) for name, each in cards.items()}
    assert numbers == {name: behind(staff, each.url, wanted[name].unit) for name, each in cards.items()}
    assert {name for name, number in numbers.items() if not number} <= {
        "points.expired",
        "rewards.waiting",
        "webhooks.delivered",
        "webhooks.failed",
    }


def act(tenant: Tenant, who: str, at: datetime) -> None:
    """Do something of every kind that a list shows by its day."""
    emit(tenant=tenant, event=EventInput(who, "login", at), now=at)
    award(tenant=tenant, change=Change(who, 50), now=at)
    deduct(tenant=tenant, change=Change(who, 3), now=at)
    adjust(tenant=tenant, participant_id=who, delta=7, reason="Counted wrong", now=at)
    reward = create_reward(tenant=tenant, data={"name": "Mug", "reward_type": "physical"}, now=at)
    taken = [
        claim(tenant=fresh(tenant), reward_id=str(reward.pk), participant_id=f"{who}{end}", now=at) for end in "ab"
    ]
    fulfil(tenant=tenant, claim_id=str(taken[0].claim_id), reason="Sent", now=at)
    cancel(tenant=tenant, claim_id=str(taken[1].claim_id), reason="Lost", now=at)


def behind(staff: Client, url: str, unit: str) -> int:
    rows = staff.get(url).context["cl"].queryset
    return abs(sum(rows.values_list("delta", flat=True))) if unit == POINTS else rows.count()


def test_staff_see_the_figures_whose_lists_they_may_open(tenant):
    user = User.objects.create_user("support", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename="view_participant"))
    client = Client()
    client.force_login(user)
    store(tenant, "people.total", {today(tenant): 3})

    page = client.get(INDEX).content.decode()

    assert "Active in 30 days" in page
    assert "Points issued" not in page


# --- charts ---------------------------------------------------------------------------------------------------------------


class _Elements(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


@pytest.mark.engine
def test_bars_stay_in_the_box_and_show_numbers_below_zero():
    bars = [about for tag, about in _Elements(bar_chart([3, -3, 0, None, 6], [], about="x")).found if tag == "rect"]

    assert len(bars) == 3
    assert all(float(bar["y"]) >= 0 and float(bar["y"]) + float(bar["height"]) <= 48 for bar in bars)
    assert float(bars[1]["y"]) >= float(bars[0]["y"]) + float(bars[0]["height"]) - 1


@pytest.mark.engine
def test_a_line_is_interrupted_where_a_day_was_not_measured():
    lines = [
        tag for tag, _ in _Elements(line_chart([1, 2, None, 4, 5, None], [], about="x")).found if tag == "polyline"
    ]

    assert len(lines) == 2


@pytest.mark.engine
def test_the_text_of_a_chart_is_escaped():
    assert "<b>" not in line_chart([1], [1], about="<b>")


def test_every_chart_has_a_text_alternative(tenant, staff):
    for name in figures():
        store(tenant, name, dict.fromkeys(days_ago(tenant, 60, 0), 5))

    charts = [
        about
        for tag, about in _Elements(staff.get(INDEX).content.decode()).found
        if about.get("class") == "console-chart"
    ]

    assert len(charts) == sum(figure.is_listed for figure in figures().values())
    assert all("last 30 days: highest 5" in str(chart["aria-label"]) for chart in charts)


# --- tables ---------------------------------------------------------------------------------------------------------------


def stored(tenant: Tenant) -> StoredFigures:
    return stored_figures(tenant, now=timezone.now())


def test_the_spread_over_tiers_names_those_without_one(tenant):
    TierFactory(tenant=tenant, code="gold", name="Gold")
    store(tenant, "people.total", {today(tenant): 10})
    store(tenant, "tiers.spread", {today(tenant): 4})
    store(tenant, "tiers.spread", {today(tenant): 4, today(tenant) - DAY: 9}, "gold")

    assert [(row.label, row.number, row.percent) for row in tier_spread(tenant, stored(tenant))] == [
        ("No tier", 6, 60),
        ("Gold", 4, 40),
    ]


def test_the_share_of_runs_that_survive_is_the_product_of_those_that_went_on(tenant):
    for length, reached, ended in ((1, 100, 50), (2, 50, 10), (3, 40, 0)):
        store(tenant, "streaks.reached", {today(tenant) - DAY: reached}, str(length))
        store(tenant, "streaks.ended", {today(tenant) - DAY: ended}, str(length))

    assert [(row.label, row.percent) for row in survival(stored(tenant))] == [("1", 100), ("2", 50), ("3", 40)]


def test_retention_is_the_share_of_a_weeks_newcomers_who_were_active_again(tenant):
    sunday = today(tenant) - timedelta(days=today(tenant).weekday() + 1)
    monday, before = (sunday - timedelta(days=days) for days in (6, 13))
    store(tenant, "people.retained", {sunday - 7 * DAY: 10, sunday: 4}, before.isoformat())
    store(tenant, "people.retained", {sunday: 5}, monday.isoformat())

    assert [(row.week, row.size, row.later) for row in retention(stored(tenant))] == [
        (before, 10, [40]),
        (monday, 5, []),
    ]


def test_a_reward_runs_out_if_its_stock_does_not_last_30_days(tenant):
    now = timezone.now()
    stocks = {"none": 0, "short": 5, "enough": 50, "idle": 1}
    for code, pieces in stocks.items():
        data = {"code": code, "name": code.title(), "reward_type": "physical", "total_inventory": pieces}
        create_reward(tenant=fresh(tenant), data=data, now=now)
        store(tenant, "rewards.given", {today(tenant) - DAY: 0 if code == "idle" else 10}, code)
    codes = create_reward(
        tenant=fresh(tenant), data={"code": "codes", "name": "Codes", "reward_type": "coupon"}, now=now
    )
    add_codes(tenant=fresh(tenant), reward_id=str(codes.pk), codes=["A-1"], now=now)
    store(tenant, "rewards.given", {today(tenant) - DAY: 3}, "codes")

    found = rewards_running_out(tenant, stored(tenant))

    assert [(row.reward.code, row.left, row.days) for row in found] == [
        ("none", 0, 0),
        ("codes", 1, 10),
        ("short", 5, 15),
    ]


# --- what is not in use ---------------------------------------------------------------------------------------------------


def test_definitions_that_nobody_earned_in_30_days_are_named(tenant, ops):
    old = timezone.now() - 40 * DAY
    for code in ("earned", "dead", "young", "inactive"):
        BadgeFactory(tenant=tenant, code=code, name=code.title(), created_at=old, is_active=code != "inactive")
    Badge.objects.filter(code="young").update(created_at=timezone.now())
    BadgeFactory(code="other", created_at=old)
    store(tenant, "badges.awarded", dict.fromkeys(days_ago(tenant, 30, 0), 0))
    store(tenant, "badges.awarded", {today(tenant) - 3 * DAY: 1}, "earned")

    found = unused_definitions(tenant, stored(tenant), ops, now=timezone.now())

    assert [(row.kind, row.name) for row in found] == [("Badge", "Dead")]


def test_no_definition_is_called_unused_while_days_are_not_measured(tenant, ops):
    BadgeFactory(tenant=tenant, created_at=timezone.now() - 40 * DAY)
    store(tenant, "badges.awarded", dict.fromkeys(days_ago(tenant, 29, 0), 0))

    assert unused_definitions(tenant, stored(tenant), ops, now=timezone.now()) == []


def test_names_of_events_are_compared_with_those_that_definitions_list(tenant):
    RuleFactory(tenant=tenant, event_types=["purchase", "purchas"])
    for name, number in (("purchase", 3), ("login", 2), ("visit", 5)):
        store(tenant, "events.reported", {today(tenant): number}, name)

    found = event_names(fresh(tenant), stored(tenant))

    assert (found.unheard, found.missing, found.listens_to_all) == ([("visit", 5), ("login", 2)], ["purchas"], False)


# --- first steps ----------------------------------------------------------------------------------------------------------


def done(tenant: Tenant) -> list[bool]:
    return [step.is_done for step in first_steps(tenant)]


def test_the_first_steps_tick_themselves_off(tenant):
    now = timezone.now()
    assert done(tenant) == [False, False, False, False]

    raw_key(tenant)
    assert done(tenant) == [True, False, False, False]

    BadgeFactory(tenant=tenant, code="gem", criteria={"metric": "event_count", "min": 1, "event_name": "login"})
    assert done(tenant) == [True, True, False, False]

    emit(tenant=fresh(tenant), event=EventInput("ada", "visit", now), now=now)
    assert done(tenant) == [True, True, True, False]

    emit(tenant=fresh(tenant), event=EventInput("ada", "login", now), now=now)
    assert done(tenant) == []


def test_every_step_leads_to_a_page(tenant, staff):
    for step in first_steps(tenant):
        assert staff.get(step.page).status_code == 200


def test_what_another_tenant_did_ticks_no_step_off(tenant):
    award(tenant=TenantFactory(), change=Change("ada", 5), now=timezone.now())

    assert not any(done(tenant))


# --- the page -------------------------------------------------------------------------------------------------------------


def test_an_empty_tenant_gets_first_steps_and_no_charts(tenant, staff):
    page = staff.get(INDEX).content.decode()

    assert "First steps" in page
    assert "not computed yet" in page
    assert "console-chart" not in page


def test_the_page_says_in_which_zone_its_days_are_and_when_it_was_computed(tenant, staff):
    Tenant.objects.filter(pk=tenant.pk).update(timezone="Asia/Kathmandu")
    FigureRun.objects.create(tenant=tenant, computed_at=timezone.now() - timedelta(hours=2))

    page = staff.get(INDEX).content.decode()

    assert "midnight in Asia/Kathmandu" in page
    assert "computed <time" in page
    assert "more than an hour old" in page


def test_the_page_names_periodic_tasks_that_are_late_to_those_who_may_see_them(tenant, staff, monkeypatch):
    monkeypatch.setattr(MigrationRecorder, "applied_migrations", lambda self: {})  # else all others are late too
    PeriodicRun.objects.create(task="streaks.review", started_at=timezone.now() - timedelta(hours=1))
    support = Client()
    support.force_login(User.objects.create_user("support", is_staff=True))

    assert "late: streaks.review" in staff.get(INDEX).content.decode()
    assert "streaks.review" not in support.get(INDEX).content.decode()


def test_the_page_takes_as_many_queries_for_a_thousand_participants_as_for_twenty(tenant, staff):
    def queries() -> int:
        for _ in compute_in_steps(tenant=fresh(tenant), now=timezone.now()):
            pass
        staff.get(INDEX)  # fills the cached catalog
        with CaptureQueriesContext(connection) as captured:
            staff.get(INDEX)
        return len(captured)

    add_people(tenant, 20)
    few = queries()
    add_people(tenant, 980)

    assert queries() == few < 60
    assert "1,000" in staff.get(INDEX).content.decode()


def add_people(tenant: Tenant, number: int) -> None:
    now = timezone.now()
    ParticipantFactory(tenant=tenant)
    Participant.objects.bulk_create(
        Participant(tenant=tenant, external_id=f"p{index}-{number}", first_seen_at=now, last_seen_at=now, tier_code="x")
        for index in range(number - 1)
    )


# --- the value of a point -------------------------------------------------------------------------------------------------


def test_the_value_of_a_point_is_edited_in_the_console_and_is_in_the_change_log(tenant, staff):
    url = reverse("admin:participants_tenant_change", args=[tenant.pk])
    form = staff.get(url).context["adminform"].form
    data = {name: form[name].value() for name in form.fields if form[name].value() not in (None, False)}

    answer = staff.post(url, {**data, "point_value": "0.01", "point_currency": "EUR"})

    assert answer.status_code == 302
    changes = ConfigurationChange.objects.get(
        object_type="tenant", object_id=str(tenant.pk), changes__has_key="point_value"
    ).changes
    assert {name: change["after"] for name, change in changes.items()} == {
        "point_value": "0.01",
        "point_currency": "EUR",
    }


@pytest.mark.parametrize(
    ("value", "currency", "field"),
    [
        ("1", None, "point_currency"),
        (None, "EUR", "point_value"),
        ("0", "EUR", "point_value"),
        ("-1", "EUR", "point_value"),
        ("1", "eur", "point_currency"),
        ("1", "EU", "point_currency"),
    ],
)
def test_the_value_of_a_point_is_a_positive_number_of_a_currency(tenant, value, currency, field):
    tenant.point_value, tenant.point_currency = value and Decimal(value), currency

    with pytest.raises(InvalidInput) as refused:
        update_tenant(tenant, now=timezone.now())

    assert refused.value.errors[0].field == field
