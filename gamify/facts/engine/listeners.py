"""An index of definitions by the names of the events that they listen to."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

ANY_EVENT = "*"

Definition = TypeVar("Definition")
Group = TypeVar("Group")


@dataclass(frozen=True)
class ListenerIndex(Generic[Group]):
    """`index[name]` is the group of definitions that listen to `name` or to ANY_EVENT; `empty` if there are none."""

    groups: Mapping[str, Group]
    empty: Group

    def __getitem__(self, name: str) -> Group:
        return self.groups[name] if name in self.groups else self.groups.get(ANY_EVENT, self.empty)

    @property
    def names(self) -> Collection[str]:
        """The names that at least one definition lists."""
        return self.groups.keys()


def index_listeners(
    definitions: Iterable[Definition],
    *,
    names_of: Callable[[Definition], Iterable[str]],
    group: Callable[[Sequence[Definition]], Group],
) -> ListenerIndex[Group]:
    """Return an index of `definitions` by the event names in `names_of(definition)`.

    `group` is called with the definitions that listen to one name, in the order given. Its result is stored in the index.
    """
    in_order = list(definitions)
    places: defaultdict[str, list[int]] = defaultdict(list)
    for place, definition in enumerate(in_order):
        for name in names_of(definition):
            places[name].append(place)
    everywhere = places.get(ANY_EVENT, [])
    groups = {name: group([in_order[each] for each in sorted({*found, *everywhere})]) for name, found in places.items()}
    return ListenerIndex(groups, group(()))
