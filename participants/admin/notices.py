"""Notices on the console's overview page about the picked tenant. The domains register functions that return them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from participants.models import Tenant
from participants.registries import Registry


@dataclass(frozen=True)
class Notice:
    """Something that staff should look at. `url` is the page about it."""

    text: str
    url: str


notices: Registry[Callable[[Tenant], Iterable[Notice]]] = Registry("Console notice")


def notices_for(tenant: Tenant) -> list[Notice]:
    return [notice for find in notices.values() for notice in find(tenant)]
