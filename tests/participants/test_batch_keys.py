"""Idempotency keys of batches are hashed after a week, and repeats are still recognized."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from participants import tasks
from participants.models import IdempotencyKey, Participant
from participants.services.batch_keys import READABLE_DAYS
from tests.client import refusal

AWARDS = {"awards": [{"participant_id": "ada", "amount": 5}, {"participant_id": "bo", "amount": 7}]}


def send(api, key="weekly-ada", body=AWARDS):
    return api.post("/points/award-batch", body, headers={"Idempotency-Key": key})


@pytest.fixture
def later():
    """`later(days=8)` runs the nightly task at the time in 8 days."""

    def run(**span):
        with time_machine.travel(timezone.now() + timedelta(**span), tick=False):
            tasks.hash_batch_keys()

    return run


def keys():
    return list(IdempotencyKey.objects.values_list("key", flat=True))


def test_a_key_is_readable_for_a_week_and_then_hashed(api, later):
    first = send(api).json()

    later(days=READABLE_DAYS - 1)
    assert keys() == ["weekly-ada"]
    later(days=READABLE_DAYS + 1)

    [key] = keys()
    assert key.startswith("#")
    again = send(api)
    assert (again.json(), again.headers["Idempotency-Replayed"]) == (first, "true")
    assert refusal(send(api, body={"awards": AWARDS["awards"][:1]}))[:2] == (422, "IDEMPOTENCY_KEY_REUSED")
    assert dict(Participant.objects.values_list("external_id", "balance")) == {"ada": 5, "bo": 7}


def test_keys_of_participants_are_not_hashed(api, later):
    api.post("/points/award", {"participant_id": "ada", "amount": 1, "idempotency_key": "mine"})

    later(days=READABLE_DAYS + 1)

    assert keys() == ["mine"]


@pytest.mark.parametrize("is_hashed", [False, True])
def test_a_repeat_is_recognized_after_the_secret_key_was_replaced(api, later, settings, is_hashed):
    send(api)
    if is_hashed:
        later(days=READABLE_DAYS + 1)
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "another-secret-key-that-is-long-enough"

    assert send(api).headers["Idempotency-Replayed"] == "true"


def test_a_client_cannot_send_a_hash_as_a_key(api, later):
    send(api)
    later(days=READABLE_DAYS + 1)

    assert refusal(send(api, key=keys()[0]))[:2] == (400, "IDEMPOTENCY_KEY_INVALID")
