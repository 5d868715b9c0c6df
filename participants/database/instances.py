"""Creates model instances without Django's `__init__`, which takes longer than everything else that is done with most rows."""

from collections.abc import Iterable
from typing import Any, TypeVar

from django.db.models import Model
from django.db.models.base import ModelState

M = TypeVar("M", bound=Model)


def instance_from(model: type[M], values: Iterable[tuple[str, Any]], *, alias: str | None = None) -> M:
    """Return an instance with the attributes `values`. `alias` is the database that it was read from, None for a new instance.

    Fields that are not in `values` get no default. They are deferred on an instance that was read; a new instance needs them all.
    """
    instance = model.__new__(model)
    instance.__dict__.update(values)
    instance._state = state = ModelState()
    state.adding, state.db = alias is None, alias
    return instance
