import pytest
import time_machine
from django.utils import timezone

from gamify.badges.models import Badge, BadgeAward
from gamify.badges.services import BadgeNotFound, award, grant, loads_for
from participants.catalog import catalog_of
from participants.models import DomainEvent, Participant
from participants.work import unit_of_work
from tests.client import like, refusal, refused_fields, segment
from tests.conftest import all_rows
from tests.factories import BadgeAwardFactory, BadgeFactory, ParticipantFactory

AWARD, BADGES, STATE = "/badges/award", "/participants/user_123/badges", "/participants/user_123/state?include=badges"
FIRST_STEPS = {"participant_id": "user_123", "badge_code": "first_steps"}
POWER_USER = {"participant_id": "user_123", "badge_code": "power_user", "metadata": {"trigger": "10th_login"}}
ICON = "https://cdn.example.com/badges/power.png"


@pytest.fixture
def badges(tenant):
    """The badges of the spec's examples."""
    BadgeFactory(tenant=tenant, code="first_steps", name="First Steps", display_order=1)
    BadgeFactory(
        tenant=tenant,
        code="power_user",
        name="Power User",
        description="Log in 10 times",
        icon_url=ICON,
        rarity="rare",
        display_order=2,
    )


def codes(response):
    assert response.status_code == 200, response.content
    return [badge["code"] for badge in response.json()["badges"]]


# --- awarding -------------------------------------------------------------------------------------------------------


@time_machine.travel("2026-02-14T10:00:00Z", tick=False)
def test_the_quick_start_awards_a_badge_to_a_new_participant(api, badges):
    response = api.post(AWARD, FIRST_STEPS)

    assert response.status_code == 200
    assert like(
        response.json(),
        {
            "participant_id": "user_123",
            "badge_code": "first_steps",
            "badge_name": "First Steps",
            "rarity": "common",
            "earned_at": "2026-02-14T10:00:00Z",
            "already_earned": False,
        },
    )
    assert response.json()["icon"] is None


@time_machine.travel("2026-02-14T10:00:00Z", tick=False)
def test_the_specs_award(api, badges):
    response = api.post(AWARD, POWER_USER)

    assert response.status_code == 200
    assert response.json() == {
        "participant_id": "user_123",
        "badge_code": "power_user",
        "badge_name": "Power User",
        "icon": "https://cdn.example.com/badges/power.png",
        "rarity": "rare",
        "earned_at": "2026-02-14T10:00:00Z",
        "already_earned": False,
    }


def test_a_repeated_award_returns_the_first_award(api, badges):
    with time_machine.travel("2026-02-14T10:00:00.123456Z", tick=False):
        first = api.post(AWARD, POWER_USER)
    with time_machine.travel("2026-02-15T10:00:00Z", tick=False):
        again = api.post(AWARD, POWER_USER)

    assert again.status_code == 200
    assert again.json() == first.json() | {"already_earned": True}
    assert again.json()["earned_at"] == "2026-02-14T10:00:00.123456Z"


def test_an_award_is_one_row_one_participant_and_two_domain_events(tenant, api, badges):
    api.post(AWARD, POWER_USER)

    row, participant = BadgeAward.objects.get(), Participant.objects.get()
    assert (row.tenant, row.participant, row.badge.code) == (tenant, participant, "power_user")
    assert row.metadata == {"trigger": "10th_login"}
    assert set(DomainEvent.objects.values_list("type", flat=True)) == {"participant.created", "badge.awarded"}
    assert DomainEvent.objects.get(type="badge.awarded").data == {
        "participant_id": "user_123",
        "badge_code": "power_user",
        "badge_name": "Power User",
        "icon": ICON,
        "rarity": "rare",
        "metadata": {"trigger": "10th_login"},
    }


def test_a_repeated_award_writes_nothing_even_with_other_metadata(api, badges, nothing_written):
    api.post(AWARD, POWER_USER)

    with nothing_written():
        api.post(AWARD, POWER_USER | {"metadata": {"trigger": "11th_login"}})


@pytest.mark.parametrize("metadata", [{}, None])
def test_metadata_may_be_empty(api, badges, metadata):
    assert api.post(AWARD, FIRST_STEPS | {"metadata": metadata}).status_code == 200
    assert BadgeAward.objects.get().metadata == {}


@pytest.mark.parametrize("code", ["unknown_badge", "POWER_USER", "power", "%", "🎉"])
def test_an_unknown_badge_is_404_and_creates_no_participant(api, badges, nothing_written, code):
    with nothing_written():
        response = api.post(AWARD, FIRST_STEPS | {"badge_code": code})

    assert refusal(response) == (404, "badge_not_found", f"Badge definition not found: {code}")


def test_an_inactive_badge_is_404(tenant, api, nothing_written):
    BadgeFactory(tenant=tenant, code="retired", is_active=False)

    with nothing_written():
        response = api.post(AWARD, FIRST_STEPS | {"badge_code": "retired"})

    assert refusal(response) == (404, "badge_not_found", "Badge definition not found: retired")


def test_a_deactivated_badge_is_404_even_for_its_owner_and_stays_in_their_list(api, admin_api, badges):
    api.post(AWARD, POWER_USER)
    admin_api.delete(f"/admin/badges/{Badge.objects.get(code='power_user').pk}")

    response = api.post(AWARD, POWER_USER)

    assert refusal(response) == (404, "badge_not_found", "Badge definition not found: power_user")
    assert codes(api.get(BADGES + "?earned_only=true")) == ["power_user"]


def test_a_change_of_the_definition_is_visible_at_once(api, admin_api, badges):
    first = api.post(AWARD, POWER_USER).json()
    admin_api.patch(f"/admin/badges/{Badge.objects.get(code='power_user').pk}", {"name": "Expert", "rarity": "epic"})

    again = api.post(AWARD, POWER_USER).json()

    assert again == first | {"badge_name": "Expert", "rarity": "epic", "already_earned": True}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"participant_id": None}, "participant_id"),
        ({"participant_id": ""}, "participant_id"),
        ({"participant_id": 5}, "participant_id"),
        ({"participant_id": "x" * 256}, "participant_id"),
        ({"participant_id": "a\nb"}, "participant_id"),
        ({"badge_code": None}, "badge_code"),
        ({"badge_code": ""}, "badge_code"),
        ({"badge_code": "  "}, "badge_code"),
        ({"badge_code": "x" * 51}, "badge_code"),
        ({"badge_code": "a\x00b"}, "badge_code"),
        ({"badge_code": ["first_steps"]}, "badge_code"),
        ({"metadata": []}, "metadata"),
        ({"metadata": "x"}, "metadata"),
        ({"metadata": {"a": "x" * 16_384}}, "metadata"),
    ],
)
def test_an_invalid_body_is_422_and_writes_nothing(api, badges, nothing_written, change, field):
    with nothing_written():
        response = api.post(AWARD, FIRST_STEPS | change)

    assert refused_fields(response) == [field]


@pytest.mark.parametrize("missing", ["participant_id", "badge_code"])
def test_a_missing_field_is_named(api, badges, nothing_written, missing):
    with nothing_written():
        response = api.post(AWARD, {name: value for name, value in FIRST_STEPS.items() if name != missing})

    assert refused_fields(response) == [missing]


@pytest.mark.parametrize("key", ["k1", "not a key", ""])
def test_an_idempotency_key_is_ignored(api, badges, key):
    for code in ("first_steps", "power_user"):
        body = {"participant_id": "user_123", "badge_code": code, "idempotency_key": "k1"}
        response = api.post(AWARD, body, headers={"Idempotency-Key": key})

        assert (response.status_code, response.json()["badge_code"]) == (200, code)
        assert "Idempotency-Replayed" not in response


def test_an_award_counts_against_the_participants_cap(tenant, api, badges, memory_limits, nothing_written):
    tenant.participant_writes_per_minute = 1
    tenant.save()
    first = api.post(AWARD, FIRST_STEPS)

    with nothing_written():
        second = api.post(AWARD, POWER_USER)

    assert (first.headers["X-RateLimit-Limit"], first.headers["X-RateLimit-Remaining"]) == ("1", "0")
    assert refusal(second)[:2] == (429, "RATE_LIMIT_PARTICIPANT_EXCEEDED")
    assert int(second.headers["Retry-After"]) >= 1


def test_an_award_updates_last_seen_and_a_repeated_award_does_not(api, badges):
    for day in (14, 15):
        with time_machine.travel(f"2026-02-{day}T10:00:00Z", tick=False):
            api.post(AWARD, FIRST_STEPS)

    assert Participant.objects.get().last_seen_at.day == 14


def test_statements_of_an_award_and_of_its_repeat(api, badges, queries):
    api.post(AWARD, FIRST_STEPS | {"participant_id": "somebody"})  # the catalog is read once

    with queries(7):  # key; lock, version, award; award, domain events, participant
        api.post(AWARD, FIRST_STEPS)
    with queries(4):
        api.post(AWARD, FIRST_STEPS)


def test_an_unknown_badge_costs_only_the_lookup_of_the_key(api, badges, queries):
    api.get(BADGES)

    with queries(1):
        api.post(AWARD, FIRST_STEPS | {"badge_code": "unknown_badge"})


# --- the list -------------------------------------------------------------------------------------------------------


def test_the_specs_list(tenant, api, badges):
    for number in range(6):
        BadgeFactory(tenant=tenant, code=f"more_{number}", display_order=10 + number)
    for code in ("first_steps", "more_3"):
        api.post(AWARD, FIRST_STEPS | {"badge_code": code})
    with time_machine.travel("2026-02-14T10:00:00Z", tick=False):
        api.post(AWARD, POWER_USER)

    response = api.get(BADGES + "?badge_codes=power_user")

    assert response.status_code == 200
    assert response.json() == {
        "participant_id": "user_123",
        "badges": [
            {
                "code": "power_user",
                "name": "Power User",
                "description": "Log in 10 times",
                "icon": "https://cdn.example.com/badges/power.png",
                "rarity": "rare",
                "earned": True,
                "earned_at": "2026-02-14T10:00:00Z",
            }
        ],
        "total": 8,
        "earned_count": 3,
    }


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["first_steps", "power_user"]),
        ("?earned_only=true", ["power_user"]),
        ("?earned_only=", ["first_steps", "power_user"]),
        ("?badge_codes=first_steps&badge_codes=power_user", ["first_steps", "power_user"]),
        ("?earned_only=false", ["first_steps", "power_user"]),
        ("?badge_codes=power_user,first_steps", ["first_steps", "power_user"]),
        ("?badge_codes=first_steps,first_steps", ["first_steps"]),
        ("?badge_codes=%20first_steps%20,", ["first_steps"]),
        ("?badge_codes=first_steps%2Cpower_user", ["first_steps", "power_user"]),
        ("?badge_codes=unknown,power_user", ["power_user"]),
        ("?badge_codes=unknown", []),
        ("?badge_codes=First_Steps", []),
        ("?badge_codes=", ["first_steps", "power_user"]),
        ("?earned_only=true&badge_codes=first_steps", []),
        ("?earned_only=true&badge_codes=first_steps,power_user", ["power_user"]),
    ],
)
def test_the_list_is_filtered_and_its_counts_are_not(api, badges, query, expected):
    api.post(AWARD, POWER_USER)

    response = api.get(BADGES + query)

    assert codes(response) == expected
    assert (response.json()["total"], response.json()["earned_count"]) == (2, 1)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("?earned_only=maybe", "earned_only"),
        ("?earned_only=1", "earned_only"),
        ("?earned_only=2", "earned_only"),
        ("?badge_codes=a%00b", "badge_codes"),
    ],
)
def test_an_invalid_filter_is_422(api, badges, query, field):
    assert refused_fields(api.get(BADGES + query)) == [field]


def test_an_unknown_participant_has_earned_nothing_and_is_not_created(api, badges, nothing_written):
    with nothing_written():
        response = api.get(BADGES)

    assert codes(response) == ["first_steps", "power_user"]
    assert not any(badge["earned"] or badge["earned_at"] for badge in response.json()["badges"])
    assert (response.json()["total"], response.json()["earned_count"]) == (2, 0)
    assert codes(api.get(BADGES + "?earned_only=true")) == []


def test_a_tenant_without_badges_has_an_empty_list(api):
    assert api.get(BADGES).json() == {"participant_id": "user_123", "badges": [], "total": 0, "earned_count": 0}


def test_active_badges_come_in_display_order_and_then_inactive_badges_that_were_earned(tenant, api):
    for code, order in (("b", 2), ("a", 2), ("c", -1), ("unset", 0)):
        BadgeFactory(tenant=tenant, code=code, display_order=order)
    user = ParticipantFactory(tenant=tenant, external_id="user_123")
    for code, order in (("z", -5), ("y", -6)):
        BadgeAwardFactory(participant=user, badge__code=code, badge__display_order=order, badge__is_active=False)
    BadgeFactory(tenant=tenant, code="retired_and_never_earned", is_active=False)

    response = api.get(BADGES)

    assert codes(response) == ["c", "unset", "a", "b", "y", "z"]
    assert [badge["earned"] for badge in response.json()["badges"]] == [False] * 4 + [True] * 2
    assert (response.json()["total"], response.json()["earned_count"]) == (6, 2)


def test_the_participant_id_in_the_path_is_decoded(api, badges):
    body = FIRST_STEPS | {"participant_id": "org/7 ü"}
    api.post(AWARD, body)

    response = api.get(f"/participants/{segment('org/7 ü')}/badges")

    assert (response.json()["participant_id"], response.json()["earned_count"]) == ("org/7 ü", 1)


@pytest.mark.parametrize("earned", [0, 1, 20])
def test_a_list_of_any_length_costs_the_same(tenant, api, queries, earned):
    user = ParticipantFactory(tenant=tenant, external_id="user_123")
    BadgeAwardFactory.create_batch(earned, participant=user)
    BadgeAwardFactory.create_batch(earned, participant=user, badge__is_active=False)
    api.get(BADGES)

    with queries(3):  # key, participant, awards with their badges
        assert api.get(BADGES).json()["earned_count"] == 2 * earned


# --- profile and state ----------------------------------------------------------------------------------------------


def test_the_quick_starts_state_has_the_badge(tenant, api):
    BadgeFactory(tenant=tenant, code="first_steps", name="First Steps")
    api.post(AWARD, FIRST_STEPS)

    response = api.get("/participants/user_123/state")

    assert like(response.json()["badges"], [{"code": "first_steps", "name": "First Steps", "earned": True}])


def test_the_specs_state_lists_all_badges(tenant, api, badges):
    user = ParticipantFactory(tenant=tenant, external_id="user_123")
    BadgeAwardFactory(participant=user, badge__code="old", badge__name="Old", badge__is_active=False)
    with time_machine.travel("2026-01-15T10:00:00Z", tick=False):
        api.post(AWARD, FIRST_STEPS)
    BadgeAward.objects.filter(badge__code="old").update(earned_at="2026-01-01T00:00:00Z")

    assert api.get(STATE).json() == {
        "participant_id": "user_123",
        "badges": [
            {"code": "first_steps", "name": "First Steps", "earned": True, "earned_at": "2026-01-15T10:00:00Z"},
            {"code": "power_user", "name": "Power User", "earned": False, "earned_at": None},
            {"code": "old", "name": "Old", "earned": True, "earned_at": "2026-01-01T00:00:00Z"},
        ],
    }


def test_the_state_of_an_unknown_participant_has_all_badges_unearned(api, badges):
    assert [(badge["code"], badge["earned"]) for badge in api.get(STATE).json()["badges"]] == [
        ("first_steps", False),
        ("power_user", False),
    ]


def test_the_specs_profile_has_the_earned_badges_only(api, badges):
    with time_machine.travel("2026-01-15T10:00:00Z", tick=False):
        api.post(AWARD, FIRST_STEPS)

    assert api.get("/participants/user_123").json()["badges"] == [
        {
            "code": "first_steps",
            "name": "First Steps",
            "description": None,
            "icon": None,
            "rarity": "common",
            "earned": True,
            "earned_at": "2026-01-15T10:00:00Z",
        }
    ]


# --- apart from others ----------------------------------------------------------------------------------------------


def test_another_tenant_and_the_sandbox_see_no_badges(api, other_api, sandbox_api, badges, nothing_written):
    api.post(AWARD, POWER_USER)

    for stranger in (other_api, sandbox_api):
        with nothing_written():
            assert refusal(stranger.post(AWARD, POWER_USER))[:2] == (404, "badge_not_found")
        assert stranger.get(BADGES).json()["badges"] == []
        assert stranger.get(STATE).json()["badges"] == []


def test_the_same_code_in_two_tenants_is_two_badges(tenant, other_tenant, api, other_api, sandbox_api):
    for owner in (tenant, tenant.sandbox, other_tenant):
        BadgeFactory(tenant=owner, code="first_steps", name=f"First Steps of {owner.slug} {owner.environment}")
    api.post(AWARD, FIRST_STEPS)

    answers = [stranger.post(AWARD, FIRST_STEPS).json() for stranger in (sandbox_api, other_api)]

    assert [(answer["badge_name"], answer["already_earned"]) for answer in answers] == [
        ("First Steps of acme sandbox", False),
        ("First Steps of globex live", False),
    ]
    assert BadgeAward.objects.count() == 3


# --- erasure --------------------------------------------------------------------------------------------------------


def test_a_deleted_participants_badges_are_gone_and_can_be_earned_again(api, admin_api, badges):
    for participant_id in ("user_123", "user_124"):
        api.post(AWARD, POWER_USER | {"participant_id": participant_id})

    admin_api.delete("/admin/participants/user_123")

    assert BadgeAward.objects.get().participant.external_id == "user_124"
    assert api.post(AWARD, POWER_USER).json()["already_earned"] is False


def test_an_anonymized_participant_keeps_badges_without_metadata(api, admin_api, badges):
    api.post(AWARD, POWER_USER | {"metadata": {"email": "jane@example.com"}})

    new_id = admin_api.delete("/admin/participants/user_123?anonymize=true").json()["participant_id"]

    assert codes(api.get(f"/participants/{new_id}/badges?earned_only=true")) == ["power_user"]
    assert "jane@example.com" not in repr(all_rows())


# --- for other domains ----------------------------------------------------------------------------------------------


def test_other_domains_grant_badges_in_units_of_their_own(tenant, badges):
    now = timezone.now()
    award(tenant=tenant, participant_id="user_1", badge_code="first_steps", metadata={}, now=now)
    loads = loads_for(catalog_of(tenant), ["first_steps", "power_user", "unknown"])

    with unit_of_work(tenant, ["user_1", "user_2"], now=now, loads=loads) as work:
        granted = [
            grant(work, work.participant(participant_id), code).already_earned
            for participant_id in ("user_1", "user_2")
            for code in ("first_steps", "power_user", "power_user")
        ]

    assert granted == [True, False, True, False, False, True]
    assert BadgeAward.objects.count() == 4


def test_granting_an_unknown_badge_is_refused_in_the_unit(tenant, badges):
    assert loads_for(catalog_of(tenant), ["unknown"]) == []

    with pytest.raises(BadgeNotFound), unit_of_work(tenant, ["user_1"], now=timezone.now()) as work:
        grant(work, work.participant("user_1"), "unknown")
