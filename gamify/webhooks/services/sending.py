"""Sends one try of one delivery over HTTP: signed, with a deadline, without redirects, proxies or cookies. Uses no database."""

import contextlib
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, lru_cache

import httpcore2
import structlog
from django.conf import settings
from django.utils import timezone
from prometheus_client import Counter

from gamify.webhooks.engine.schedule import parse_retry_after
from gamify.webhooks.engine.signing import signature_headers
from gamify.webhooks.services.network import GuardedBackend, NotPublic, time_limit
from participants.measuring import counted

MAX_ANSWER_BYTES = 64 * 1024
MAX_ANSWER_BODY_SECONDS = 1.0
MAX_IDLE_CONNECTIONS = 100
KEEPALIVE_SECONDS = 5.0  # shorter than the timeout of most servers, so that they do not close a connection as we send
USER_AGENT = "Gamify-Webhooks/1"
HTTP_GONE = 410
ERROR_NUMBER = re.compile(r"^\[Errno -?\d+\] ")

tries = Counter(
    "gamify_delivery_tries", "Requests to receivers of webhooks, by how they ended.", ["outcome"], registry=counted
)

logger = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Post:
    """A request to send. Without `secrets` it cannot be signed, which is a failure of its own."""

    url: str
    message_id: str
    version: int
    body: bytes
    secrets: Sequence[str]


@dataclass(frozen=True)
class Try:
    """The result: a status, or an error. `retry_after` is the pause that the endpoint asked for."""

    at: datetime
    milliseconds: int
    status: int | None = None
    error: str | None = None
    retry_after: timedelta | None = None

    @property
    def has_succeeded(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


def send(post: Post) -> Try:
    """Send a delivery once. Never raises: every problem is in the result."""
    at, started = timezone.now(), time.monotonic()
    status, error, retry_after = _try(post, at)
    tries.labels("failed" if error else "delivered").inc()
    return Try(at, round((time.monotonic() - started) * 1000), status, error, retry_after)


def _try(post: Post, at: datetime) -> tuple[int | None, str | None, timedelta | None]:
    if not post.secrets:
        return None, "its secret cannot be decrypted", None
    try:
        with time_limit(settings.WEBHOOK_TIMEOUT_SECONDS):
            return _post(post, at)
    except NotPublic as refusal:
        return None, f"not a public address: {refusal}", None
    except httpcore2.TimeoutException:
        return None, f"no answer within {settings.WEBHOOK_TIMEOUT_SECONDS:g} s", None
    except (httpcore2.NetworkError, httpcore2.ProtocolError) as error:
        return None, _error_text(error), None
    except Exception as error:
        logger.exception("delivery_crashed", url=post.url)
        return None, f"failed: {type(error).__name__}", None


def _error_text(error: Exception) -> str:
    """Return the error's text without the errno, which depends on the operating system."""
    return ERROR_NUMBER.sub("", str(error))[:200] or "the connection was closed"


def unsigned_headers(version: int) -> dict[str, str]:
    """The headers of every request, without those of its signature. `version` is that of the event's schema."""
    return {
        "Content-Type": "application/json",
        "User-Agent": USER_AGENT,
        "Webhook-Schema-Version": str(version),
    }


def _post(post: Post, at: datetime) -> tuple[int, str | None, timedelta | None]:
    signed = signature_headers(message_id=post.message_id, at=at, body=post.body, secrets=post.secrets)
    headers = {**unsigned_headers(post.version), **signed}
    with _pool().stream("POST", _parse(post.url), headers=[*headers.items()], content=post.body) as answer:
        _discard_body(answer)
        received = {name.lower(): value for name, value in answer.headers}
    retry_after = parse_retry_after(received.get(b"retry-after", b"").decode("latin-1"), now=at)
    return answer.status, None if 200 <= answer.status < 300 else f"answered {answer.status}", retry_after


def _discard_body(answer: httpcore2.Response) -> None:
    """Read the body to its end, so that the connection can be reused.

    The status already decides about the try. So a body that is too long, too slow or broken does not fail it: only the connection
    is lost.
    """
    with (
        contextlib.suppress(httpcore2.TimeoutException, httpcore2.NetworkError, httpcore2.ProtocolError),
        time_limit(MAX_ANSWER_BODY_SECONDS),
    ):
        read = 0
        for part in answer.iter_stream():
            read += len(part)
            if read > MAX_ANSWER_BYTES:
                return


@lru_cache(maxsize=1024)
def _parse(url: str) -> httpcore2.URL:
    return httpcore2.URL(url)


@cache
def _pool() -> httpcore2.ConnectionPool:
    """The connection pool of this process, shared by all threads."""
    return httpcore2.ConnectionPool(
        max_connections=None,
        max_keepalive_connections=MAX_IDLE_CONNECTIONS,
        keepalive_expiry=KEEPALIVE_SECONDS,
        network_backend=GuardedBackend(),
    )
