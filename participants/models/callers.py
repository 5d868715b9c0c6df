"""Whom a request comes from, as authentication found it out: the key it carries, or the secret it is signed with."""

from django.utils.text import capfirst

from participants.models.hmac import HmacSecret
from participants.models.keys import ApiKey

Caller = ApiKey | HmacSecret


def noun_of(caller: Caller) -> str:
    """What kind of caller it is, to begin a sentence with."""
    return capfirst(str(caller._meta.verbose_name))
