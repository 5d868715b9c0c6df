from datetime import timedelta

import pytest
import time_machine

from gamify.points.models import ExpiringCredit, LedgerEntry
from tests.client import refusal, refused_fields

AWARD, BATCH = "/points/award", "/points/award-batch"
BODY = {"participant_id": "ada", "amount": 100}


@pytest.mark.parametrize(
    ("sent", "expires_at"),
    [
        ({"expires_at": "2026-03-01T00:00:00Z"}, "2026-03-01T00:00:00Z"),
        ({"expires_at": "2026-03-01T01:00:00+01:00"}, "2026-03-01T00:00:00Z"),
        ({"expires_in_days": 30}, "2026-03-16T10:00:00Z"),
        ({"expires_in_days": None, "expires_at": None}, None),
    ],
)
def test_an_award_may_say_when_it_expires(api, sent, expires_at):
    with time_machine.travel("2026-02-14T10:00:00Z", tick=False):
        response = api.post(AWARD, BODY | sent)

    entry = api.get("/participants/ada/points/transactions").json()["transactions"][0]
    assert response.status_code == 200
    assert entry.get("expires_at") == expires_at
    assert ExpiringCredit.objects.count() == (expires_at is not None)


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"expires_at": "2026-02-14T10:00:00Z"}, "expires_at"),
        ({"expires_at": "1969-01-01T00:00:00Z"}, "expires_at"),
        ({"expires_at": "9999-12-31T23:59:59Z"}, "expires_at"),
        ({"expires_at": "0001-01-01T00:00:00+23:59"}, "expires_at"),
        ({"expires_at": "tomorrow"}, "expires_at"),
        ({"expires_at": 1}, "expires_at"),
        ({"expires_in_days": 0}, "expires_in_days"),
        ({"expires_in_days": -1}, "expires_in_days"),
        ({"expires_in_days": 36_526}, "expires_in_days"),
        ({"expires_in_days": 1.5}, "expires_in_days"),
        ({"expires_in_days": 1, "expires_at": "2026-03-01T00:00:00Z"}, "expires_in_days"),
    ],
)
def test_an_invalid_expiry_is_422_and_changes_nothing(api, nothing_written, sent, field):
    with time_machine.travel("2026-02-14T10:00:00Z", tick=False), nothing_written():
        response = api.post(AWARD, BODY | sent)

    assert refused_fields(response) == [field]


def test_an_item_whose_expiry_is_past_fails_alone(api):
    with time_machine.travel("2026-02-14T10:00:00Z", tick=False):
        late = BODY | {"participant_id": "bob", "expires_at": "2026-02-14T09:00:00Z"}
        answer = api.post(BATCH, {"awards": [BODY | {"expires_in_days": 1}, late]}).json()

    assert (answer["processed"], answer["failed"]) == (1, 1)
    assert answer["results"][1]["code"] == "validation_error"
    assert LedgerEntry.objects.count() == 1


def test_the_expire_entry_is_in_the_history(api):
    with time_machine.travel("2026-02-14T10:00:00Z", tick=False) as clock:
        api.post(AWARD, BODY | {"expires_in_days": 1})
        clock.shift(timedelta(days=1))
        api.post("/points/deduct", BODY | {"amount": 1})
        api.post(AWARD, BODY)

    transactions = api.get("/participants/ada/points/transactions").json()["transactions"]
    assert [(each["type"], each["delta"], each["balance_after"]) for each in transactions] == [
        ("award", 100, 100),
        ("expire", -100, 0),
        ("award", 100, 100),
    ]


# --- the balance at a moment -------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_the_balance_at_an_instant_in_the_past(api):
    with time_machine.travel("2026-02-14T10:00:00Z", tick=False) as clock:
        api.post(AWARD, BODY | {"expires_in_days": 1})
        clock.shift(timedelta(hours=1))
        api.post(AWARD, BODY | {"amount": 7})
        clock.shift(timedelta(hours=1))
        api.post("/points/deduct", BODY | {"amount": 30})
        clock.shift(timedelta(days=3))
        asked = {
            at: api.get(f"/participants/ada/points?at={at}").json()
            for at in ("2026-02-14T09:59:59Z", "2026-02-14T10:00:00Z", "2026-02-14T12:30:00Z", "2026-02-15T10:00:00Z")
        }

    shown = [(each["balance"], each["total_earned"], each["total_spent"]) for each in asked.values()]
    assert shown == [(0, 0, 0), (100, 100, 0), (77, 107, 30), (7, 107, 30)]
    assert asked["2026-02-14T12:30:00Z"] == {
        "participant_id": "ada",
        "balance": 77,
        "total_earned": 107,
        "total_spent": 30,
        "at": "2026-02-14T12:30:00Z",
    }


def test_an_unknown_participant_had_zero_points_at_any_instant(api):
    answer = api.get("/participants/nobody/points?at=2026-02-14T00:00:00").json()

    assert (answer["balance"], answer["at"]) == (0, "2026-02-14T00:00:00Z")


@pytest.mark.parametrize("at", ["2099-01-01T00:00:00Z", "yesterday", "2026-02-30", "1e9"])
def test_a_malformed_or_future_instant_is_422(api, at):
    assert refusal(api.get(f"/participants/ada/points?at={at}"))[:2] == (422, "validation_error")
