"""Batches of items that succeed or fail on their own."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from participants.errors import DomainError


class Item(Protocol):
    @property
    def participant_id(self) -> str: ...


ItemType = TypeVar("ItemType", bound=Item)
Result = TypeVar("Result")


@dataclass(frozen=True)
class Refused:
    """One item of a batch was refused. It does not affect the other items."""

    participant_id: str
    error: DomainError


@dataclass(frozen=True)
class BatchResult(Generic[Result]):
    """One result per item, in the order of the request."""

    results: Sequence[Result | Refused]
    is_replay: bool = False

    @property
    def processed(self) -> int:
        return len(self.results) - self.failed

    @property
    def failed(self) -> int:
        return sum(isinstance(result, Refused) for result in self.results)


def process_batch(
    items: Sequence[ItemType], apply: Callable[[ItemType], Result], *, refused: Mapping[int, DomainError]
) -> BatchResult[Result]:
    """Call `apply` with each item, in order. An item whose call raises a DomainError is refused.

    `refused` are the errors of items (by index) that were refused before, such as by a rate limit.
    """
    return BatchResult([_attempt(item, apply, refused.get(index)) for index, item in enumerate(items)])


def _attempt(item: ItemType, apply: Callable[[ItemType], Result], refusal: DomainError | None) -> Result | Refused:
    if refusal is not None:
        return Refused(item.participant_id, refusal)
    try:
        return apply(item)
    except DomainError as error:
        return Refused(item.participant_id, error)
