"""Grants and expressions of definitions in words, for the console."""

from collections.abc import Mapping, Sequence
from typing import Any

from gamify.facts.services import GrantField, grant_kinds, reference_names
from participants.admin import conditions
from participants.models import Tenant

# --- grants -----------------------------------------------------------------------------------------------------------


def grant_error_sentence(path: Sequence[str], message: str) -> str:
    """Word an error about a grant as a sentence. `path` is its place in the list of grants, such as `1.code`."""
    number = next((f"No. {int(part) + 1}: " for part in path if part.isdecimal()), "")
    field = _field_in_words(path[-1]) if path else ""
    if message.startswith("must"):
        return f"{number}{field} {message}." if field else f"{number}{message}."
    return f"{number}{message.rstrip('.')}."


def _field_in_words(name: str) -> str:
    if name == "type":
        return "the kind"
    return next((f"the {kind.fields[name].label.lower()}" for kind in grant_kinds.values() if name in kind.fields), "")


def grant_in_words(spec: Mapping[str, Any], tenant: Tenant | None = None) -> str:
    """Return a grant in words, such as “10 points”, “1.5 × amount points, at most 500” or “badge vip”.

    What the grant refers to by id is named, if `tenant`, the owner of the definition, is given.
    """
    name = spec.get("type")
    if not isinstance(name, str) or name not in grant_kinds:
        return f"{name} {spec.get('code')}"
    kind = grant_kinds[name]
    if kind.in_words is not None:
        return kind.in_words(spec)
    references = (_reference(field, spec.get(key), tenant) for key, field in kind.fields.items() if field.is_reference)
    return " ".join((kind.label.lower(), *references))


def _reference(field: GrantField, value: Any, tenant: Tenant | None) -> str:
    if tenant is None or field.refers_to is None or not field.refers_to.is_by_id:
        return str(value)
    return reference_names(tenant).get(str(value), "that does not exist")


# --- expressions ------------------------------------------------------------------------------------------------------

_JOINED = {"and": " and ", "or": " or "}


def expression_in_words(expression: Mapping[str, Any]) -> str:
    """Return an expression of the API in words, such as: plan is “pro” and not (amount is at least 10)."""
    ((kind, body),) = expression.items()
    if kind == "condition":
        return condition_in_words(body)
    if kind == "not":
        return f"not ({expression_in_words(body)})"
    return _JOINED[kind].join(_part(part) for part in body)


def _part(part: Mapping[str, Any]) -> str:
    words = expression_in_words(part)
    return f"({words})" if len(part.keys() & _JOINED.keys()) else words


def condition_in_words(body: Mapping[str, Any]) -> str:
    """Return the content of a `condition` in words, such as “amount is at least 10”."""
    return conditions.condition_in_words(body["field"], body["operator"], body["value"])
