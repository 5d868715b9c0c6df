"""Every write names its actor, and `GET admin/activity` lists what an actor did."""

from datetime import timedelta

import pytest
from django.utils import timezone

from gamify.facts.engine.events import EventInput
from gamify.facts.models import Event
from gamify.facts.services import emit, reverse_event
from gamify.points.models import LedgerEntry
from gamify.points.services import Change, award
from gamify.points.tasks import expire
from participants import actors
from participants.actors import ActorKind, NoActor, actor_of, request_without_actor
from participants.models import ApiKey, Attributed, DomainEvent
from tests.client import Api, refused_fields
from tests.factories import BadgeFactory, RuleFactory, made_key


def activity(api, query=""):
    return api.get(f"/admin/activity{query}").json()


def award_points(api, participant_id="user_1", amount=5, **headers):
    return api.post("/points/award", {"participant_id": participant_id, "amount": amount}, headers=headers)


@pytest.fixture
def key(tenant):
    return made_key(tenant, name="shop")


@pytest.fixture
def shop(key):
    return Api(key.key)


def test_a_write_without_an_actor_is_refused_and_writes_nothing(tenant):
    with request_without_actor("r"), pytest.raises(NoActor):
        award(tenant=tenant, change=Change("user_1", 5), now=timezone.now())

    assert not LedgerEntry.objects.exists()


def test_a_request_names_its_key_and_its_request_id_in_every_row(key, shop):
    award_points(shop, **{"X-Request-Id": "r-1"})
    shop.post("/events", {"participant_id": "user_1", "event_name": "login"}, headers={"X-Request-Id": "r-2"})

    label = f"shop ({key.row.prefix}…)"
    for rows, request_id in ((LedgerEntry.objects.all(), "r-1"), (Event.objects.all(), "r-2")):
        row = rows.get()
        assert (row.actor, row.actor_label, row.request_id) == (f"api_key:{key.row.pk}", label, request_id)
    assert set(DomainEvent.objects.values_list("actor", flat=True)) == {f"api_key:{key.row.pk}"}


def test_a_request_leaves_no_actor_behind(shop):
    before = actors.current_actor()

    award_points(shop)

    assert actors.current_actor() == before


def test_the_label_survives_the_deletion_of_the_key(key, shop, admin_api):
    award_points(shop)
    ApiKey.objects.filter(pk=key.row.pk).delete()

    (item, *_) = activity(admin_api, f"?actor={key.row.pk}")["items"]

    assert item["actor"] == {"kind": "api_key", "id": str(key.row.pk), "label": f"shop ({key.row.prefix}…)"}


def test_what_a_rule_grants_names_the_rule_and_keeps_the_request_id(tenant, shop):
    BadgeFactory(tenant=tenant, code="fan")
    grants = [{"type": "points", "amount": 10}, {"type": "badge", "code": "fan"}]
    RuleFactory(tenant=tenant, code="welcome", event_types=["login"], grants=grants)

    shop.post("/events", {"participant_id": "user_1", "event_name": "login"}, headers={"X-Request-Id": "r-7"})

    for type_name in ("points.awarded", "badge.awarded"):
        event = DomainEvent.objects.get(type=type_name)
        assert event.actor_json == {"kind": "definition", "id": "rule:welcome", "label": "rule welcome"}
        assert event.request_id == "r-7"
    assert DomainEvent.objects.get(type="event.recorded").actor.startswith("api_key:")


def test_points_that_expire_have_time_as_their_actor(tenant, shop):
    two_hours_ago = timezone.now() - timedelta(hours=2)
    for name in ("user_1", "user_2"):
        change = Change(name, 5, expires_at=two_hours_ago + timedelta(hours=1))
        award(tenant=tenant, change=change, now=two_hours_ago)

    award_points(shop, "user_1")
    expire()

    actors_of_expiry = LedgerEntry.objects.filter(type="expire").values_list("participant__external_id", "actor")
    assert dict(actors_of_expiry) == {"user_1": "sweep:expired points", "user_2": "sweep:expired points"}


def test_a_reversal_names_who_reversed(tenant):
    event = emit(tenant=tenant, event=EventInput("user_1", "login", timezone.now()), now=timezone.now())

    reverse_event(tenant=tenant, event_id=str(event.event_id), reason=None, now=timezone.now())

    assert Event.objects.get().reversal["by"] == {"actor": "command:tests", "label": "tests"}


def test_anonymising_clears_request_ids_and_keeps_actors(shop, admin_api):
    award_points(shop, **{"X-Request-Id": "user_1-checkout"})
    shop.post("/events", {"participant_id": "user_1", "event_name": "x"}, headers={"X-Request-Id": "user_1-x"})

    admin_api.delete("/admin/participants/user_1?anonymize=true")

    for row in (LedgerEntry.objects.get(), Event.objects.get()):
        assert row.request_id is None
        assert row.actor.startswith("api_key:")


def test_one_query_answers_what_a_key_did_in_a_time(key, shop, api, admin_api):
    award_points(api)
    began = timezone.now()
    for number in range(3):
        award_points(shop, f"user_{number}")
    ended = timezone.now()
    award_points(shop, "late")

    query = f"?actor=api_key:{key.row.pk}&since={began.isoformat()[:-6]}Z&until={ended.isoformat()[:-6]}Z"
    items = activity(admin_api, query)["items"]

    assert {item["participant_id"] for item in items} == {"user_0", "user_1", "user_2"}
    assert [item["at"] for item in items] == sorted((item["at"] for item in items), reverse=True)
    assert {item["type"] for item in items} == {"points.awarded", "participant.created"}


def test_nothing_is_listed_twice(shop, admin_api):
    award_points(shop)
    shop.post("/events", {"participant_id": "user_1", "event_name": "login"})

    types = sorted(item["type"] for item in activity(admin_api)["items"])

    assert types == ["event.recorded", "participant.created", "points.awarded"]


def test_pages_continue_without_gap_or_repetition(shop, admin_api):
    for number in range(5):
        award_points(shop, f"user_{number}")
    everything = activity(admin_api)["items"]
    assert len(everything) == 10

    pages, cursor = [], ""
    while cursor is not None:
        page = activity(admin_api, f"?limit=3&cursor={cursor}")
        pages += page["items"]
        cursor = page["next_cursor"]

    assert pages == everything


def test_activity_can_be_that_of_one_participant(shop, admin_api):
    award_points(shop, "ada")
    award_points(shop, "bob")

    items = activity(admin_api, "?participant_id=ada")["items"]

    assert {item["participant_id"] for item in items} == {"ada"}
    assert activity(admin_api, "?participant_id=nobody") == {"items": [], "next_cursor": None}


@pytest.mark.parametrize("query", ["?since=yesterday", "?cursor=1", "?limit=0", "?limit=1001", "?actor=" + "x" * 101])
def test_a_bad_query_is_refused(admin_api, query):
    assert refused_fields(admin_api.get(f"/admin/activity{query}")) == [query[1:].partition("=")[0]]


def test_activity_needs_the_admin_scope_and_shows_one_tenant(api, shop, other_admin_api):
    award_points(shop)

    assert api.get("/admin/activity").status_code == 403
    assert activity(other_admin_api)["items"] == []


def test_actors_are_named_by_key_by_id_or_by_kind(key, shop, admin_api):
    award_points(shop)

    for name in (f"api_key:{key.row.pk}", key.row.pk, "api_key"):
        assert len(activity(admin_api, f"?actor={name}")["items"]) == 2
    assert activity(admin_api, "?actor=staff")["items"] == []


def test_a_page_costs_a_query_per_source_and_one_for_the_participants(shop, admin_api, queries):
    for number in range(4):
        award_points(shop, f"user_{number}")
    admin_api.get("/admin/activity")

    with queries(5):  # the key, domain events, events, ledger entries, participants
        admin_api.get("/admin/activity")


def test_actors_of_kinds_fit_into_the_columns():
    longest = actor_of(ActorKind.DEFINITION, f"leaderboard:{'c' * 50}", "l" * 300)

    assert len(longest.key) <= Attributed._meta.get_field("actor").max_length
    assert len(longest.label) == Attributed._meta.get_field("actor_label").max_length
