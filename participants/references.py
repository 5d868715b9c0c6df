"""How a field of a definition names another definition."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


def _no_problem(target: Mapping[str, Any]) -> str | None:
    return None


@dataclass(frozen=True)
class RefersTo:
    """The value of the field is the code of a definition of the kind `noun`, such as `badge`.

    - `is_by_id`: the value is the id of the definition instead. A programme file has the code under the name `name_in_file`,
      because ids differ between tenants.
    - `problem(body)`: why a definition with this body cannot be named here, as the end of a sentence, or None.
    """

    noun: str
    is_by_id: bool = False
    name_in_file: str = ""
    problem: Callable[[Mapping[str, Any]], str | None] = _no_problem
