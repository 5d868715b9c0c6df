"""Query strings (docs/contract.md §2)."""

from collections.abc import Collection

from django.http import QueryDict
from rest_framework.serializers import ValidationError


def non_empty_parameters(sent: QueryDict) -> QueryDict:
    """Return the parameters of `sent` without empty values: `?page=` is the same as no `page`.

    Clients build queries from forms, in which some fields are empty.
    """
    result = QueryDict(mutable=True)
    for name, values in sent.lists():
        if filled := [value for value in values if value]:
            result.setlist(name, filled)
    return result


def refuse_empty(sent: QueryDict, names: Collection[str]) -> None:
    """Refuse parameters of a write that have no value.

    A client that sends `?dry_run=` or `?anonymize=` by mistake must not delete or change anything. Raises rest_framework's
    ValidationError for those in `names`; unknown parameters are ignored as elsewhere.
    """
    if empty := [name for name in names if not all(sent.getlist(name))]:
        raise ValidationError({name: ["Must not be empty; leave it out or give it a value."] for name in empty})
