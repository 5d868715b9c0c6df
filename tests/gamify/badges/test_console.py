"""Badges in the console; what all definitions have in common is in tests/streaks/test_console.py."""

import pytest

from gamify.badges.models import Badge, BadgeAward
from tests.console import Console, errors_of, staff, text_of, trail
from tests.factories import BadgeAwardFactory, BadgeFactory, ParticipantFactory

LIST, ADD, CHANGE = "badges_badge_changelist", "badges_badge_add", "badges_badge_change"
AWARD, PERSON = "participants_participant_award_badge", "participants_participant_change"
SETTINGS = {"name": "Champion", "rarity": "legendary", "is_active": "on", "display_order": "0"}


def new(tenant, **fields) -> dict:
    return {**SETTINGS, "code": "champion", "opened_for": str(tenant.pk), **fields}


def test_a_badge_is_defined_with_all_its_settings(tenant, admin_api):
    settings = {"category": "sport", "icon_url": "https://cdn.example/cup.png", "description": "Won."}

    answer = Console(tenant).post(ADD, **new(tenant, **settings, display_order="-2"))

    badge = Badge.objects.of(tenant).get()
    assert answer.url == "/console/badges/badge/"
    shown = admin_api.get(f"/admin/badges/{badge.pk}").json()
    wanted = settings | {"code": "champion", "name": "Champion", "rarity": "legendary", "display_order": -2}
    assert {name: shown[name] for name in wanted} == wanted
    assert trail() == [("Champion", 1, "Added.")]


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("code", "taken", "Badge with code 'taken' already exists"),
        ("rarity", "odd", "Select a valid choice. odd is not one of the available choices."),
        ("category", "x" * 101, "Ensure this field has no more than 100 characters."),
        ("icon_url", "javascript:alert(1)", "Must be an http or https URL."),
    ],
)
def test_the_form_shows_refusals_of_the_api_on_the_field(tenant, nothing_written, field, value, message):
    BadgeFactory(tenant=tenant, code="taken")
    console = Console(tenant)

    with nothing_written():
        answer = console.post(ADD, **new(tenant, **{field: value}))

    assert errors_of(answer) == {field: [message]}
    assert trail() == []


def test_an_edit_changes_only_the_edited_field(tenant):
    badge = BadgeFactory(tenant=tenant, name="Champion", rarity="legendary", category="sport")

    Console(tenant).edit(CHANGE, badge.pk, category="")

    badge.refresh_from_db()
    assert badge.category is None
    assert trail() == [("Champion", 2, "Changed Category.")]


def test_the_list_shows_rarity_and_category_with_one_query(tenant, queries):
    BadgeFactory(tenant=tenant, rarity="epic", category="sport")
    BadgeFactory.create_batch(20, tenant=tenant)
    console = Console(tenant)

    with queries(5):  # session, user, second factor, picked tenant, the badges
        shown = text_of(console.get(LIST))

    assert "Epic" in shown
    assert "sport" in shown


def test_badges_are_deactivated_and_activated(tenant):
    badge = BadgeFactory(tenant=tenant)
    console = Console(tenant)

    for action in ("deactivate", "activate"):
        console.post(LIST, action=action, confirmed="yes", _selected_action=[str(badge.pk)])

    assert [message for _, _, message in trail()] == ["Deactivated.", "Activated."]


def test_badges_of_other_tenants_are_out_of_reach(tenant, other_tenant, nothing_written):
    stranger = BadgeFactory(tenant=other_tenant, code="secret", name="Secret")
    BadgeFactory(tenant=tenant)
    participant = ParticipantFactory(tenant=tenant)
    console = Console(tenant)

    with nothing_written():
        assert console.post(CHANGE, stranger.pk, **SETTINGS).status_code == 302
        console.post(LIST, action="deactivate", confirmed="yes", _selected_action=[str(stranger.pk)])
        refused = console.post(AWARD, participant.pk, badge_code="secret", audit_reason="x")

    assert "Secret" not in text_of(console.get(LIST)) + text_of(console.get(AWARD, participant.pk))
    assert list(errors_of(refused)) == ["badge_code"]


def test_a_badge_is_awarded_on_the_participants_page_once(tenant):
    badge = BadgeFactory(tenant=tenant, code="champion", name="Champion", rarity="epic")
    participant = ParticipantFactory(tenant=tenant)
    console = Console(tenant)

    answers = [console.post(AWARD, participant.pk, badge_code="champion", audit_reason="Contest") for _ in range(2)]

    award = BadgeAward.objects.get()
    assert [answer.status_code for answer in answers] == [302, 302]
    assert (award.participant_id, award.badge_id) == (participant.pk, badge.pk)
    assert trail() == [(f"Participant {participant.pk}", 2, "Awarded badge champion. Reason: Contest")]
    shown = text_of(console.get(PERSON, participant.pk))
    assert "They have Champion already" in shown
    assert "<td>Champion</td><td>Epic</td>" in shown


def test_only_badges_that_can_be_awarded_are_offered(tenant):
    participant = ParticipantFactory(tenant=tenant)
    BadgeAwardFactory(participant=participant, badge__name="Has it")
    BadgeFactory(tenant=tenant, name="Not yet")
    BadgeFactory(tenant=tenant, name="Retired", is_active=False)

    shown = text_of(Console(tenant).get(AWARD, participant.pk))

    assert [name in shown for name in ("Has it", "Not yet", "Retired")] == [False, True, False]


def test_awarding_needs_its_own_permission(tenant, nothing_written):
    BadgeFactory(tenant=tenant, code="champion")
    participant = ParticipantFactory(tenant=tenant)
    console = Console(tenant, user=staff("participants.view_participant", "badges.change_badge"))

    with nothing_written():
        assert console.post(AWARD, participant.pk, badge_code="champion").status_code == 403
