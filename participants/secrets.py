"""Secrets that the product must read again, such as those partners sign with: encrypted at rest.

The passphrases are `settings.ENCRYPTION_KEYS`, else SECRET_KEY and its fallbacks. The first encrypts, each of them
decrypts, so that a new one can be put in front while the old ones go on opening what they closed.
"""

from base64 import urlsafe_b64encode
from functools import cache

import structlog
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.utils.crypto import salted_hmac

# Changing it makes every ciphertext unreadable.
_INFO = b"gamify: secrets at rest"

logger = structlog.get_logger(__name__)


def encrypt(text: str) -> str:
    """The ciphertext of `text`, under the first passphrase; no two are alike."""
    return _fernet(_passphrases()).encrypt(text.encode()).decode()


def decrypt(ciphertext: str, *, of: str) -> str | None:
    """The text, or None where no passphrase opens it, which is logged: `of` tells operators what was closed."""
    try:
        return _fernet(_passphrases()).decrypt(ciphertext.encode()).decode()
    except InvalidToken:
        logger.error("secret_unreadable", of=of, hint="no passphrase of ENCRYPTION_KEYS opens it; put the old one back")  # noqa: TRY400 - the trace says nothing more
        return None


def is_current(ciphertext: str) -> bool:
    """Whether the first passphrase opens it, so that no other is needed for it."""
    try:
        _fernet(_passphrases()[:1]).decrypt(ciphertext.encode())
    except InvalidToken:
        return False
    return True


def keyed_hashes(text: str, *, purpose: str) -> tuple[str, ...]:
    """HMAC-SHA256 of `text` in hex: first under SECRET_KEY, which is the one to store, then under each of its fallbacks.

    It replaces text that may name a participant: without the key nobody can find out, not even by guessing, what it was.
    """
    secrets = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    return tuple(salted_hmac(purpose, text, secret=secret, algorithm="sha256").hexdigest() for secret in secrets)


def _passphrases() -> tuple[str, ...]:
    return tuple(settings.ENCRYPTION_KEYS or [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS])


@cache
def _fernet(passphrases: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(_key(passphrase)) for passphrase in passphrases])


def _key(passphrase: str) -> bytes:
    """A Fernet key. Passphrases are long and random, so nothing slower than HKDF is needed."""
    stretched = HKDF(algorithm=SHA256(), length=32, salt=None, info=_INFO).derive(passphrase.encode())
    return urlsafe_b64encode(stretched)
