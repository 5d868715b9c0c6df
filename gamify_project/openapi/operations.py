"""Adds to each operation what drf-spectacular cannot know: its errors, in the dialect of its path, and its headers."""

from collections.abc import Iterator
from typing import Any

from gamify_project import dialects
from gamify_project.errors import problem_of
from gamify_project.openapi.components import HEADERS, PARAMETERS, SCHEMAS, Document
from gamify_project.openapi.problems import common_problems
from gamify_project.openapi.responses import error_responses, shared_errors
from participants.api.idempotency import HEADER
from participants.api.schema import ERRORS

_RATE_LIMIT_HEADERS = ["X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"]
_UNCOUNTED = {401, 403}  # refused before the rate limit of the key is counted
_RETRIED = {429, 503}


def document_errors(result: Document, **kwargs: Any) -> Document:
    """drf-spectacular's postprocessing hook: add errors, headers and parameter descriptions to all operations."""
    for path, operation in _operations(result):
        declared = operation.pop(ERRORS, ())
        problems = [*map(problem_of, declared), *common_problems(path, operation)]
        operation["responses"].update(error_responses(path, problems))
        _add_dry_run(operation)
        _polish_parameters(operation)
        _add_headers(operation)
    components = result["components"]
    components["schemas"].update(SCHEMAS)
    components.update(headers=HEADERS, parameters=PARAMETERS, responses=shared_errors(_operations(result)))
    return result


def _operations(result: Document) -> Iterator[tuple[str, Document]]:
    for path, methods in result["paths"].items():
        if dialects.is_api_path(path):
            yield from ((path, operation) for operation in methods.values())


def _polish_parameters(operation: Document) -> None:
    for index, parameter in enumerate(operation.get("parameters", ())):
        if parameter["in"] == "path" and parameter["name"] in PARAMETERS:
            operation["parameters"][index] = {"$ref": f"#/components/parameters/{parameter['name']}"}
            continue
        parameter["description"] = parameter.get("description", "").strip()
        if parameter["schema"].get("type") == "array":
            parameter["explode"] = False  # lists are comma-separated: include=points,tier


def _add_dry_run(operation: Document) -> None:
    """Document that a dry run of a creating operation answers the same body with status 200."""
    responses = operation["responses"]
    names = {parameter.get("name") for parameter in operation.get("parameters", ())}
    if "201" in responses and "dry_run" in names:
        responses["200"] = responses["201"] | {"description": "OK. A dry run: nothing was created."}


def _add_headers(operation: Document) -> None:
    is_idempotent = any(parameter.get("name") == HEADER for parameter in operation.get("parameters", ()))
    for status, response in operation["responses"].items():
        names = [*_headers_of(int(status)), *(["Idempotency-Replayed"] if is_idempotent and status == "200" else [])]
        response["headers"] = {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _headers_of(status: int) -> Iterator[str]:
    yield "X-Request-Id"
    if status not in _UNCOUNTED:
        yield from _RATE_LIMIT_HEADERS
    if status == 401:
        yield "WWW-Authenticate"
    if status in _RETRIED:
        yield "Retry-After"
