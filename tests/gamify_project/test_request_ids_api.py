import re

import pytest
from django.test import Client

BALANCE = "/participants/user_123/points"


@pytest.mark.parametrize("request_id", ["a", "req-1", "01HZ.ABC:7/x+y=_", "x" * 128])
def test_a_valid_request_id_is_returned(api, request_id):
    assert api.get(BALANCE, headers={"X-Request-Id": request_id})["X-Request-Id"] == request_id


@pytest.mark.parametrize("request_id", ["", " ", "with space", "ünï", "x" * 129, "a\tb", "<script>", '"', "a\nb: c"])
def test_an_invalid_request_id_is_replaced(api, request_id):
    answered = api.get(BALANCE, HTTP_X_REQUEST_ID=request_id)["X-Request-Id"]

    assert re.fullmatch("[0-9a-f]{32}", answered)


def test_requests_without_a_request_id_get_one_each(api):
    assert api.get(BALANCE)["X-Request-Id"] != api.get(BALANCE)["X-Request-Id"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/v1/gamify/nope"),
        ("POST", "/api/v1/gamify/points/award"),
        ("GET", "/v1/nope"),
        ("GET", "/nope"),
        ("GET", "/health"),
        ("GET", "/static/nope.css"),
    ],
)
def test_every_answer_has_a_request_id_errors_too(db, method, path):
    response = Client().generic(method, path, headers={"X-Request-Id": "mine"})

    assert response["X-Request-Id"] == "mine"
