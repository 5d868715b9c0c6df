"""The caller of a request as authentication found it: the API key it carries, or the secret it is signed with."""

from django.utils.text import capfirst

from participants.actors import Actor, ActorKind, actor_of
from participants.models.hmac import HmacSecret
from participants.models.keys import ApiKey

Caller = ApiKey | HmacSecret


def noun_of(caller: Caller) -> str:
    """Return the kind of caller, capitalized to begin a sentence: `API key` or `Partner secret`."""
    return capfirst(str(caller._meta.verbose_name))


def actor_for(caller: Caller) -> Actor:
    """Return the actor of a request: the key by its name and prefix, or the partner's secret by its name."""
    kind = ActorKind.API_KEY if isinstance(caller, ApiKey) else ActorKind.PARTNER
    label = f"{caller.name} ({caller})" if isinstance(caller, ApiKey) and caller.name else caller.name or str(caller)
    return actor_of(kind, caller.pk, label)
