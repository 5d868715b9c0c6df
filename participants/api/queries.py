"""What a query string gives (contract §16)."""

from django.http import QueryDict


def non_empty_parameters(sent: QueryDict) -> QueryDict:
    """The parameters of `sent` that have a value: an empty one, as in `?page=`, counts as not given.

    Clients build queries from forms whose fields may be empty. Values that are given stay as they were sent.
    """
    given = QueryDict(mutable=True)
    for name, values in sent.lists():
        if filled := [value for value in values if value]:
            given.setlist(name, filled)
    return given
