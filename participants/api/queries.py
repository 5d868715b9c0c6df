"""Query strings (contract §16)."""

from django.http import QueryDict


def non_empty_parameters(sent: QueryDict) -> QueryDict:
    """Return the parameters of `sent` without empty values: `?page=` is the same as no `page`.

    Clients build queries from forms, in which some fields are empty.
    """
    result = QueryDict(mutable=True)
    for name, values in sent.lists():
        if filled := [value for value in values if value]:
            result.setlist(name, filled)
    return result
