"""A client of the API, as the spec's curl lines are: a key, JSON in, JSON out; and what tests compare answers with."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from http import HTTPStatus
from typing import Any
from urllib.parse import quote
from uuid import uuid4

from django.http import HttpResponse
from django.test import Client

GAMIFY = "/api/v1/gamify"


@dataclass
class Api:
    """Sends paths below `base` as written, percent-encoding included, the way gunicorn hands them over."""

    key: str | None
    base: str = GAMIFY
    address: str = field(default_factory=lambda: f"address-{uuid4()}")  # failures are counted per address
    tells_raw_path: bool = True

    def get(self, path: str, **given: Any) -> HttpResponse:
        return self.send("GET", path, **given)

    def post(self, path: str, body: Any = None, **given: Any) -> HttpResponse:
        return self.send("POST", path, body, **given)

    def patch(self, path: str, body: Any = None, **given: Any) -> HttpResponse:
        return self.send("PATCH", path, body, **given)

    def delete(self, path: str, **given: Any) -> HttpResponse:
        return self.send("DELETE", path, **given)

    def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        headers: Mapping[str, str] | None = None,
        content_type: str = "application/json",
        **environ: Any,
    ) -> HttpResponse:
        """`body` is sent as it is where it is bytes, else as JSON."""
        url = self.base + path
        client = _client()
        if self.tells_raw_path:
            environ.setdefault("RAW_URI", url)
        return client.generic(
            method,
            url,
            _encoded(client, body),
            content_type,
            headers=self._key_header() | dict(headers or {}),
            **{"REMOTE_ADDR": self.address, **environ},
        )

    def _key_header(self) -> dict[str, str]:
        return {} if self.key is None else {"X-API-Key": self.key}


@cache
def _client() -> Client:
    """One for all: to build the middleware for every request would take longer than the request."""
    return Client(enforce_csrf_checks=True, raise_request_exception=False)


def _encoded(client: Client, body: Any) -> bytes:
    if body is None:
        return b""
    return body if isinstance(body, bytes) else client._encode_json(body, "application/json").encode()


def segment(participant_id: str) -> str:
    """A participant's id in a path."""
    return quote(participant_id, safe="")


def like(answer: Any, expected: Any) -> bool:
    """Whether `answer` says all that `expected` says; it may have more fields, and `...` stands for any value."""
    if expected is ...:
        return answer is not None
    if isinstance(expected, dict):
        return isinstance(answer, dict) and all(
            name in answer and like(answer[name], value) for name, value in expected.items()
        )
    if isinstance(expected, list):
        return isinstance(answer, list) and len(answer) == len(expected) and all(map(like, answer, expected))
    return type(answer) is type(expected) and bool(answer == expected)


def refusal(response: HttpResponse) -> tuple[int, str, str]:
    """Status, code and detail of a refusal in the Gamify dialect, whose shape is checked on the way."""
    body = response.json()
    assert set(body) == ({"detail", "code", "errors"} if "errors" in body else {"detail", "code"})
    assert isinstance(body["detail"], str)
    if "errors" in body:
        assert response.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        assert all(set(error) == {"field", "message"} for error in body["errors"])
    return response.status_code, body["code"], body["detail"]


def phoenix_refusal(response: HttpResponse) -> tuple[int, str, str]:
    """Status, code and message of a refusal in the Phoenix dialect, whose shape is checked on the way."""
    body = response.json()
    assert set(body) == {"error"}
    assert set(body["error"]) == {"code", "message", "status"}
    assert body["error"]["status"] == response.status_code
    return response.status_code, body["error"]["code"], body["error"]["message"]


def refused_fields(response: HttpResponse) -> list[str]:
    """The fields that a 422 complains of."""
    status, code, detail = refusal(response)
    assert (status, code) == (HTTPStatus.UNPROCESSABLE_ENTITY, "validation_error")
    fields = [error["field"] for error in response.json()["errors"]]
    assert detail.startswith(fields[0])
    return fields
