"""Strict parsing of JSON objects in files, so that nothing is dropped or changed without an error."""

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any


def decode_object(text: str) -> tuple[Mapping[str, Any], str | None]:
    """Return (object, None), or ({}, problem) with the problem as the end of a sentence."""
    try:
        value = json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_without_duplicates)
    except RecursionError:
        return {}, "is JSON nested too deep"
    except ValueError as error:
        return {}, f"is not valid JSON: {error}"
    return (value, None) if isinstance(value, dict) else ({}, "is not a JSON object")


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        [(duplicate, _)] = Counter(name for name, _ in pairs).most_common(1)
        raise ValueError(f"the key {json.dumps(duplicate)} appears more than once")
    return value


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON number")
