"""Registries, which domains above this package fill when the apps are loaded."""

from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import Generic, TypeVar

from django.apps import AppConfig

T = TypeVar("T")


class Registry(Generic[T]):
    """Entries by name, in the order of registration. `what` names the kind of entry in error messages."""

    def __init__(self, what: str) -> None:
        self.what = what
        self._entries: dict[str, T] = {}

    def register(self, name: str, entry: T) -> None:
        if name in self._entries:
            raise ValueError(f"{self.what} {name!r} is registered twice; choose another name.")
        self._entries[name] = entry

    def __getitem__(self, name: str) -> T:
        try:
            return self._entries[name]
        except KeyError:
            raise LookupError(f"{self.what} {name!r} is not registered; known: {sorted(self._entries)}.") from None

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def values(self) -> Iterator[T]:
        return iter(self._entries.values())

    def items(self) -> Iterator[tuple[str, T]]:
        return iter(self._entries.items())


class DomainConfig(AppConfig):
    """The app of a domain. `registers` are its modules whose function `register` is called when the apps are loaded, in order."""

    registers: Sequence[str]

    def ready(self) -> None:
        for module in self.registers:
            import_module(f"{self.name}.{module}").register()
