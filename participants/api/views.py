"""What every endpoint shares: the key cap, and validation of path, query and body."""

from datetime import datetime
from functools import cache
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.viewsets import ViewSet

from participants import limits
from participants.api.parsers import is_chunked
from participants.api.permissions import HasAdminScope, HasKey, caller_of
from participants.api.queries import given_parameters, refuse_empty
from participants.engine import external_id_problem
from participants.errors import InvalidInput
from participants.limits import RateLimitStatus
from participants.models import Tenant


class KeyViewSet(ViewSet):
    """Endpoints that any active key opens. A view validates, makes one call and renders."""

    permission_classes = [HasKey]
    http_method_names = ["get", "head", "post", "put", "patch", "delete"]
    participant_name = "participant_id"  # of the part of the path that carries it
    standing: RateLimitStatus | None = None

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        wrapped = super().initialize_request(request, *args, **kwargs)
        if is_chunked(request):
            wrapped._stream = request  # type: ignore[assignment]  # noqa: SLF001 - else DRF, told no length, sees no body
        return wrapped

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        self.standing = limits.take_key_request(caller_of(request))  # authenticates; a missing scope counts as well
        super().initial(request, *args, **kwargs)
        self.now: datetime = timezone.now()
        _check_participant_id(self.participant_name, kwargs.get(self.participant_name))

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        if self.standing is not None:
            for name, value in self.standing.headers.items():
                response.headers.setdefault(name, value)
        return super().finalize_response(request, response, *args, **kwargs)

    @property
    def tenant(self) -> Tenant:
        return caller_of(self.request).tenant

    def body(self, serializer: type[Serializer[Any]]) -> Any:
        """The validated body. Raises rest_framework's ValidationError, which is answered as 422."""
        return validated(serializer, self.request.data)

    def query(self, serializer: type[Serializer[Any]]) -> Any:
        """The validated query string. Raises rest_framework's ValidationError, which is answered as 422."""
        sent = self.request.query_params
        if self.request.method not in SAFE_METHODS:
            refuse_empty(sent, serializer().fields)
        return validated(serializer, given_parameters(sent))

    def take_write(self, external_id: str) -> None:
        """Count a write for this participant; the answer's headers then tell of the participant's cap."""
        self.standing = limits.take_participant_write(self.tenant, external_id) or self.standing


class AdminViewSet(KeyViewSet):
    """Endpoints that need the admin scope."""

    permission_classes = [HasKey, HasAdminScope]


def validated(serializer: type[Serializer[Any]], data: Any, *, instance: Any = None) -> Any:
    """What `data` says; of a change to `instance`, only the fields that are given. Raises ValidationError."""
    if instance is None and data is not None:
        return _shared(serializer).run_validation(data)
    bound = serializer(instance, data=data, partial=instance is not None)
    bound.is_valid(raise_exception=True)
    return bound.validated_data


def rendered(answer: type[Serializer[Any]], value: Any) -> dict[str, Any]:
    """`value` as `answer` describes it."""
    described: dict[str, Any] = _shared(answer).to_representation(value)
    return described


@cache
def _shared(serializer: type[Serializer[Any]]) -> Serializer[Any]:
    """One for all requests, as nested serializers are for all items: what a new one copies of its class takes longer than its work."""
    return serializer()


def _check_participant_id(name: str, external_id: str | None) -> None:
    if external_id is not None and (problem := external_id_problem(external_id)):
        raise InvalidInput(name, problem)
