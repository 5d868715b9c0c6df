"""The timeline on the page of a participant: everything that happened, in words, page by page."""

import re
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from gamify.badges.models import BadgeAward
from gamify.badges.services import award as award_badge
from gamify.badges.services import create_badge
from gamify.badges.services.revoking import revoke
from gamify.facts.engine.events import EventInput
from gamify.facts.models import Event
from gamify.facts.services import emit, reverse_event
from gamify.points.models import LedgerEntry
from gamify.points.services import Change, award, reverse
from gamify.rules.models import Rule
from gamify.tiers.models import Tier
from participants.actors import ActorKind, acting_as, actor_of
from participants.admin.panels import panels
from participants.events import event_types
from participants.models import DomainEvent, Participant
from participants.services.definitions import create_definition
from rewards.models import Claim, Reward
from rewards.services import cancel, claim, create_reward
from tests.console import Console, staff, text_of

PAGE = "participants_participant_change"
NOW = datetime(2026, 3, 11, 12, tzinfo=UTC)
MAY_VIEW = (
    "participants.view_participant", "points.view_ledgerentry", "facts.view_event", "badges.view_badgeaward",
    "rewards.view_claim", "tiers.view_tierchange",
)  # fmt: skip

pytestmark = pytest.mark.usefixtures("clock")


@pytest.fixture
def clock():
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


def points(tenant, amount=10, reason="Onboarding", now=NOW):
    result = award(tenant=tenant, change=Change(participant_id="ada", amount=amount, reason=reason), now=now)
    return str(result.transaction_id)


def ada(tenant):
    return Participant.objects.of(tenant).get(external_id="ada")


def shown(console, participant, **query):
    """The timeline on the page, without the boxes above it."""
    page = text_of(console.get(PAGE, participant.pk, **query))
    return page[page.index('id="timeline"') :]


def entries(console, participant, **query):
    """Each entry as text, without tags."""
    found = re.findall(r"<li>(.*?)</li>", shown(console, participant, **query), flags=re.DOTALL)
    return [" ".join(re.sub(r"<[^>]+>", " ", entry).split()).replace(" ,", ",") for entry in found]


def test_every_domain_event_about_a_participant_has_words():
    worded = {name for panel in panels.values() if panel.story for name in panel.story.words}
    about = {name for name, each in event_types.items() if each.is_about_participant}

    assert worded == about


def test_an_entry_says_what_happened_how_much_why_and_who(tenant):
    rule = {"code": "big", "name": "Big", "event_types": ["purchase"], "grants": [{"type": "points", "amount": 10}]}
    create_definition(Rule, noun="rule", tenant=tenant, data=rule, now=NOW)
    tenant.refresh_from_db()
    emit(tenant=tenant, event=EventInput("ada", "purchase", NOW, {"amount": 5}), now=NOW)
    console = Console(tenant)

    (entry,) = entries(console, ada(tenant), show="points")
    page = shown(console, ada(tenant), show="points")

    assert "Points awarded +10 points" in entry
    assert "by rule big, because of event purchase" in entry
    links = [f"points/ledgerentry/{LedgerEntry.objects.get().pk}", f"rules/rule/{Rule.objects.get().pk}"]
    assert all(f"/console/{link}/change/" in page for link in [*links, f"facts/event/{Event.objects.get().pk}"])


@pytest.mark.parametrize("is_pruned", [True, False])
def test_tiers_badges_and_claims_stay_when_their_domain_events_have_expired(tenant, clock, is_pruned):
    """Each is shown once, also if the domain events are not deleted yet."""
    create_definition(
        Tier,
        noun="tier",
        tenant=tenant,
        data={"code": "gold", "name": "Gold", "level": 1, "criteria_config": {"min_points": 5}},
        now=NOW,
    )
    create_badge(tenant=tenant, data={"code": "gem", "name": "Gem"}, now=NOW)
    create_reward(tenant=tenant, data={"code": "mug", "name": "Mug", "reward_type": "physical"}, now=NOW)
    tenant.refresh_from_db()
    points(tenant)
    award_badge(tenant=tenant, participant_id="ada", badge_code="gem", metadata={}, now=NOW)
    claim(tenant=tenant, reward_id=str(Reward.objects.get().pk), participant_id="ada", now=NOW)
    console = Console(tenant)
    before = {name: entries(console, ada(tenant), show=name) for name in ("tier", "badge", "reward")}
    if is_pruned:
        DomainEvent.objects.all().delete()

    clock.move_to(datetime.now(UTC) + timedelta(days=40 * 365))
    later = {name: entries(Console(tenant, user=console.user), ada(tenant), show=name) for name in before}

    assert all(len(each) == 1 for each in before.values())
    assert [[entry.split(" 2026")[0] for entry in each] for each in later.values()] == [
        [entry.split(" 2026")[0] for entry in each] for each in before.values()
    ]


def test_links_lead_only_where_the_reader_may_go(tenant):
    rule = {"code": "big", "name": "Big", "event_types": ["purchase"], "grants": [{"type": "points", "amount": 10}]}
    create_definition(Rule, noun="rule", tenant=tenant, data=rule, now=NOW)
    tenant.refresh_from_db()
    emit(tenant=tenant, event=EventInput("ada", "purchase", NOW, {}), now=NOW)
    user = staff("participants.view_participant", "points.view_ledgerentry")

    page = shown(Console(tenant, user=user), ada(tenant))

    assert "points/ledgerentry/" in page
    assert "rule big" in page
    assert "rules/rule/" not in page
    assert "facts/event/" not in page


def test_only_entries_of_panels_that_the_reader_may_see_are_shown(tenant):
    points(tenant)
    user = staff("participants.view_participant", "facts.view_event")

    page = shown(Console(tenant, user=user), ada(tenant))

    assert "Points awarded" not in page
    assert "show=points" not in page
    assert "show=event" in page


def test_a_filter_of_a_panel_that_the_reader_may_not_see_does_not_open_it(tenant):
    points(tenant)
    user = staff("participants.view_participant", "facts.view_event")

    assert "Points awarded" not in shown(Console(tenant, user=user), ada(tenant), show="points")


def test_times_name_their_zone(tenant):
    tenant.timezone = "Asia/Tokyo"
    tenant.save()
    points(tenant)

    page = shown(Console(tenant), ada(tenant))

    assert "Times are in Asia/Tokyo." in page
    assert re.search(r"<time [^>]+>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d JST</time>", page)


def test_what_staff_did_can_be_listed_alone(tenant):
    points(tenant, reason="By a test")
    console = Console(tenant)
    with acting_as(actor_of(ActorKind.STAFF, console.user.pk, "ops")):
        points(tenant, reason="Goodwill")

    (entry,) = entries(console, ada(tenant), show="staff")

    assert "“Goodwill”" in entry
    assert "by staff ops" in entry


# --- what was taken back ----------------------------------------------------------------------------------------------


def test_a_reversed_ledger_entry_links_to_the_entry_that_reversed_it(tenant):
    entry = points(tenant)
    reverse(tenant=tenant, transaction_id=entry, reason="Twice", now=NOW, is_dry_run=False)
    undoing = LedgerEntry.objects.get(reverses_id=UUID(entry))
    console = Console(tenant)

    newest, oldest = entries(console, ada(tenant), show="points")
    page = shown(console, ada(tenant))

    assert "Ledger entry reversed -10 points" in newest
    assert "“Twice”" in newest
    assert "+10 points Reversed" in oldest
    assert f'/points/ledgerentry/{undoing.pk}/change/" class="console-link">Reversed</a>' in page


def test_a_reversed_event_and_a_cancelled_claim_say_so(tenant):
    reward = create_reward(tenant=tenant, data={"name": "Mug", "reward_type": "physical"}, now=NOW)
    tenant.refresh_from_db()
    emit(tenant=tenant, event=EventInput("ada", "purchase", NOW, {}), now=NOW)
    claim(tenant=tenant, reward_id=str(reward.pk), participant_id="ada", now=NOW)
    reverse_event(tenant=tenant, event_id=str(Event.objects.get().pk), reason="Fraud", now=NOW)
    cancel(tenant=tenant, claim_id=str(Claim.objects.get().pk), reason="Fraud", now=NOW)

    found = entries(Console(tenant), ada(tenant))

    assert any(entry.startswith("bolt purchase Reversed") for entry in found)
    assert any(entry.startswith("bolt Event purchase reversed") for entry in found)
    assert any(entry.startswith("redeem Reward Mug handed out Cancelled") for entry in found)
    assert any(entry.startswith("redeem Claim of Mug cancelled") for entry in found)


def test_a_revoked_badge_links_to_the_page_with_its_revocation(tenant):
    create_badge(tenant=tenant, data={"code": "early", "name": "Early"}, now=NOW)
    tenant.refresh_from_db()
    award_badge(tenant=tenant, participant_id="ada", badge_code="early", metadata={}, now=NOW)
    revoke(tenant=tenant, award_id=BadgeAward.objects.get().pk, now=NOW)
    award_badge(tenant=tenant, participant_id="ada", badge_code="early", metadata={}, now=NOW)
    console = Console(tenant)

    again, revoked, first = entries(console, ada(tenant), show="badge")
    (link,) = re.findall(
        r'href="(\?show=badge&before=[^"]+)#timeline" class="console-link">Revoked', shown(console, ada(tenant))
    )
    before = link.rpartition("=")[2]

    assert "Revoked" not in again
    assert "Badge Early revoked" in revoked
    assert "Badge Early earned Revoked" in first
    assert entries(console, ada(tenant), show="badge", before=before)[0] == revoked


# --- pages ------------------------------------------------------------------------------------------------------------


def test_pages_follow_keys_and_show_everything_once(tenant):
    for number in range(60):
        points(tenant, amount=number + 1)
    console, participant = Console(tenant), ada(tenant)

    found, query = [], {"show": "points"}
    for _ in range(3):
        found += [re.search(r"\+\d+", entry)[0] for entry in entries(console, participant, **query)]
        older = re.search(
            r'href="\?show=points&before=([0-9a-f-]+)#timeline"[^>]*>\s*Older', shown(console, participant, **query)
        )
        query |= {"before": older[1]} if older else {}

    assert older is None
    assert found == [f"+{number}" for number in range(60, 0, -1)]


@pytest.mark.parametrize("query", [{"before": "nonsense"}, {"show": "nonsense"}, {"before": "' OR 1=1"}])
def test_a_query_that_means_nothing_shows_the_first_page(tenant, query):
    points(tenant)

    assert any("Points awarded" in entry for entry in entries(Console(tenant), ada(tenant), **query))


def test_the_page_needs_as_many_queries_for_a_thousand_rows_as_for_twenty(tenant):
    points(tenant)
    participant, console = ada(tenant), Console(tenant)

    few = _queries_after(tenant, participant, console, rows=20)
    many = _queries_after(tenant, participant, console, rows=1000)

    assert few == many


def _queries_after(tenant, participant, console, *, rows):
    """Add rows of three tables, and return how many statements the page needs."""
    first, rows_of_each = LedgerEntry.objects.count() + 1, []
    for number in range(rows):  # the three tables alternate in the timeline
        event = _event(tenant, participant, number)
        entry = _entry(tenant, participant, first + number, event.pk)
        rows_of_each.append((event, entry, _domain_event(tenant, participant)))
    for each in zip(*rows_of_each, strict=True):
        type(each[0]).objects.bulk_create(each)
    console.get(PAGE, participant.pk)  # fills the catalog
    with CaptureQueriesContext(connection) as captured:
        assert len(entries(console, participant)) == 25
    return len(captured)


def _entry(tenant, participant, number, event_id):
    about = {"type": "award", "delta": 1, "balance_after": number, "event_id": event_id, "created_at": NOW}
    return LedgerEntry(tenant=tenant, participant=participant, number=number, actor="definition:rule:big", **about)


def _event(tenant, participant, number):
    at = NOW - timedelta(minutes=number)
    return Event(tenant=tenant, participant=participant, name="purchase", occurred_at=at, created_at=NOW)


def _domain_event(tenant, participant):
    data = {
        "participant_id": "ada",
        "badge_code": "b",
        "badge_name": "B",
        "icon": None,
        "rarity": "common",
        "metadata": {},
    }
    return DomainEvent(tenant=tenant, participant_id=participant.pk, type="badge.awarded", data=data, occurred_at=NOW)


# --- at a glance ------------------------------------------------------------------------------------------------------


def test_the_name_is_the_title_and_the_id_is_next_to_it(tenant):
    points(tenant)
    participant = ada(tenant)
    console = Console(tenant)
    nameless = text_of(console.get(PAGE, participant.pk))
    Participant.objects.update(display_name="Ada Lovelace")

    answer = console.get(PAGE, participant.pk)
    named = text_of(answer)

    assert "<h2>ada</h2>" in nameless
    assert "<h2>Ada Lovelace</h2>" in named
    assert "<dd>ada</dd>" in named
    assert answer.context["title"] == "Ada Lovelace"


def test_the_tier_has_a_bar_to_the_next_one(tenant):
    for level, (code, minimum) in enumerate([("bronze", 0), ("silver", 100)]):
        data = {"code": code, "name": code.title(), "level": level, "criteria_config": {"min_points": minimum}}
        create_definition(Tier, noun="tier", tenant=tenant, data=data, now=NOW)
    tenant.refresh_from_db()
    points(tenant, amount=40)

    page = text_of(Console(tenant).get(PAGE, ada(tenant).pk))

    assert '<p class="console-figure">Bronze</p>' in page
    assert '<progress value="40" max="100" aria-label="60 points to Silver (40 of 100)">' in page


def test_dangerous_actions_are_in_the_menu(tenant):
    points(tenant)
    participant = ada(tenant)

    page = text_of(Console(tenant).get(PAGE, participant.pk))
    menu = page[page.index('<details class="console-menu"') :]
    menu = menu[: menu.index("</details>")]

    for action in ("anonymize", "delete", "export"):
        assert page.count(f"/{participant.pk}/{action}/") == menu.count(f"/{participant.pk}/{action}/") == 1
    assert "/award/" not in menu
