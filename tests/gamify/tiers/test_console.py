"""Console screens of tiers. tests/streaks/test_console.py tests what all definitions share."""

import pytest

from gamify.tiers.models import Tier, TierChange
from participants.models import Participant
from tests.console import Console, errors_of, staff, text_of, trail
from tests.factories import LedgerEntryFactory, ParticipantFactory, TierFactory

LIST, ADD, CHANGE = "tiers_tier_changelist", "tiers_tier_add", "tiers_tier_change"
ASSIGN, PERSON = "participants_participant_assign_tier", "participants_participant_change"
SETTINGS = {
    "name": "Gold",
    "level": "3",
    "award_type": "automatic",
    "min_points": "10000",
    "basis": "balance",
    "is_active": "on",
    "display_order": "0",
}


def new(tenant, **fields) -> dict:
    return {**SETTINGS, "code": "gold", "opened_for": str(tenant.pk), **fields}


def test_a_tier_is_defined_with_all_its_settings(tenant, admin_api):
    settings = {"basis": "lifetime", "benefits": "Free shipping\r\n\r\n 10 % off, always ", "color": "#FFD700"}

    answer = Console(tenant).post(ADD, **new(tenant, **settings, icon_url="https://cdn.example/gold.png"))

    tier = Tier.objects.of(tenant).get()
    assert answer.url == "/console/tiers/tier/"
    shown = admin_api.get(f"/admin/tiers/{tier.pk}").json()
    wanted = {
        "code": "gold",
        "level": 3,
        "award_type": "automatic",
        "criteria_config": {"min_points": 10000, "basis": "lifetime"},
        "benefits": ["Free shipping", "10 % off, always"],
        "color": "#FFD700",
        "icon_url": "https://cdn.example/gold.png",
    }
    assert {name: shown[name] for name in wanted} == wanted
    assert trail() == [("Gold", 1, "Added.")]


def test_a_tier_given_only_by_hand_needs_no_points(tenant):
    Console(tenant).post(ADD, **new(tenant, award_type="manual", min_points=""))

    tier = Tier.objects.get()
    assert (tier.award_type, tier.criteria_config) == ("manual", {})


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("code", "taken", "Tier with code 'taken' already exists"),
        ("level", "", "This field is required."),
        ("level", "-1", "Ensure this value is greater than or equal to 0."),
        ("min_points", "", "Required for an automatic tier."),
        ("min_points", "-1", "Ensure this value is greater than or equal to 0."),
        ("min_points", "9223372036854775808", "Ensure this value is less than or equal to 9223372036854775807."),
        ("basis", "luck", "Select a valid choice. luck is not one of the available choices."),
        ("benefits", "a\r\n" + "x" * 201, "No. 2: Ensure this field has no more than 200 characters."),
        ("benefits", "x\n" * 51, "Ensure this field has no more than 50 elements."),
        ("icon_url", "ftp://x", "Must be an http or https URL."),
    ],
)
def test_the_form_refuses_what_the_api_refuses_beside_its_field(tenant, nothing_written, field, value, message):
    TierFactory(tenant=tenant, code="taken")
    console = Console(tenant)

    with nothing_written():
        answer = console.post(ADD, **new(tenant, **{field: value}))

    assert errors_of(answer) == {field: [message]}
    assert trail() == []


def test_an_edit_changes_only_the_edited_fields(tenant):
    tier = TierFactory(tenant=tenant, code="gold", name="Gold", level=3, benefits=["Free shipping"])

    Console(tenant).edit(CHANGE, tier.pk, min_points="5000", benefits="Free shipping\r\nA cake")

    tier.refresh_from_db()
    assert tier.criteria_config == {"min_points": 5000, "basis": "balance"}
    assert tier.benefits == ["Free shipping", "A cake"]
    assert trail() == [("Gold", 2, "Changed From points and Benefits.")]


def test_an_edit_is_validated_together_with_the_unchanged_fields(tenant, nothing_written):
    tier = TierFactory(tenant=tenant, award_type="manual", criteria_config={}, name="Gold", level=3)
    console = Console(tenant)

    with nothing_written():
        answer = console.edit(CHANGE, tier.pk, award_type="automatic")

    assert errors_of(answer) == {"min_points": ["Required for an automatic tier."]}


def test_saving_unchanged_writes_nothing(tenant, nothing_written):
    tier = TierFactory(tenant=tenant, name="Gold", level=3, benefits=["a", "b"])
    console = Console(tenant)

    with nothing_written():
        assert console.edit(CHANGE, tier.pk).status_code == 302


def test_the_list_shows_how_tiers_are_reached(tenant, queries):
    TierFactory(tenant=tenant, name="Gold")
    TierFactory(tenant=tenant, name="Vip", award_type="manual", criteria_config={}, is_active=False)
    console = Console(tenant)

    with queries(5):  # session, user, second factor, picked tenant, the tiers
        shown = text_of(console.get(LIST))

    assert "from 10,000, the balance" in shown
    assert "only by hand" in shown


def test_tiers_are_switched_off_and_on(tenant):
    tier = TierFactory(tenant=tenant, code="gold", name="Gold")
    console = Console(tenant)

    for action in ("deactivate", "activate"):
        console.post(LIST, action=action, confirmed="yes", _selected_action=[str(tier.pk)])

    assert [message for _, _, message in trail()] == ["Deactivated.", "Activated."]


def test_tiers_of_other_tenants_are_out_of_reach_and_an_assignment_needs_a_reason(
    tenant, other_tenant, nothing_written
):
    stranger = TierFactory(tenant=other_tenant, code="secret", name="Secret")
    participant = ParticipantFactory(tenant=tenant)
    TierFactory(tenant=tenant, code="gold")
    console = Console(tenant)

    with nothing_written():
        assert console.post(CHANGE, stranger.pk, **SETTINGS).status_code == 302
        console.post(LIST, action="deactivate", confirmed="yes", _selected_action=[str(stranger.pk)])
        refused = console.post(ASSIGN, participant.pk, tier_code="secret", reason="Goodwill")
        unexplained = console.post(ASSIGN, participant.pk, tier_code="gold")

    assert "Secret" not in text_of(console.get(LIST)) + text_of(console.get(ASSIGN, participant.pk))
    assert errors_of(refused) == {
        "tier_code": ["Select a valid choice. secret is not one of the available choices."],
    }
    assert errors_of(unexplained) == {"reason": ["This field is required."]}


def test_a_tier_is_assigned_on_the_participants_page(tenant, api):
    TierFactory(tenant=tenant, code="gold", name="Gold", level=3)
    participant = ParticipantFactory(tenant=tenant, external_id="u1", points=100)
    console = Console(tenant)

    answer = console.post(ASSIGN, participant.pk, tier_code="gold", reason="Goodwill")

    assert answer.url == f"/console/participants/participant/{participant.pk}/change/"
    assert api.get("/participants/u1/tier").json()["current_tier"]["code"] == "gold"
    assert trail() == [(f"Participant {participant.pk}", 2, "Assigned tier gold.")]
    shown = text_of(console.get(PERSON, participant.pk))
    assert '<p class="console-figure">Gold</p>' in shown
    assert "Assigned by hand." in shown
    assert "<td>Gold (level 3)</td><td>–</td><td>by hand</td><td>Goodwill</td>" in shown


def test_a_form_that_is_sent_twice_assigns_once(tenant):
    TierFactory(tenant=tenant, code="gold", level=3)
    TierFactory(tenant=tenant, code="top", level=4)
    participant = ParticipantFactory(tenant=tenant)
    console = Console(tenant)
    key = console.get(ASSIGN, participant.pk).context["form"]["idempotency_key"].value()

    console.post(ASSIGN, participant.pk, tier_code="gold", reason="Goodwill", idempotency_key=key)
    console.post(ASSIGN, participant.pk, tier_code="top", reason="Goodwill")
    console.post(ASSIGN, participant.pk, tier_code="gold", reason="Goodwill", idempotency_key=key)

    assert Participant.objects.get().tier_code == "top"
    assert TierChange.objects.count() == 2
    assert len(trail()) == 2


def test_only_active_tiers_are_offered_and_none_where_there_are_none(tenant, nothing_written):
    participant = ParticipantFactory(tenant=tenant)
    TierFactory(tenant=tenant, code="old", is_active=False)
    console = Console(tenant)

    with nothing_written():
        assert "Assign tier" not in text_of(console.get(PERSON, participant.pk))
        assert console.post(ASSIGN, participant.pk, tier_code="old", reason="Goodwill").status_code == 302


def test_assigning_needs_its_own_permission(tenant, nothing_written):
    TierFactory(tenant=tenant, code="gold")
    participant = ParticipantFactory(tenant=tenant)
    console = Console(tenant, user=staff("participants.view_participant", "tiers.change_tier"))

    with nothing_written():
        assert console.post(ASSIGN, participant.pk, tier_code="gold", reason="Goodwill").status_code == 403


def test_the_participants_page_shows_the_next_tier(tenant):
    TierFactory(tenant=tenant, name="Gold")
    participant = ParticipantFactory(tenant=tenant)
    LedgerEntryFactory(participant=participant, delta=1500)

    shown = text_of(Console(tenant).get(PERSON, participant.pk))

    assert "8,500 points to Gold (1,500 of 10,000)" in shown
    assert "They have not been in any tier." in shown
