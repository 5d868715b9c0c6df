"""Base classes of all API views: rate limits, and validation of path, query string and body."""

from collections.abc import Callable
from datetime import datetime
from functools import cache
from typing import Any, TypeVar

from django.db.transaction import get_connection
from django.http import HttpRequest, QueryDict
from django.http.response import HttpResponseBase
from django.utils import timezone
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.viewsets import ViewSet

from participants import limits
from participants.api.key_cache import KeyChanged, cached_keys_allowed
from participants.api.parsers import is_chunked, rewind_body
from participants.api.permissions import HasAdminScope, HasKey, caller_of
from participants.api.queries import non_empty_parameters, refuse_empty
from participants.database import settle_rider
from participants.engine import external_id_problem
from participants.errors import InvalidInput
from participants.limits import RateLimited, RateLimitStatus
from participants.models import Tenant
from participants.models.callers import Caller

_NO_PARAMETERS = QueryDict()
_WRITES_PARTICIPANT = "writes_participant"
View = TypeVar("View", bound=Callable[..., Response])


def writes_participant(view: View) -> View:
    """Decorator of an action that calls `take_write` before it does anything but validate.

    The request and the write are then counted together, in one round trip to Redis.
    """
    setattr(view, _WRITES_PARTICIPANT, True)
    return view


class KeyViewSet(ViewSet):
    """Base of endpoints that accept any active key. A view validates, makes one call and renders."""

    permission_classes = [HasKey]
    http_method_names = ["get", "head", "post", "put", "patch", "delete"]
    participant_name = "participant_id"  # name of the path parameter
    rate_limit: RateLimitStatus | None = None
    uncounted: Caller | None = None  # the caller whose request `take_write` will count

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Answer the request. If its cached key has changed, answer it again with the present key."""
        beginning = self.__dict__.copy()
        with limits.one_request() as attempts:
            try:
                with cached_keys_allowed():
                    return super().dispatch(request, *args, **kwargs)
            except KeyChanged:
                self.__dict__ = beginning
                rewind_body(request)
                attempts.begin_again()
            return super().dispatch(request, *args, **kwargs)

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, KeyChanged):
            raise exc
        return super().handle_exception(exc)

    # These objects have no state, so all requests share them.
    def get_authenticators(self) -> Any:
        return _shared_instances(tuple(self.authentication_classes))

    def get_parsers(self) -> Any:
        return _shared_instances(tuple(self.parser_classes))

    def get_permissions(self) -> Any:
        return _shared_instances(tuple(self.permission_classes))

    def get_renderers(self) -> Any:
        return _shared_instances(tuple(self.renderer_classes))

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        wrapped = super().initialize_request(request, *args, **kwargs)
        if is_chunked(request):
            wrapped._stream = request  # type: ignore[assignment]  # noqa: SLF001 - without Content-Length, DRF would read no body
        return wrapped

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        caller = caller_of(request)  # authenticates first; requests that lack a scope are counted as well
        if self.action and getattr(getattr(self, self.action, None), _WRITES_PARTICIPANT, False):
            self.uncounted = caller
        else:
            self.rate_limit = limits.take_key_request(caller)
        super().initial(request, *args, **kwargs)
        self.now: datetime = timezone.now()
        external_id = kwargs.get(self.participant_name)
        if external_id is not None and (problem := external_id_problem(external_id)):
            raise InvalidInput(self.participant_name, problem)

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        settle_rider(get_connection())
        response = self._counted(response)
        if self.rate_limit is not None:
            for name, value in self.rate_limit.headers.items():
                if name not in response.headers:
                    response.headers[name] = value
        return super().finalize_response(request, response, *args, **kwargs)

    @property
    def tenant(self) -> Tenant:
        return caller_of(self.request).tenant

    def body(self, serializer: type[Serializer[Any]]) -> Any:
        """Return the validated body.

        Raises: rest_framework's ValidationError, which becomes a 422 answer.
        """
        return validate(serializer, self.request.data)

    def query(self, serializer: type[Serializer[Any]]) -> Any:
        """Return the validated query string.

        Raises: rest_framework's ValidationError, which becomes a 422 answer.
        """
        if not self.request.META.get("QUERY_STRING"):
            return validate(serializer, _NO_PARAMETERS)
        parameters = self.request.query_params
        if self.request.method not in SAFE_METHODS:
            refuse_empty(parameters, serializer().fields)
        return validate(serializer, non_empty_parameters(parameters))

    def take_write(self, external_id: str) -> None:
        """Count a write for this participant. The rate limit headers of the answer then describe the participant's limit."""
        caller, self.uncounted = self.uncounted, None
        if caller is None:
            self.rate_limit = limits.take_participant_write(self.tenant, external_id) or self.rate_limit
        else:
            self.rate_limit = limits.take_request_and_write(caller, self.tenant, external_id)

    def _counted(self, response: Response) -> Response:
        """Count the request if it was refused before its write was counted. A request above the limit is refused for that."""
        caller, self.uncounted = self.uncounted, None
        if caller is None:
            return response
        try:
            self.rate_limit = limits.take_key_request(caller)
        except RateLimited as error:
            return self.handle_exception(error)
        return response


class AdminViewSet(KeyViewSet):
    """Base of endpoints that need the admin scope."""

    permission_classes = [HasKey, HasAdminScope]


def validate(serializer: type[Serializer[Any]], data: Any, *, instance: Any = None) -> Any:
    """Validate `data` with `serializer` and return the cleaned values.

    With an `instance` it is a partial update: fields that are not sent are absent from the result.

    Raises: rest_framework's ValidationError.
    """
    if instance is None and data is not None:
        return _shared_instance(serializer).run_validation(data)
    bound = serializer(instance, data=data, partial=instance is not None)
    bound.is_valid(raise_exception=True)
    return bound.validated_data


def render(answer: type[Serializer[Any]], value: Any) -> dict[str, Any]:
    """Convert `value` to JSON-ready data with the serializer `answer`."""
    body: dict[str, Any] = _shared_instance(answer).to_representation(value)
    return body


@cache
def _shared_instances(classes: tuple[Any, ...]) -> list[Any]:
    return [each() for each in classes]


@cache
def _shared_instance(serializer: type[Serializer[Any]]) -> Serializer[Any]:
    """Return one serializer instance for all requests. Creating one copies all its fields, which takes longer than its work."""
    return serializer()
