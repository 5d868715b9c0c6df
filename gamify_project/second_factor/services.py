"""Writes about second factors: set up, check a code, new recovery codes, reset. API keys have no second factor."""

import base64
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import quote, urlencode

from django.contrib.auth.models import User
from django.db import transaction
from django_otp.oath import TOTP

from gamify_project.models import RecoveryCode, SecondFactor
from participants.secrets import decrypt, encrypt
from participants.services.keys import digest_of

KEY_BYTES = 20
STEP_SECONDS = 30
DIGITS = 6
TOLERANCE = 1  # steps before and after the current one whose codes are accepted, for clocks that differ
RECOVERY_CODES = 10
RECOVERY_BYTES = 10
MAX_WAIT = timedelta(minutes=15)


@dataclass(frozen=True)
class Checked:
    """The result of a check: `factor` if the code was right, else the `wait` until the next code is checked (may be zero)."""

    factor: SecondFactor | None = None
    is_recovery: bool = False
    was_checked: bool = True
    wait: timedelta = timedelta(0)


def confirmed_factor(user: User) -> SecondFactor | None:
    """Return the second factor of `user`, or None."""
    return SecondFactor.objects.filter(user=user, confirmed=True).first()


@transaction.atomic
def pending_factor(user: User, *, now: datetime) -> SecondFactor:
    """Return the second factor that `user` is setting up. The same one until it is confirmed, so that a reload changes nothing."""
    User.objects.select_for_update().get(pk=user.pk)
    pending = SecondFactor.objects.filter(user=user, confirmed=False).first()
    if pending is not None and _key(pending) is not None:
        return pending
    key = base64.b32encode(secrets.token_bytes(KEY_BYTES)).decode()
    row = {"name": "Authenticator app", "ciphertext": encrypt(key), "created_at": now}
    return SecondFactor.objects.update_or_create(user=user, confirmed=False, defaults=row)[0]


def key_of(factor: SecondFactor) -> str:
    """Return the key of `factor` in base32, as authenticator apps take it. Empty if it cannot be decrypted."""
    return _key(factor) or ""


def enrolment_uri(factor: SecondFactor, *, issuer: str) -> str:
    """Return the URI that an authenticator app reads from a QR code."""
    label = quote(f"{issuer}:{factor.user.get_username()}")
    return f"otpauth://totp/{label}?{urlencode({'secret': key_of(factor), 'issuer': issuer}, quote_via=quote)}"


def is_code_of_pending(user: User, code: str, *, now: datetime) -> bool:
    """Whether `code` is right for the second factor that `user` is setting up. Changes nothing."""
    pending = SecondFactor.objects.filter(user=user, confirmed=False).first()
    return pending is not None and _matching_step(pending, code, now=now) is not None


@transaction.atomic
def confirm(user: User, code: str, *, now: datetime) -> list[str] | None:
    """Make the pending second factor of `user` the valid one, if `code` is right. It replaces an earlier one.

    Returns the new recovery codes, which are not stored in plain text, or None if the code is wrong.
    """
    User.objects.select_for_update().get(pk=user.pk)
    pending = SecondFactor.objects.filter(user=user, confirmed=False).first()
    step = pending and _matching_step(pending, code, now=now)
    if pending is None or step is None:
        return None
    SecondFactor.objects.filter(user=user, confirmed=True).delete()
    pending.confirmed, pending.last_step, pending.last_used_at = True, step, now
    pending.save(update_fields=["confirmed", "last_step", "last_used_at"])
    return _new_codes(pending)


@transaction.atomic
def check(user: User, code: str, *, now: datetime, is_known_address: bool = False) -> Checked:
    """Check a code of the app or a recovery code, and use it up.

    The row is locked, so two requests with one code cannot both succeed. Wrong codes slow down further ones, whatever their
    address: 1, 2, 4 … seconds, at most MAX_WAIT. `is_known_address` spares the owner the wait while somebody else guesses.
    """
    factor = SecondFactor.objects.select_for_update().filter(user=user, confirmed=True).first()
    if factor is None:
        return Checked(was_checked=False)
    wait = wait_after(factor.failures, factor.failed_at, now=now)
    if wait and not is_known_address:
        return Checked(wait=wait, was_checked=False)
    is_recovery = not _is_app_code(code)
    if _use_recovery_code(factor, code, now=now) if is_recovery else _use_app_code(factor, code, now=now):
        factor.failures, factor.failed_at, factor.last_used_at = 0, None, now
        factor.save(update_fields=["failures", "failed_at", "last_used_at", "last_step"])
        return Checked(factor, is_recovery=is_recovery)
    factor.failures, factor.failed_at = factor.failures + 1, now
    factor.save(update_fields=["failures", "failed_at"])
    return Checked(wait=wait_after(factor.failures, now, now=now))


def wait_after(failures: int, failed_at: datetime | None, *, now: datetime) -> timedelta:
    """Return how long the next code must wait after so many wrong ones, the last of them at `failed_at`."""
    if not failures or failed_at is None:
        return timedelta(0)
    pause = min(timedelta(seconds=2 ** min(failures - 1, 20)), MAX_WAIT)
    return max(timedelta(0), failed_at + pause - now)


@transaction.atomic
def replace_recovery_codes(factor: SecondFactor) -> list[str]:
    """Replace all recovery codes of `factor`, used or not. Returns the new ones."""
    factor.recovery_codes.all().delete()
    return _new_codes(factor)


def recovery_codes_left(factor: SecondFactor) -> int:
    """Return the number of recovery codes that were not used."""
    return RecoveryCode.objects.filter(factor=factor, used_at=None).count()


def reset(user: User) -> bool:
    """Remove the second factor of `user` with its recovery codes. Return whether there was one."""
    return bool(SecondFactor.objects.filter(user=user).delete()[0])


# --- codes ----------------------------------------------------------------------------------------------------------


def _is_app_code(code: str) -> bool:
    text = _plain(code)
    return len(text) == DIGITS and text.isascii() and text.isdigit()


def _plain(code: str) -> str:
    """Remove what people type between the characters."""
    return code.replace(" ", "").replace("-", "").strip().lower()


def _use_app_code(factor: SecondFactor, code: str, *, now: datetime) -> bool:
    step = _matching_step(factor, code, now=now)
    if step is None:
        return False
    factor.last_step = step
    return True


def _matching_step(factor: SecondFactor, code: str, *, now: datetime) -> int | None:
    """Return the time step to which `code` belongs, or None. Steps up to `last_step` are over."""
    key = _key(factor)
    if key is None or not _is_app_code(code):
        return None
    totp = TOTP(base64.b32decode(key), step=STEP_SECONDS, digits=DIGITS)
    totp.time = now.timestamp()
    return totp.t() if totp.verify(int(_plain(code)), tolerance=TOLERANCE, min_t=factor.last_step + 1) else None


def _use_recovery_code(factor: SecondFactor, code: str, *, now: datetime) -> bool:
    unused = factor.recovery_codes.filter(digest=digest_of(_plain(code)), used_at=None)
    return bool(unused.update(used_at=now))


def _new_codes(factor: SecondFactor) -> list[str]:
    codes = [_new_code() for _ in range(RECOVERY_CODES)]
    RecoveryCode.objects.bulk_create(RecoveryCode(factor=factor, digest=digest_of(_plain(code))) for code in codes)
    return codes


def _new_code() -> str:
    """Return a code with 80 random bits, in four groups. A fast digest of it is as safe as a slow one."""
    text = base64.b32encode(secrets.token_bytes(RECOVERY_BYTES)).decode().lower()
    return "-".join(text[start : start + 4] for start in range(0, len(text), 4))


def _key(factor: SecondFactor) -> str | None:
    return decrypt(factor.ciphertext, of=f"second factor {factor.pk}")
