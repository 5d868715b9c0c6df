"""The caller of a request as authentication found it: the API key it carries, or the secret it is signed with."""

from django.utils.text import capfirst

from participants.models.hmac import HmacSecret
from participants.models.keys import ApiKey

Caller = ApiKey | HmacSecret


def noun_of(caller: Caller) -> str:
    """Return the kind of caller, capitalized to begin a sentence: `API key` or `Partner secret`."""
    return capfirst(str(caller._meta.verbose_name))
