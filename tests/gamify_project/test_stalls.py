"""A PostgreSQL and a Redis that stop to answer, and a row that stays locked: the running product with its default limits.

The servers are this test's own. SIGSTOP leaves their sockets open, so connections are accepted and never answered.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import psycopg
import pytest

from tests.booting import Server, private_postgres, private_redis
from tests.processes import until
from tests.product import Product, running
from tests.raw_http import GAMIFY, PHOENIX, Answer, Connection, assert_in_shape, head

pytestmark = [pytest.mark.deployment, pytest.mark.timeout(600)]

RECOVERY_SECONDS = 10.0
AWARD = f"{GAMIFY}/points/award"
LOCK = "SELECT 1 FROM participants_participant WHERE external_id = 'locked' FOR UPDATE"


@dataclass(frozen=True)
class World:
    database: Server
    redis: Server
    product: Product

    def award(self, participant_id: str) -> bytes:
        body = f'{{"participant_id": "{participant_id}", "amount": 1}}'.encode()
        length = f"Content-Length: {len(body)}"
        return head("POST", AWARD, self.key("quickstart"), "Content-Type: application/json", length) + body

    def read(self, target: str, key: str = "quickstart_admin") -> bytes:
        return head("GET", target, self.key(key))

    def key(self, name: str) -> str:
        return f"X-API-Key: {self.product.keys()[name]}"

    def create(self, target: str, body: bytes) -> Answer:
        length = f"Content-Length: {len(body)}"
        request = head("POST", target, self.key("quickstart_admin"), "Content-Type: application/json", length) + body
        return self.answers([request])[0]

    @contextmanager
    def sent(self, requests: list[bytes]) -> Iterator[list[Connection]]:
        """Connections on each of which one of the requests was sent."""
        with ExitStack() as stack:
            connections = [stack.enter_context(Connection(self.product.port())) for _ in requests]
            for connection, request in zip(connections, requests, strict=True):
                connection.send(request)
            yield connections

    def answers(self, requests: list[bytes]) -> list[Answer]:
        """The answers to requests that were sent at the same time."""
        with self.sent(requests) as connections:
            return [connection.answer() for connection in connections]

    def is_well(self) -> bool:
        return {answer.status for answer in self.answers([self.award(f"user_{number}") for number in range(24)])} == {
            200
        }


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with private_postgres() as database, private_redis() as redis:
        settings = {"DATABASE_URL": database.url, "REDIS_URL": redis.url, "WEB_WORKERS": "2"}
        with running(tmp_path_factory.mktemp("stalls"), **settings) as product:
            product.wait_for("Gamify is running.")
            until(lambda: product.output.read_text().count("Booting worker") == 2, what="two workers")
            yield World(database, redis, product)


def test_a_request_that_waits_for_a_locked_row_is_refused_after_a_second_attempt(world: World) -> None:
    assert world.answers([world.award("locked")])[0].status == 200

    with psycopg.connect(world.database.url) as locking:
        locking.execute(LOCK)
        answers = world.answers([world.award("locked")] * 4)
        locking.rollback()

    for answer in answers:
        assert (answer.status, answer.headers["retry-after"]) == (503, "1")
        assert_in_shape(answer, AWARD)
    assert world.answers([world.award("locked")])[0].status == 200


def test_while_postgresql_is_silent_every_request_is_refused_in_shape_and_afterwards_all_are_served(
    world: World,
) -> None:
    targets = [f"{GAMIFY}/participants/user_123/points", f"{PHOENIX}/tenants/quickstart/streaks"]
    assert world.is_well()  # threads have connections, which will be silent

    with world.database.stopped():
        for _ in range(2):  # first the connections are found to be silent, then there are none
            for target in targets:
                for answer in world.answers([world.read(target)] * 6):
                    assert (answer.status, answer.headers["retry-after"]) == (503, "1")
                    assert_in_shape(answer, target)
            assert {answer.status for answer in world.answers([world.award("user_123")] * 12)} == {503}
            assert world.answers([head("GET", "/health")])[0].status == 200
            assert world.answers([head("GET", "/ready")])[0].status == 503
            assert world.answers([head("GET", "/console/", "Cookie: sessionid=unknown")])[0].status in {302, 503}

    until(world.is_well, what="the product has recovered", seconds=RECOVERY_SECONDS)


def test_a_silent_redis_is_left_alone(world: World) -> None:
    """A board and a webhook send messages for each award. Each process notices the silence, and few calls wait for it."""
    board = b'{"code": "silent", "name": "Silent"}'
    webhook = b'{"url": "http://127.0.0.1:9/hook", "event_types": ["*"]}'
    assert world.create(f"{GAMIFY}/admin/leaderboards", board).status == 201
    assert world.create(f"{GAMIFY}/admin/webhooks", webhook).status == 201
    assert world.is_well()

    with world.redis.stopped():
        answers = [answer for _ in range(10) for answer in world.answers([world.award("user_123")] * 4)]
        failures = world.product.output.read_text().count("redis_unavailable")
        assert world.answers([head("GET", "/ready")])[0].status == 503

    assert {answer.status for answer in answers} == {200}
    assert any("x-ratelimit-limit" not in answer.headers for answer in answers)
    assert 0 < failures < len(answers)
    until(
        lambda: "x-ratelimit-limit" in world.answers([world.award("user_123")])[0].headers,
        what="Redis is used again",
        seconds=RECOVERY_SECONDS,
    )
