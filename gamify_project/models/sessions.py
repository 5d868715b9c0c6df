from typing import Any

from django.conf import settings
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.utils.module_loading import import_string


class ConsoleSession(AbstractBaseSession):
    """One session of the console. `session_key` is the SHA-256 of the cookie, so a reader of this table cannot use the session.

    `user` is empty before the login. The session ends at `expire_date`: some time after its last request, or after `started_at`.
    """

    session_key = models.CharField(max_length=64, primary_key=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="console_sessions"
    )
    started_at = models.DateTimeField()

    class Meta:
        verbose_name = "console session"

    @classmethod
    def get_session_store_class(cls) -> Any:
        return import_string(f"{settings.SESSION_ENGINE}.SessionStore")
