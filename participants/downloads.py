"""Responses with data of a tenant, which no cache may store."""

from typing import TypeVar

from django.http.response import HttpResponseBase

R = TypeVar("R", bound=HttpResponseBase)


def uncached(response: R, *, file_name: str = "") -> R:
    """Forbid browsers and proxies to store the response. With `file_name`, browsers save it as a file of this name."""
    response["Cache-Control"] = "private, no-store"
    if file_name:
        response["Content-Disposition"] = f'attachment; filename="{file_name}"'
    return response
