"""The admin endpoints of every kind of definition: list, create, get, update, and delete (which deactivates).

@document_endpoints(created=Example(body={...}, answer={...}), errors=[...])
class AdminTierViewSet(DefinitionViewSet):
    noun, model, serializer_class = "tier", Tier, TierAnswer
    create_body, update_body, not_found = NewTier, TierChanges, TierNotFound

urlpatterns = definition_routes("tiers", AdminTierViewSet)

A change is validated with `partial=True` and the stored row as `instance`, so that a rule about two fields also sees the field
that is not sent (`DefinitionChanges.after`).
"""

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, TypeVar
from uuid import UUID

import django_filters
from django.db import transaction
from django.db.models import QuerySet
from django.urls import URLPattern, path
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from participants.api.fields import NameField
from participants.api.filters import BooleanFilter, FilterBackend
from participants.api.pagination import Page
from participants.api.scalars import FlagField, TextField, WholeNumberField
from participants.api.schema import Example, operation
from participants.api.views import AdminViewSet, validate
from participants.api.warnings import Warnings, ignored_fields, warnings_field, with_warnings
from participants.errors import DomainError, InvalidInput
from participants.models import Definition
from participants.services.definitions import CodeConflict, create_definition, update_definition
from participants.work import reading


class DefinitionFilter(django_filters.FilterSet):
    is_active = BooleanFilter(label="true: only active definitions; false: only inactive ones.")


MAX_DISPLAY_ORDER = 2**31 - 1


class DefinitionChanges(serializers.Serializer[Any]):
    """Body of a change: the fields that every definition has besides its code.

    A body that creates a definition inherits from it, adds `code` and makes `name` required.
    """

    initial_values: ClassVar[
        Mapping[str, Any]
    ] = {}  # values of a new definition for fields that the client leaves out, used by `after`

    name = NameField(required=False)
    description = TextField(
        max_length=2000, required=False, allow_null=True, allow_blank=True, help_text="Description, or null."
    )
    is_active = FlagField(required=False, help_text="Whether it is in use.")
    display_order = WholeNumberField(
        min_value=-MAX_DISPLAY_ORDER,
        max_value=MAX_DISPLAY_ORDER,
        required=False,
        help_text="Lists are sorted by this number, then by code.",
    )

    def after(self, attrs: Mapping[str, Any], name: str) -> Any:
        """Return the value that field `name` will have: the new one from `attrs`, else the one stored in `instance`.

        Rules about two fields use it, because a change may send only one of them.
        """
        return attrs[name] if name in attrs else getattr(self.instance, name, self.initial_values.get(name))


class DefinitionAnswer(serializers.Serializer[Any]):
    id = serializers.UUIDField(help_text="Id of the definition; use it in paths.")
    tenant_id = serializers.UUIDField(help_text="Id of your tenant; with a sandbox key, of its sandbox.")
    code = serializers.CharField(help_text="The code that you chose.")
    name = serializers.CharField(help_text="Display name.")
    description = serializers.CharField(allow_null=True, help_text="Description, or null.")
    is_active = serializers.BooleanField(help_text="Whether it is in use.")
    display_order = serializers.IntegerField(help_text="Lists are sorted by this number, then by code.")
    created_at = serializers.DateTimeField(help_text="When it was created.")
    updated_at = serializers.DateTimeField(help_text="When it was last changed.")
    warnings = warnings_field()


class Deactivated(serializers.Serializer[Any]):
    message = serializers.CharField(help_text="What was done, as a sentence.")


class DefinitionViewSet(AdminViewSet, GenericViewSet[Any]):
    """Subclasses set `noun`, `model`, the three serializers, and the error for an unknown id (`not_found`)."""

    noun: ClassVar[str]
    model: ClassVar[type[Definition]]
    create_body: ClassVar[type[serializers.Serializer[Any]]]
    update_body: ClassVar[type[serializers.Serializer[Any]]]
    not_found: ClassVar[type[DomainError]]
    pagination_class = Page
    filter_backends = [FilterBackend]
    filterset_class = DefinitionFilter

    def get_queryset(self) -> "QuerySet[Any]":
        if getattr(self, "swagger_fake_view", False):
            return self.model.objects.none()  # drf-spectacular needs the model only; there is no tenant
        return self.model.objects.of(self.tenant).in_order()

    def definition(self, definition_id: str, *, lock: bool = False) -> Any:
        """Return the tenant's definition with this id.

        Raises: the `not_found` error; also if the id is no UUID, or belongs to another tenant.
        """
        try:
            rows = self.get_queryset().filter(pk=UUID(definition_id))
            row = (rows.select_for_update() if lock else rows).first()
        except ValueError:
            row = None
        if row is None:
            raise type(self).not_found(definition_id)
        return row

    def list(self, request: Request) -> Response:
        with reading(self.tenant):
            page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
            return self.get_paginated_response(self.get_serializer(page, many=True).data)

    def retrieve(self, request: Request, definition_id: str) -> Response:
        with reading(self.tenant):
            return self._response(self.definition(definition_id))

    def create(self, request: Request) -> Response:
        warnings = ignored_fields(request.data, self.create_body())
        row = self.perform_create(validate(self.create_body, request.data))
        return self._response(row, warnings=warnings, status=status.HTTP_201_CREATED)

    def partial_update(self, request: Request, definition_id: str) -> Response:
        warnings: list[Mapping[str, str]] = []

        def changes(row: Definition) -> Mapping[str, Any]:
            warnings[:] = ignored_fields(
                request.data, self.update_body(), current=lambda: self.get_serializer(row).data
            )
            sent: Mapping[str, Any] = _without_null_for_required(dict(request.data), self.update_body)
            changed: Mapping[str, Any] = validate(self.update_body, sent, instance=row)
            return changed

        return self._response(self.perform_change(definition_id, changes), warnings=warnings)

    def destroy(self, request: Request, definition_id: str) -> Response:
        self.perform_destroy(self.definition(definition_id))
        return Response({"message": f"{self.noun.capitalize()} deactivated"})

    def perform_create(self, data: Mapping[str, Any]) -> Definition:
        return create_definition(self.model, noun=self.noun, tenant=self.tenant, data=data, now=self.now)

    def perform_change(self, definition_id: str, changes: Callable[[Definition], Mapping[str, Any]]) -> Definition:
        """Lock the row, validate the request against it with `changes`, and write the result.

        Without the lock, a concurrent change of another field could break a rule about both fields.
        """
        with transaction.atomic():
            row = self.definition(definition_id, lock=True)
            return self.perform_update(row, changes(row))

    def perform_update(self, row: Definition, changes: Mapping[str, Any]) -> Definition:
        return update_definition(row, tenant=self.tenant, changes=changes, now=self.now)

    def perform_destroy(self, row: Definition) -> Definition:
        return self.perform_update(row, {"is_active": False})

    def _response(self, row: Definition, *, warnings: Warnings = (), **response: Any) -> Response:
        return Response(with_warnings(self.get_serializer(row).data, warnings), **response)


def _without_null_for_required(data: Mapping[str, Any], body: type[serializers.Serializer[Any]]) -> dict[str, Any]:
    """Return `data` without null values of fields that cannot be null.

    Clients that always send all fields mean "unchanged" by such a null.
    """
    fields = body().fields
    return {
        name: value
        for name, value in data.items()
        if value is not None or getattr(fields.get(name), "allow_null", False)
    }


V = TypeVar("V", bound=type[DefinitionViewSet])


def document_endpoints(*, created: Example, errors: Sequence[DomainError] = ()) -> Callable[[V], V]:
    """Class decorator: describe the five operations of a definition viewset in the OpenAPI document.

    `created` is an example of a create request with its answer. `errors` are examples of the domain's own errors; the code
    conflict, the invalid name and the unknown id are added here.
    """

    def describe(viewset: V) -> V:
        for name, document in _documents(viewset, created, errors).items():
            setattr(viewset, name, document(_own_copy(viewset, name)))
        return viewset

    return describe


def _own_copy(viewset: type[DefinitionViewSet], name: str) -> Callable[..., Response]:
    """Wrap the inherited method in a function of this viewset, so that each viewset can have its own description."""
    inherited = getattr(viewset, name)

    @functools.wraps(inherited)
    def view(self: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
        response: Response = inherited(self, request, *args, **kwargs)
        return response

    view.__module__, view.__doc__ = viewset.__module__, _ABOUT[name].format(noun=viewset.noun)
    return view


_ABOUT = {
    "list": "List the {noun} definitions of your tenant, active and inactive, in display order.",
    "create": "Create a {noun}. You choose its code; the code cannot be changed later.",
    "retrieve": "Get one {noun} definition, active or inactive.",
    "partial_update": "Change a {noun} definition. Fields that are not sent stay as they are.",
    "destroy": "Deactivate a {noun}. Participants keep what they have of it.",
}


def _documents(
    viewset: type[DefinitionViewSet], created: Example, errors: Sequence[DomainError]
) -> dict[str, Callable[[Callable[..., Any]], Callable[..., Any]]]:
    noun, answer = viewset.noun, viewset.serializer_class
    assert answer is not None, "set serializer_class on the definition viewset"  # noqa: S101
    unknown = viewset.not_found("01a20030-16b8-773b-a1f2-79a6f16a65ee")
    changed = Example(created.answer, {"name": created.answer["name"]})
    conflict = CodeConflict(noun, str(created.answer["code"]))
    errors = [InvalidInput("name", "Ensure this field has no more than 100 characters."), *errors]
    gone = Example({"message": f"{noun.capitalize()} deactivated"})
    return {
        "list": operation(f"list_{noun}_definitions", answer=answer(many=True), example=Example(created.answer)),
        "create": operation(
            f"create_{noun}",
            body=viewset.create_body,
            answer=answer,
            status=201,
            errors=[conflict, *errors],
            example=created,
        ),
        "retrieve": operation(f"get_{noun}", answer=answer, errors=[unknown], example=Example(created.answer)),
        "partial_update": operation(
            f"update_{noun}", body=viewset.update_body, answer=answer, errors=[unknown, *errors], example=changed
        ),
        "destroy": operation(f"deactivate_{noun}", answer=Deactivated, errors=[unknown], example=gone),
    }


def definition_routes(name: str, viewset: type[DefinitionViewSet]) -> list[URLPattern]:
    """Return the routes `admin/{name}` (list, create) and `admin/{name}/{id}` (get, update, deactivate)."""
    one: dict[str, Any] = {"get": "retrieve", "patch": "partial_update", "delete": "destroy"}
    return [
        path(f"admin/{name}", viewset.as_view({"get": "list", "post": "create"})),
        path(f"admin/{name}/<str:definition_id>", viewset.as_view(one)),
    ]
