"""The secrets that sign deliveries."""

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from gamify.webhooks.engine.signing import SECRET_BYTES, secret_text
from gamify.webhooks.models import Endpoint
from participants.secrets import decrypt

FORMER_IS_VALID_FOR = timedelta(hours=24)


def new_secret() -> str:
    return secret_text(secrets.token_bytes(SECRET_BYTES))


def secrets_of(endpoint: Endpoint, *, now: datetime) -> Sequence[str]:
    """Return the secrets that sign now: the current one and, for 24 hours after a change, the former one.

    A secret that no passphrase decrypts is left out.
    """
    texts = [endpoint.ciphertext]
    if endpoint.former_ciphertext and endpoint.former_until and now < endpoint.former_until:
        texts.append(endpoint.former_ciphertext)
    opened = [decrypt(text, of=f"webhook {endpoint.pk}") for text in texts]
    return tuple(text for text in opened if text is not None)
