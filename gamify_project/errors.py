"""Turns every exception into an answer: in the dialect of the path for API paths, else as a page. Never with a stack trace."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import structlog
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from rest_framework import exceptions
from rest_framework.response import Response

from gamify_project import dialects, error_pages
from gamify_project.dialects import Problem
from gamify_project.error_pages import ErrorPage
from gamify_project.observing import note_refusal
from participants.errors import DomainError, field_errors

logger = structlog.get_logger(__name__)

NOT_FOUND = Problem(404, "not_found", "No such endpoint")
FORBIDDEN = Problem(403, "forbidden", "Forbidden")
CRASHED = Problem(500, "internal_error", "Unexpected error; it was logged under the X-Request-Id of this answer")
UNAVAILABLE = Problem(
    503, "service_unavailable", "The database does not answer; try again", headers={"Retry-After": "1"}
)
TOO_SLOW = replace(UNAVAILABLE, message="The database was busy for too long; try again")
SLOW_STATES = {"55P03", "57014"}  # PostgreSQL: a lock was not available in time, a statement was cancelled


def exception_handler(exc: Exception, context: Mapping[str, Any]) -> Response:
    """DRF's hook for every exception that an API view raises."""
    request = context["request"]
    return answer(problem_of(exc), path=request.path)


def answer(problem: Problem, *, path: str) -> Response:
    note_refusal(problem.code, path=path)
    is_phoenix = dialects.is_under(path, dialects.PHOENIX_BASE)
    status = dialects.phoenix_status(problem) if is_phoenix else problem.status
    return Response(dialects.render(problem, path=path), status=status, headers=dict(problem.headers))


def problem_of(exc: Exception) -> Problem:
    if isinstance(exc, DomainError):
        return Problem(exc.status, exc.code, exc.message, exc.errors, exc.headers)
    if isinstance(exc, exceptions.ValidationError):
        return _validation_problem(exc)
    if isinstance(exc, exceptions.APIException):
        return _framework_problem(exc)
    if isinstance(exc, Http404):
        return NOT_FOUND
    if isinstance(exc, OperationalError | InterfaceError):
        return _database_problem(exc)
    logger.error("request_crashed", exc_info=exc)
    return CRASHED


def _database_problem(exc: Exception) -> Problem:
    """Log one line without a trace: while the database does not answer, each request comes here."""
    logger.error("database_unavailable", error=str(exc))
    return TOO_SLOW if getattr(exc.__cause__, "sqlstate", None) in SLOW_STATES else UNAVAILABLE


def _validation_problem(exc: exceptions.ValidationError) -> Problem:
    errors = tuple(field_errors(exc.detail))
    first = errors[0]
    sentence = f"{first.field}: {first.message}" if first.field else first.message
    return Problem(422, getattr(exc, "problem_code", "validation_error"), sentence, errors)


_FRAMEWORK_CODES = {404: "not_found", 405: "method_not_allowed", 415: "unsupported_media_type"}


def _framework_problem(exc: exceptions.APIException) -> Problem:
    code = _FRAMEWORK_CODES.get(exc.status_code, "bad_request")
    headers = {}
    if wait := getattr(exc, "wait", None):
        headers["Retry-After"] = str(int(wait))
    return Problem(exc.status_code, code, str(exc.detail), headers=headers)


@csrf_exempt  # otherwise a POST would get the page about a missing CSRF token
def unknown_route(request: HttpRequest) -> HttpResponse:
    """Answer 404 for API paths that no route matches."""
    return _json(NOT_FOUND, request)


def _json(problem: Problem, request: HttpRequest) -> JsonResponse:
    note_refusal(problem.code, path=request.path)
    return JsonResponse(dialects.render(problem, path=request.path), status=problem.status)


def _handler(problem: Problem, page: ErrorPage) -> Callable[..., HttpResponse]:
    """Return a view for Django's hooks: it answers JSON for an API path, else an error page."""

    def handle(request: HttpRequest, *_: Any, **__: Any) -> HttpResponse:
        is_api = dialects.is_api_path(request.path)
        response = _json(problem, request) if is_api else error_pages.answer(page, request)
        for name, value in problem.headers.items():
            response[name] = value
        return response

    return handle


handler400 = _handler(Problem(400, "bad_request", "Bad request"), error_pages.BAD_REQUEST)
handler403 = _handler(FORBIDDEN, error_pages.FORBIDDEN)
handler404 = _handler(NOT_FOUND, error_pages.NOT_FOUND)
_crashed = _handler(CRASHED, error_pages.CRASHED)
_unavailable = _handler(UNAVAILABLE, error_pages.UNAVAILABLE)


def handler500(request: HttpRequest) -> HttpResponse:
    """Answer 503 if the database was the reason. Django calls this while it handles the exception."""
    is_unavailable = isinstance(sys.exception(), OperationalError | InterfaceError)
    return (_unavailable if is_unavailable else _crashed)(request)


csrf_failure = _handler(FORBIDDEN, error_pages.FORM_EXPIRED)  # settings.CSRF_FAILURE_VIEW
