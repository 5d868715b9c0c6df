"""What the overview of the console tells about the picked tenant before anybody asks: registered by the domains above."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from participants.models import Tenant
from participants.registries import Registry


@dataclass(frozen=True)
class Notice:
    """One thing that somebody should look at, on the page at `url`."""

    text: str
    url: str


notices: Registry[Callable[[Tenant], Iterable[Notice]]] = Registry("Console notice")


def notices_for(tenant: Tenant) -> list[Notice]:
    return [notice for tell in notices.values() for notice in tell(tenant)]
