"""Encryption at rest for secrets that the product must read again, such as those that partners sign with.

The passphrases are `settings.ENCRYPTION_KEYS`, or SECRET_KEY and its fallbacks if that is empty. The first passphrase encrypts, and
all of them decrypt. So a new passphrase can be put in front while the old ones still decrypt older secrets.
"""

from base64 import urlsafe_b64encode
from functools import cache

import structlog
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.utils.crypto import salted_hmac

# Changing this makes every ciphertext unreadable.
_INFO = b"gamify: secrets at rest"

logger = structlog.get_logger(__name__)


def encrypt(text: str) -> str:
    """Encrypt `text` with the first passphrase. Two calls never return the same ciphertext."""
    return _fernet(_passphrases()).encrypt(text.encode()).decode()


def decrypt(ciphertext: str, *, of: str) -> str | None:
    """Decrypt `ciphertext`. Returns None if no passphrase decrypts it, and logs that with `of`, which names the secret."""
    try:
        return _fernet(_passphrases()).decrypt(ciphertext.encode()).decode()
    except InvalidToken:
        logger.error("secret_unreadable", of=of, hint="no passphrase of ENCRYPTION_KEYS opens it; put the old one back")  # noqa: TRY400 - the stack trace adds nothing
        return None


def is_current(ciphertext: str) -> bool:
    """Whether the first passphrase decrypts `ciphertext`, so that it does not need the others."""
    try:
        _fernet(_passphrases()[:1]).decrypt(ciphertext.encode())
    except InvalidToken:
        return False
    return True


def keyed_hashes(text: str, *, purpose: str) -> tuple[str, ...]:
    """Return the HMAC-SHA256 of `text` in hex: first under SECRET_KEY, then under each of its fallbacks. Store the first.

    Such a hash replaces text that may contain a participant's id. Without the key the text cannot be found, not even by guessing.
    """
    secrets = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    return tuple(salted_hmac(purpose, text, secret=secret, algorithm="sha256").hexdigest() for secret in secrets)


def _passphrases() -> tuple[str, ...]:
    return tuple(settings.ENCRYPTION_KEYS or [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS])


@cache
def _fernet(passphrases: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(_key(passphrase)) for passphrase in passphrases])


def _key(passphrase: str) -> bytes:
    """Derive a Fernet key. Passphrases are long and random, so HKDF is enough and no slow key derivation is needed."""
    stretched = HKDF(algorithm=SHA256(), length=32, salt=None, info=_INFO).derive(passphrase.encode())
    return urlsafe_b64encode(stretched)
