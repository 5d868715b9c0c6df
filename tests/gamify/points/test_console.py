from datetime import UTC, datetime
from decimal import Decimal

import pytest

from gamify.points.models import Boost, ExpiringCredit, LedgerEntry
from participants.models import Participant
from tests.console import Console, errors_of, staff, text_of, trail
from tests.factories import LedgerEntryFactory, ParticipantFactory, TierFactory


def test_points_are_awarded_on_the_participants_page(tenant):
    participant = ParticipantFactory(tenant=tenant, points=100)
    console = Console(tenant)

    answer = console.post("participants_participant_award", participant.pk, amount=25, reason="Goodwill")

    assert answer.url == f"/console/participants/participant/{participant.pk}/change/"
    entry = LedgerEntry.objects.latest("number")
    assert (entry.type, entry.delta, entry.balance_after, entry.reason) == ("award", 25, 125, "Goodwill")
    message = f"Awarded 25 points, ledger entry {entry.pk}."
    assert message in text_of(console.get("participants_participant_history", participant.pk))
    assert trail() == [(f"Participant {participant.pk}", 2, message)]


def test_points_are_deducted_on_the_participants_page(tenant):
    participant = ParticipantFactory(tenant=tenant, points=100)

    Console(tenant).post("participants_participant_deduct", participant.pk, amount=40, reason="Mistake")

    assert (LedgerEntry.objects.latest("number").delta, Participant.objects.get().balance) == (-40, 60)
    assert len(trail()) == 1


@pytest.mark.parametrize("page", ["award", "deduct"])
def test_a_form_that_is_sent_twice_acts_once(tenant, page):
    participant = ParticipantFactory(tenant=tenant, points=100)
    console = Console(tenant)
    asked = console.get(f"participants_participant_{page}", participant.pk)
    key = asked.context["form"]["idempotency_key"].value()

    answers = [
        console.post(
            f"participants_participant_{page}", participant.pk, amount=40, reason="Goodwill", idempotency_key=key
        )
        for _ in range(2)
    ]

    assert key in text_of(asked)
    assert [answer.status_code for answer in answers] == [302, 302]
    assert LedgerEntry.objects.count() == 2
    assert len(trail()) == 1
    assert "Sent twice, done once" in text_of(console.get("participants_participant_change", participant.pk))


def test_the_key_of_a_sent_form_cannot_be_used_for_another_change(tenant, nothing_written):
    participant = ParticipantFactory(tenant=tenant)
    console = Console(tenant)
    console.post("participants_participant_award", participant.pk, amount=40, reason="x", idempotency_key="k")

    with nothing_written():
        answer = console.post(
            "participants_participant_award", participant.pk, amount=41, reason="x", idempotency_key="k"
        )

    assert "Open the page again" in text_of(answer)


@pytest.mark.parametrize(
    ("page", "amount", "message"),
    [
        ("deduct", "101", "Insufficient points. Available: 100, requested: 101"),
        ("deduct", "0", "Ensure this value is greater than or equal to 1."),
        ("award", "1000001", "Ensure this value is less than or equal to 1000000."),
        ("award", "many", "Enter a whole number."),
    ],
)
def test_a_refusal_is_an_error_of_the_amount(tenant, nothing_written, page, amount, message):
    participant = ParticipantFactory(tenant=tenant, points=100)
    console = Console(tenant)

    with nothing_written():
        answer = console.post(f"participants_participant_{page}", participant.pk, amount=amount, reason="x")

    assert errors_of(answer) == {"amount": [message]}
    assert trail() == []


def test_awarding_needs_its_own_permission(tenant):
    participant = ParticipantFactory(tenant=tenant)
    console = Console(tenant, user=staff("participants.view_participant", "points.add_ledgerentry"))

    answer = console.post("participants_participant_award", participant.pk, amount=5, reason="x")

    assert answer.status_code == 302
    assert Participant.objects.get().balance == 5


def test_the_ledger_cannot_be_edited(tenant, nothing_written):
    entry = LedgerEntryFactory(participant=ParticipantFactory(tenant=tenant))
    console = Console(tenant)

    with nothing_written():
        answers = [
            console.get("points_ledgerentry_add"),
            console.post("points_ledgerentry_change", entry.pk, delta=1),
            console.post("points_ledgerentry_delete", entry.pk, post="yes"),
            console.post("points_ledgerentry_changelist", action="delete_selected", _selected_action=[str(entry.pk)]),
        ]

    assert [answer.status_code for answer in answers[:3]] == [403, 403, 403]


def test_the_ledger_shows_the_newest_first(tenant):
    participant = ParticipantFactory(tenant=tenant)
    for delta in (11, 22, 33):
        LedgerEntryFactory(participant=participant, delta=delta)

    shown = text_of(Console(tenant).get("points_ledgerentry_changelist"))

    assert shown.index("+33") < shown.index("+22") < shown.index("+11")


def test_the_list_of_entries_makes_a_constant_number_of_queries_and_no_count(tenant, queries):
    console = Console(tenant)

    for number_of_new in (1, 30):
        for _ in range(number_of_new):
            LedgerEntryFactory(participant=ParticipantFactory(tenant=tenant))
        with queries(5):  # session, user, second factor, picked tenant, the entries with their participants
            assert console.get("points_ledgerentry_changelist").status_code == 200


def test_the_page_of_an_entry_shows_all_its_fields(tenant, queries):
    entry = LedgerEntryFactory(
        participant=ParticipantFactory(tenant=tenant), metadata={"order": "<A-1>"}, reason="Bonus"
    )
    console = Console(tenant)

    with queries(
        6
    ):  # session, user, second factor, picked tenant, the entry with its participant, whether it is reversed
        shown = text_of(console.get("points_ledgerentry_change", entry.pk))

    assert "Bonus" in shown
    assert "<th>order</th><td><A-1></td>" in shown


def test_entries_of_other_tenants_are_out_of_reach(tenant, other_tenant):
    console = Console(tenant)
    for owner in (other_tenant, tenant.sandbox):
        stranger = ParticipantFactory(tenant=owner, external_id="stranger")
        entry = LedgerEntryFactory(participant=stranger, reason="none of your business")

        assert console.get("points_ledgerentry_change", entry.pk).status_code == 302
        assert console.get("points_ledgerentry_history", entry.pk).status_code == 302
        for query in ({}, {"q": "stranger"}, {"participant__id__exact": str(stranger.pk)}):
            assert "none of your business" not in text_of(console.get("points_ledgerentry_changelist", **query))


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"q": "ada"}, {"+7", "-2"}),
        ({"q": "ad"}, set()),
        ({"type__exact": "deduct"}, {"-2"}),
        ({"created_at_from": "2026-02-01", "created_at_to": "2026-02-01"}, {"-2"}),
        ({"created_at_from": "2026-02-02"}, {"+4"}),
    ],
)
def test_entries_are_found_by_participant_type_and_day(tenant, query, found):
    ada, bob = (ParticipantFactory(tenant=tenant, external_id=name) for name in ("ada", "bob"))
    LedgerEntryFactory(participant=ada, delta=7, created_at=datetime(2026, 1, 1, tzinfo=UTC))
    LedgerEntryFactory(participant=ada, delta=-2, created_at=datetime(2026, 2, 1, 23, 59, tzinfo=UTC))
    LedgerEntryFactory(participant=bob, delta=4, created_at=datetime(2026, 2, 2, tzinfo=UTC))

    shown = text_of(Console(tenant).get("points_ledgerentry_changelist", **query))

    assert {delta for delta in ("+7", "-2", "+4") if f">{delta}<" in shown} == found


# --- adjustments, reversals, boosts, expiry ----------------------------------------------------------------------------


def test_a_balance_is_adjusted_with_a_reason_and_the_tier_stays(tenant):
    participant = ParticipantFactory(tenant=tenant, points=100)
    TierFactory(tenant=tenant, criteria_config={"min_points": 110})

    console = Console(tenant)
    console.post("participants_participant_adjust", participant.pk, delta=25, reason="Import was short")
    console.post("participants_participant_adjust", participant.pk, delta=-5, reason="Too much")

    participant.refresh_from_db()
    assert (participant.balance, participant.total_earned, participant.tier_code) == (120, 120, None)
    assert list(LedgerEntry.objects.filter(type="adjust").order_by("number").values_list("delta", "reason")) == [
        (25, "Import was short"),
        (-5, "Too much"),
    ]
    assert len(trail()) == 2


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"delta": 0, "reason": "r"}, "delta"),
        ({"delta": 5, "reason": ""}, "reason"),
        ({"delta": 5, "reason": "a\nb"}, "reason"),
        ({"delta": -101, "reason": "r"}, "__all__"),
        ({"delta": 2**63, "reason": "r"}, "delta"),
    ],
)
def test_a_refused_adjustment_is_an_error_of_the_form(tenant, nothing_written, data, field):
    participant = ParticipantFactory(tenant=tenant, points=100)
    console = Console(tenant)

    with nothing_written():
        answer = console.post("participants_participant_adjust", participant.pk, **data)

    assert field in errors_of(answer)


def test_an_award_in_the_console_may_expire(tenant):
    participant = ParticipantFactory(tenant=tenant)
    console = Console(tenant)
    asked = {"amount": 25, "reason": "Goodwill"}

    refused = console.post("participants_participant_award", participant.pk, **asked, expires_at="2020-01-01T00:00")
    console.post("participants_participant_award", participant.pk, **asked, expires_at="2099-01-01T00:00")

    assert "expires_at" in errors_of(refused)
    assert ExpiringCredit.objects.get().expires_at == datetime(2099, 1, 1, tzinfo=UTC)
    assert "Points that expire" in text_of(console.get("participants_participant_change", participant.pk))


def test_an_entry_is_reversed_after_a_preview(tenant):
    participant = ParticipantFactory(tenant=tenant, external_id="ada")
    console = Console(tenant)
    console.post("participants_participant_award", participant.pk, amount=25, reason="Goodwill")
    entry = LedgerEntry.objects.get()

    asked = text_of(console.get("points_ledgerentry_reverse", entry.pk))
    console.post("points_ledgerentry_reverse", entry.pk, reason="Mistake")
    again = console.get("points_ledgerentry_reverse", entry.pk)

    assert "The balance of ada changes by -25 points to 0." in asked
    assert LedgerEntry.objects.get(type="reversal").reason == "Mistake"
    assert again.status_code == 302
    assert "Reversed by entry" in trail()[-1][2]


def test_the_preview_says_that_too_much_of_an_entry_is_spent(tenant):
    participant = ParticipantFactory(tenant=tenant)
    console = Console(tenant)
    console.post("participants_participant_award", participant.pk, amount=25, reason="Goodwill")
    entry = LedgerEntry.objects.get()
    console.post("participants_participant_deduct", participant.pk, amount=20, reason="Spent")

    assert "This entry cannot be reversed now: Insufficient points." in text_of(
        console.get("points_ledgerentry_reverse", entry.pk)
    )
    assert errors_of(console.post("points_ledgerentry_reverse", entry.pk, reason="r"))


def test_a_boost_is_defined_in_a_form(tenant):
    console = Console(tenant)
    form = {"code": "weekend", "name": "Weekend", "multiplier": "2.5", "is_active": "on", "display_order": 0}
    form["opened_for"] = str(tenant.pk)

    refused = console.post("points_boost_add", **form | {"multiplier": "0"})
    console.post("points_boost_add", **form)

    boost = Boost.objects.get()
    assert "multiplier" in errors_of(refused)
    assert boost.multiplier == Decimal("2.5")
    assert "× 2.5" in text_of(console.get("points_boost_changelist"))
    console.edit("points_boost_change", boost.pk, multiplier="3", ends_at="2020-01-01T00:00")
    boost.refresh_from_db()
    assert (boost.multiplier, boost.ends_at) == (Decimal(3), datetime(2020, 1, 1, tzinfo=UTC))
