"""The owner of a console account: a browser, a password, and an authenticator app."""

import base64
import re
from datetime import UTC, datetime
from html import unescape
from typing import Any

from django.contrib.auth.models import User
from django.test import Client
from django_otp.oath import TOTP

from gamify_project.models import SecondFactor
from gamify_project.second_factor.services import key_of

PASSWORD = "correct horse battery"
LOGIN = "/console/login/?next=/console/account/"
CODE = "/console/login/code/"
SET_UP = "/console/second_factor/"


def app_code(key: str, *, steps: int = 0) -> str:
    """Return the code that an app with this key shows now, or so many steps of 30 seconds later."""
    app = TOTP(base64.b32decode(key), drift=steps)
    app.time = datetime.now(UTC).timestamp()
    return f"{app.token():06d}"


class Owner:
    """One user at one address."""

    def __init__(self, user: User, *, address: str = "192.0.2.1") -> None:
        self.user = user
        self.client = Client(REMOTE_ADDR=address)
        self.recovery_codes: list[str] = []

    @property
    def key(self) -> str:
        return key_of(SecondFactor.objects.get(user=self.user, confirmed=True))

    def code(self, steps: int = 0) -> str:
        return app_code(self.key, steps=steps)

    def give_password(self, password: str = PASSWORD) -> Any:
        return self.client.post(LOGIN, {"username": self.user.get_username(), "password": password})

    def give_code(self, code: str) -> Any:
        return self.client.post(CODE, {"code": code})

    def log_in(self, code: str | None = None) -> Any:
        self.give_password()
        return self.give_code(code or self.code())

    def set_up(self, **fields: str) -> Any:
        """Read the key from the page, as the camera of a phone would, and enter the code of the app."""
        key = key_on(self.client.get(SET_UP))
        answer = self.client.post(SET_UP, {"code": app_code(key), **fields})
        self.recovery_codes = codes_on(answer)
        return answer

    def is_inside(self) -> bool:
        return bool(self.client.get("/console/account/").status_code == 200)


def key_on(answer: Any) -> str:
    found = re.search(r'id="key">([A-Z2-7 ]+)<', unescape(answer.content.decode()))
    assert found, answer.content.decode()
    return found[1].replace(" ", "")


def codes_on(answer: Any) -> list[str]:
    """The recovery codes that the page shows."""
    return re.findall(r"\b(?:[a-z2-7]{4}-){3}[a-z2-7]{4}\b", answer.content.decode())
