"""Short cuts of the API change no answer: fewer middleware classes, the table of routes, cached keys, shared parsers."""

import io
import json
import random
import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote, unquote
from uuid import uuid4

import pytest
import time_machine
from django.db import connection
from django.urls import Resolver404, get_resolver
from django.utils import timezone
from rest_framework.views import APIView

from gamify_project.errors import unknown_route
from gamify_project.routing import api_routes, route_table
from gamify_project.wsgi import Handler, application
from participants.api import key_cache
from participants.api.routes import slashes_separate
from participants.api.views import KeyViewSet
from participants.models import ApiKey, Tenant
from tests.client import GAMIFY
from tests.factories import BadgeFactory, TenantFactory, made_key

URLCONF = "gamify_project.urls"
REQUESTS = 1000
SEED = 20261130
PEOPLE = ["ada", "bob", "a/b", "50%", "two words", "żółw", "state", "points"]
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


# --- routes ---------------------------------------------------------------------------------------------------------

ARGUMENTS = ["ada", "a%2Fb", "100%25", "points", "state", "streaks", "admin", "a b", "\n", "%FF", "", uuid4().hex]


def known_paths() -> Iterator[str]:
    """Every route of the API, with each argument in the place of its parameters; also a little longer and shorter."""
    for text, _ in api_routes(URLCONF):
        for argument in ARGUMENTS:
            path = "/" + re.sub(r"<[^>]+>", lambda _, argument=argument: argument, text)
            yield from (path, f"{path}/", f"{path}/more", f"/{path}", path.rpartition("/")[0])


@pytest.fixture
def raw_paths() -> Iterator[None]:
    token = slashes_separate.set(True)
    yield
    slashes_separate.reset(token)


def test_the_table_finds_what_djangos_resolver_finds(raw_paths):
    table, differences = route_table(URLCONF), []
    for path in known_paths():
        found, expected = table.match(path), resolved(path)
        if found is None:
            is_equal = (
                expected is None or expected.func is unknown_route or not expected.route.startswith(("api", "v1"))
            )
        else:
            is_equal = expected is not None and described(found) == described(expected)
        if not is_equal:
            differences.append((path, found, expected))

    assert differences == []


def test_the_table_has_every_route_of_the_api():
    missing = [
        text for text, _ in api_routes(URLCONF) if "<" not in text and not route_table(URLCONF).match(f"/{text}")
    ]

    assert missing == []
    assert len(list(api_routes(URLCONF))) > 50


def resolved(path: str) -> Any:
    try:
        return get_resolver(URLCONF).resolve(path)
    except Resolver404:
        return None


def described(match: Any) -> Any:
    return match.func, match.args, match.kwargs, match.route, match.url_name, match.view_name


# --- requests -------------------------------------------------------------------------------------------------------


class World:
    """A tenant with a key, whose requests one handler answers."""

    def __init__(self, slug: str, handle: Callable[..., Any]) -> None:
        self.tenant = TenantFactory(slug=slug, name="Acme")
        self.keys = {"any": made_key(self.tenant).key, "admin": made_key(self.tenant, "admin").key, "bad": "bq_live_x"}
        self.handle = handle
        self.change("badge", 0)

    def change(self, kind: str, number: int) -> None:
        """Change something that the next request must notice."""
        if kind == "badge":
            BadgeFactory(tenant=self.tenant, code=f"b{number}", criteria={"metric": "total_earned", "min": 10 + number})
            Tenant.objects.filter(pk=self.tenant.pk).update(catalog_version=number + 2)
        elif kind == "revoke":
            revoked_at = timezone.now() if number % 2 else None
            ApiKey.objects.filter(tenant=self.tenant, scopes=[]).update(revoked_at=revoked_at)
        else:
            Tenant.objects.filter(pk=self.tenant.pk).update(is_active=not number % 2)

    def answer(self, method: str, path: str, body: bytes | None, headers: dict[str, str], key: str | None) -> Any:
        started: list[Any] = []
        environ = {
            "REQUEST_METHOD": method,
            "PATH_INFO": unquote(path.partition("?")[0]).encode().decode("latin-1"),
            "QUERY_STRING": path.partition("?")[2],
            "REQUEST_URI": path,
            "SERVER_NAME": "testserver",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": self.tenant.slug,
            "HTTP_HOST": "testserver",
            "HTTP_X_REQUEST_ID": "one",
            "wsgi.input": io.BytesIO(body or b""),
            "wsgi.url_scheme": "http",
            "CONTENT_TYPE": "application/json",
            "CONTENT_LENGTH": str(len(body or b"")),
            **({"HTTP_X_API_KEY": self.keys[key]} if key else {}),
            **headers,
        }
        response = self.handle(environ, lambda status, sent: started.append((status, dict(sent))))
        content = b"".join(response)
        response.close()
        status, sent = started[0]
        return status, sent, self._without_ids(content.decode())

    def _without_ids(self, text: str) -> str:
        """Replace each id by the number of its first appearance. Ids are random."""
        seen: dict[str, str] = {}
        return _UUID.sub(lambda found: seen.setdefault(found[0], f"id-{len(seen)}"), text)


def requests(source: random.Random) -> Iterator[tuple[Any, ...]]:
    """Yield random requests: (method, path, body, headers, name of the key)."""
    while True:
        method, path, body = source.choice(KINDS)(source)
        content = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = source.choices([{}, {"HTTP_IDEMPOTENCY_KEY": source.choice(["k1", "k2", "no key!"])}], [9, 1])[0]
        if source.random() < 0.03:
            headers["CONTENT_TYPE"] = source.choice(["text/plain", "application/json; charset=latin-1", ""])
        if source.random() < 0.03:
            method = source.choice(["PUT", "DELETE", "HEAD", "OPTIONS", "GET", "POST"])
        key = source.choices(["any", "admin", "bad", None], [80, 15, 3, 2])[0]
        yield method, GAMIFY + path, content, headers, key


def person(source: random.Random) -> str:
    return source.choice(PEOPLE)


def spoiled(source: random.Random, body: dict[str, Any]) -> Any:
    """Make one body in four invalid, or add an optional field to it."""
    chance = source.random()
    if chance < 0.1:
        body.pop(source.choice(list(body)))
    elif chance < 0.2:
        body[source.choice(list(body))] = source.choice(
            [None, "", "x" * 300, -1, 1.5, 10**20, True, [], {"a": 1}, "\u0000"]
        )
    elif chance < 0.25:
        return source.choice([b"", b"{", b"[]", b'{"a": 1, "a": 2}', b'{"amount": NaN}', b"\xff", b'"text"'])
    elif chance < 0.5:
        body["idempotency_key"] = source.choice(["k1", "k2", f"k{source.random()}"])
    elif chance < 0.6:
        body["metadata"] = {"price": 10.10, "nested": [1, {"deep": None}], "name": "żółw"}
    return body


def award(source: random.Random) -> Any:
    return "POST", "/points/award", spoiled(source, {"participant_id": person(source), "amount": source.randint(1, 9)})


def deduct(source: random.Random) -> Any:
    return "POST", "/points/deduct", spoiled(source, {"participant_id": person(source), "amount": source.randint(1, 9)})


def batch(source: random.Random) -> Any:
    awards = [award(source)[2] for _ in range(source.randint(0, 3))]
    return "POST", "/points/award-batch", {"awards": [each for each in awards if not isinstance(each, bytes)]}


def event(source: random.Random) -> Any:
    return (
        "POST",
        "/events",
        spoiled(source, {"participant_id": person(source), "event_name": "login", "properties": {}}),
    )


def badge(source: random.Random) -> Any:
    return "POST", "/badges/award", spoiled(source, {"participant_id": person(source), "badge_code": "b0"})


def record(source: random.Random) -> Any:
    return "POST", "/streaks/record", spoiled(source, {"participant_id": person(source), "streak_code": "daily"})


def profile(source: random.Random) -> Any:
    return "POST", "/participants", spoiled(source, {"participant_id": person(source), "display_name": "Ada"})


def update(source: random.Random) -> Any:
    name = quote(person(source), safe="")
    return "PATCH", f"/participants/{name}", spoiled(source, {"display_name": "Bob", "visible": True})


def read(source: random.Random) -> Any:
    what = source.choice(
        ["/points", "/state", "", "/badges", "/tier", "/streaks", "/points/transactions", "/challenges"]
    )
    query = source.choice(
        ["", "", "?include=points,tier", "?include=x", "?page=2&page_size=1", "?page=0", "?at=2026", "?at="]
    )
    return "GET", f"/participants/{quote(person(source), safe='')}{what}{query}", None


def listing(source: random.Random) -> Any:
    return (
        "GET",
        source.choice(["/admin/participants", "/admin/badges", "/leaderboards", "/admin/badges/x", "/nowhere"]),
        None,
    )


def remaining(answer: Any) -> int:
    """Take the number of requests that are left out of the headers."""
    return int(answer[1].pop("X-RateLimit-Remaining", 0))


KINDS = [award, award, award, deduct, batch, event, badge, record, profile, update, read, read, read, read, listing]


@pytest.mark.django_db(transaction=True)
def test_a_thousand_random_requests_are_answered_as_by_plain_django(monkeypatch, memory_limits):
    plain_handler = Handler()

    def plain(environ: Any, start_response: Any) -> Any:
        """All middleware, Django's resolver, DRF's own objects for each request, and no cached key."""
        key_cache._keys.clear()
        with pytest.MonkeyPatch.context() as patch:
            for name in ("get_authenticators", "get_parsers", "get_permissions", "get_renderers"):
                patch.setattr(KeyViewSet, name, getattr(APIView, name))
            return plain_handler(environ, start_response)

    source, cached = random.Random(SEED), 0
    with time_machine.travel(timezone.now(), tick=False):
        fast_world, plain_world = World("fast", application), World("plain", plain)
        fast_keys: dict[str, Any] = {}
        for number, request in zip(range(REQUESTS), requests(source), strict=False):
            if number % 40 == 0:
                change = source.choice(["badge", "revoke", "disable"]), number // 40 + 1
                fast_world.change(*change)
                plain_world.change(*change)
            key_cache._keys.update(fast_keys)
            fast = fast_world.answer(*request)
            fast_keys = dict(key_cache._keys)
            cached += bool(fast_keys)

            plain_answer = plain_world.answer(*request)

            # A request that began with a cached key is counted, even if the key turns out to be revoked.
            counted_more = remaining(plain_answer) - remaining(fast)
            assert plain_answer == fast, (number, request)
            assert 0 <= counted_more <= number // 40 + 1

    assert cached > REQUESTS / 4 or connection.vendor == "sqlite"  # nothing is cached there
