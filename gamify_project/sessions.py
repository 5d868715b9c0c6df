"""Sessions of the console (settings.SESSION_ENGINE): rows that contain only a hash of the cookie, and that end.

A session ends SESSION_IDLE after its last request, and SESSION_MAX after the login. Django's asynchronous methods are not
overridden, because the console has no asynchronous views.
"""

import hashlib
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends import db
from django.utils import timezone

from gamify_project.models import ConsoleSession

TOUCH_EVERY = timedelta(minutes=1)
"""A request moves the end of its session only if this long has passed since the last time: most requests write nothing."""


class SessionStore(db.SessionStore):
    """Django's sessions in the database, but stored under the hash of their key.

    `session_key` remains the value of the cookie. It has 160 random bits, so a fast hash is as safe as a slow one.
    """

    _started_at: datetime | None = None

    @classmethod
    def get_model_class(cls) -> type[ConsoleSession]:
        return ConsoleSession

    def load(self) -> dict[str, Any]:
        now = timezone.now()
        row = ConsoleSession.objects.filter(pk=digest_of(self.session_key or ""), expire_date__gt=now).first()
        if row is None:
            self._session_key = None
            return {}
        self._started_at = row.started_at
        if self.get_expiry_date() - row.expire_date >= TOUCH_EVERY:
            self.modified = True
        data: dict[str, Any] = self.decode(row.session_data)
        return data

    def exists(self, session_key: str) -> bool:
        return ConsoleSession.objects.filter(pk=digest_of(session_key)).exists()

    def create(self) -> None:
        """Create a session with a new key. Django does this at the login too, so the time since then begins again."""
        self._started_at = timezone.now()
        super().create()

    def create_model_instance(self, data: dict[str, Any]) -> ConsoleSession:
        return ConsoleSession(
            session_key=digest_of(self._get_or_create_session_key()),  # type: ignore[attr-defined]  # the stubs lack it
            session_data=self.encode(data),
            expire_date=self.get_expiry_date(),
            started_at=self._started_at or timezone.now(),
            user_id=data.get(SESSION_KEY),
        )

    def delete(self, session_key: str | None = None) -> None:
        if key := session_key or self.session_key:
            ConsoleSession.objects.filter(pk=digest_of(key)).delete()

    def get_expiry_date(self, **kwargs: Any) -> datetime:
        now = timezone.now()
        end: datetime = min(now + settings.SESSION_IDLE, (self._started_at or now) + settings.SESSION_MAX)
        return end

    def get_expiry_age(self, **kwargs: Any) -> int:
        """Return the seconds until the session ends, which is also the age of the cookie."""
        return max(0, int((self.get_expiry_date() - timezone.now()).total_seconds()))


def digest_of(key: str) -> str:
    """Return the key under which the session with this cookie is stored."""
    return hashlib.sha256(key.encode()).hexdigest()


def end_sessions(user_id: int, *, except_key: str | None = None) -> int:
    """End all sessions of a user, except for the one with the cookie `except_key`. Return their number."""
    sessions = ConsoleSession.objects.filter(user_id=user_id)
    if except_key:
        sessions = sessions.exclude(pk=digest_of(except_key))
    return sessions.delete()[0]


def sessions_of(user_id: int) -> int:
    """Return the number of sessions of a user that have not ended."""
    return ConsoleSession.objects.filter(user_id=user_id, expire_date__gt=timezone.now()).count()
