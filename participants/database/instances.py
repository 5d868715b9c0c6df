"""Instances without the ceremony of Django's `__init__`, which takes longer than all else that is done with most of them."""

from collections.abc import Iterable
from typing import Any, TypeVar

from django.db.models import Model
from django.db.models.base import ModelState

M = TypeVar("M", bound=Model)


def instance_from(model: type[M], values: Iterable[tuple[str, Any]], *, alias: str | None = None) -> M:
    """An instance with these attributes: read from the database `alias`, or new where there is none.

    Fields that are not named have no default: of a row that was read they are deferred, of a new one none may be left out.
    """
    instance = model.__new__(model)
    instance.__dict__.update(values)
    instance._state = state = ModelState()
    state.adding, state.db = alias is None, alias
    return instance
