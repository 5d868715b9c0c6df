"""One try of one delivery, over HTTP: signed, within its time, without redirects, proxies or cookies. No database here."""

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

from gamify.webhooks.engine.schedule import parse_retry_after
from gamify.webhooks.engine.signing import signature_headers
from gamify.webhooks.services.network import GuardedBackend, NotPublic, time_limit

MAX_ANSWER_BYTES = 64 * 1024
MAX_ANSWER_BODY_SECONDS = 1.0
KEPT_CONNECTIONS = 100
KEEPALIVE_SECONDS = 5.0  # less than what servers usually keep: else they close just as we send
USER_AGENT = "Gamify-Webhooks/1"
HTTP_GONE = 410
ERROR_NUMBER = re.compile(r"^\[Errno -?\d+\] ")

logger = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Post:
    """What is to be sent, and where to. `secrets` is empty where none can be read, which is a failure of its own."""

    url: str
    message_id: str
    version: int
    body: bytes
    secrets: Sequence[str]


@dataclass(frozen=True)
class Try:
    """What came of it: a status, or why there is none. `wish` is what the endpoint wants us to wait (`Retry-After`)."""

    at: datetime
    milliseconds: int
    status: int | None = None
    error: str | None = None
    retry_after: timedelta | None = None

    @property
    def has_succeeded(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


def send(post: Post) -> Try:
    """Try it once, and never raise."""
    at, started = timezone.now(), time.monotonic()
    status, error, wish = _tried(post, at)
    return Try(at, round((time.monotonic() - started) * 1000), status, error, wish)


def _tried(post: Post, at: datetime) -> tuple[int | None, str | None, timedelta | None]:
    if not post.secrets:
        return None, "its secret cannot be decrypted", None
    try:
        with time_limit(settings.WEBHOOK_TIMEOUT_SECONDS):
            return _posted(post, at)
    except NotPublic as refusal:
        return None, f"not a public address: {refusal}", None
    except httpcore2.TimeoutException:
        return None, f"no answer within {settings.WEBHOOK_TIMEOUT_SECONDS:g} s", None
    except (httpcore2.NetworkError, httpcore2.ProtocolError) as error:
        return None, _worded(error), None
    except Exception as error:
        logger.exception("delivery_crashed", url=post.url)
        return None, f"failed: {type(error).__name__}", None


def _worded(error: Exception) -> str:
    """Without the number that this system has for it."""
    return ERROR_NUMBER.sub("", str(error))[:200] or "the connection was closed"


def _posted(post: Post, at: datetime) -> tuple[int, str | None, timedelta | None]:
    headers = {
        "Content-Type": "application/json",
        "User-Agent": USER_AGENT,
        "Webhook-Schema-Version": str(post.version),
        **signature_headers(message_id=post.message_id, at=at, body=post.body, secrets=post.secrets),
    }
    with _pool().stream("POST", _parsed(post.url), headers=[*headers.items()], content=post.body) as answer:
        _read_away(answer)
        sent = {name.lower(): value for name, value in answer.headers}
    wish = parse_retry_after(sent.get(b"retry-after", b"").decode("latin-1"), now=at)
    return answer.status, None if 200 <= answer.status < 300 else f"answered {answer.status}", wish


def _read_away(answer: httpcore2.Response) -> None:
    """Read the body to its end, so that the connection can be used again.

    The status of the answer counts already, so nothing here fails the try: a body that is too long, too slow or broken only
    costs the connection.
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
def _parsed(url: str) -> httpcore2.URL:
    return httpcore2.URL(url)


@cache
def _pool() -> httpcore2.ConnectionPool:
    """Of this process, for all threads."""
    return httpcore2.ConnectionPool(
        max_connections=None,
        max_keepalive_connections=KEPT_CONNECTIONS,
        keepalive_expiry=KEEPALIVE_SECONDS,
        network_backend=GuardedBackend(),
    )
