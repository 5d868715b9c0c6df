"""The admin endpoints that all definitions have: list, create, get, update, delete (which deactivates).

@documented(created=Example(body={...}, answer={...}), errors=[...])
class AdminTierViewSet(DefinitionViewSet):
    noun, model, serializer_class = "tier", Tier, TierAnswer
    create_body, update_body, not_found = NewTier, TierChanges, TierNotFound

urlpatterns = definition_routes("tiers", AdminTierViewSet)

A change is validated with `partial=True` and the row as `instance`: a rule about two fields sees the one that stays.
"""

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Protocol, TypeVar
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
from participants.api.views import AdminViewSet, validated
from participants.api.warnings import Warnings, ignored_fields, warnings_field, with_warnings
from participants.errors import DomainError, InvalidInput
from participants.models import Definition
from participants.services.definitions import CodeConflict, create_definition, update_definition
from participants.work import reading


class DefinitionFilter(django_filters.FilterSet):
    is_active = BooleanFilter(label="Only active ones, or only inactive ones.")


MAX_DISPLAY_ORDER = 2**31 - 1


class DefinitionChanges(serializers.Serializer[Any]):
    """Body of a change: the fields that every definition has besides its code.

    A body that creates a definition inherits from it, adds `code` and makes `name` required.
    """

    initial_values: ClassVar[
        Mapping[str, Any]
    ] = {}  # what `after` returns for a field of a new definition that is not sent

    name = NameField(required=False)
    description = TextField(
        max_length=2000, required=False, allow_null=True, allow_blank=True, help_text="What it is for, or null."
    )
    is_active = FlagField(required=False, help_text="Whether it is in use.")
    display_order = WholeNumberField(
        min_value=-MAX_DISPLAY_ORDER,
        max_value=MAX_DISPLAY_ORDER,
        required=False,
        help_text="Lists are sorted by it, then by code.",
    )

    def after(self, attrs: Mapping[str, Any], name: str) -> Any:
        """Return the value that field `name` will have: the new one from `attrs`, else the one stored in `instance`.

        Rules about two fields use it, because a change may send only one of them.
        """
        return attrs[name] if name in attrs else getattr(self.instance, name, self.initial_values.get(name))


class DefinitionAnswer(serializers.Serializer[Any]):
    id = serializers.UUIDField(help_text="Its id, by which it is changed.")
    tenant_id = serializers.UUIDField(help_text="Your tenant's id; in the sandbox, the sandbox's.")
    code = serializers.CharField(help_text="Your code for it.")
    name = serializers.CharField(help_text="Its name, for people.")
    description = serializers.CharField(allow_null=True, help_text="What it is for, or null.")
    is_active = serializers.BooleanField(help_text="Whether it is in use.")
    display_order = serializers.IntegerField(help_text="Lists are sorted by it, then by code.")
    created_at = serializers.DateTimeField(help_text="When it was created.")
    updated_at = serializers.DateTimeField(help_text="When it was changed last.")
    warnings = warnings_field()


class Deactivated(serializers.Serializer[Any]):
    message = serializers.CharField(help_text="What was done, for people.")


class NotFound(Protocol):
    def __call__(self, definition_id: str, /) -> DomainError: ...


class DefinitionViewSet(AdminViewSet, GenericViewSet[Any]):
    """Subclasses name the model, the three serializers and what to say of an unknown id."""

    noun: ClassVar[str]
    model: ClassVar[type[Definition]]
    create_body: ClassVar[type[serializers.Serializer[Any]]]
    update_body: ClassVar[type[serializers.Serializer[Any]]]
    not_found: ClassVar[NotFound]
    pagination_class = Page
    filter_backends = [FilterBackend]
    filterset_class = DefinitionFilter

    def get_queryset(self) -> "QuerySet[Any]":
        if getattr(self, "swagger_fake_view", False):
            return self.model.objects.none()  # the schema asks for the model, and has no tenant
        return self.model.objects.of(self.tenant).in_order()

    def definition(self, definition_id: str, *, lock: bool = False) -> Any:
        """The tenant's definition with this id. Raises what `not_found` makes, for another tenant's or no UUID as well."""
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
            return self.shown(self.definition(definition_id))

    def create(self, request: Request) -> Response:
        warnings = ignored_fields(request.data, self.create_body())
        row = self.perform_create(validated(self.create_body, request.data))
        return self.shown(row, warnings=warnings, status=status.HTTP_201_CREATED)

    def partial_update(self, request: Request, definition_id: str) -> Response:
        warnings: list[Mapping[str, str]] = []

        def changes(row: Definition) -> Mapping[str, Any]:
            warnings[:] = ignored_fields(request.data, self.update_body(), shown=lambda: self.get_serializer(row).data)
            given: Mapping[str, Any] = _given(dict(request.data), self.update_body)
            changed: Mapping[str, Any] = validated(self.update_body, given, instance=row)
            return changed

        return self.shown(self.perform_change(definition_id, changes), warnings=warnings)

    def destroy(self, request: Request, definition_id: str) -> Response:
        self.perform_destroy(self.definition(definition_id))
        return Response({"message": f"{self.noun.capitalize()} deactivated"})

    def perform_create(self, data: Mapping[str, Any]) -> Definition:
        return create_definition(self.model, noun=self.noun, tenant=self.tenant, data=data, now=self.now)

    def perform_change(self, definition_id: str, changes: Callable[[Definition], Mapping[str, Any]]) -> Definition:
        """`changes` judges the request by the locked row: fields that stay must stay until the change is written."""
        with transaction.atomic():
            row = self.definition(definition_id, lock=True)
            return self.perform_update(row, changes(row))

    def perform_update(self, row: Definition, changes: Mapping[str, Any]) -> Definition:
        return update_definition(row, tenant=self.tenant, changes=changes, now=self.now)

    def perform_destroy(self, row: Definition) -> Definition:
        return self.perform_update(row, {"is_active": False})

    def shown(self, row: Definition, *, warnings: Warnings = (), **response: Any) -> Response:
        return Response(with_warnings(self.get_serializer(row).data, warnings), **response)


def _given(data: Mapping[str, Any], body: type[serializers.Serializer[Any]]) -> dict[str, Any]:
    """`data` without nulls for what cannot be null: clients that send every field mean "unchanged" by them."""
    fields = body().fields
    return {name: value for name, value in data.items() if value is not None or _may_be_null(fields.get(name))}


def _may_be_null(field: Any) -> bool:
    return field is not None and field.allow_null


V = TypeVar("V", bound=type[DefinitionViewSet])


def documented(*, created: Example, errors: Sequence[DomainError] = ()) -> Callable[[V], V]:
    """Describe the five operations of a viewset in the schema. `created` is the call that makes one, with its answer;
    `errors` are the domain's own, besides the conflict and the unknown id."""

    def describe(viewset: V) -> V:
        for name, document in _documents(viewset, created, errors).items():
            setattr(viewset, name, document(_own_copy(viewset, name)))
        return viewset

    return describe


def _own_copy(viewset: type[DefinitionViewSet], name: str) -> Callable[..., Response]:
    """The inherited method as one of this viewset, so that its description is not its siblings'."""
    inherited = getattr(viewset, name)

    @functools.wraps(inherited)
    def view(self: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
        response: Response = inherited(self, request, *args, **kwargs)
        return response

    view.__module__, view.__doc__ = viewset.__module__, _ABOUT[name].format(noun=viewset.noun)
    return view


_ABOUT = {
    "list": "The {noun} definitions of your tenant, in their display order; active and inactive ones.",
    "create": "Define a {noun}. Its code is yours to choose and never changes.",
    "retrieve": "One {noun} definition, active or not.",
    "partial_update": "Change a {noun} definition: the fields that are given, and no other.",
    "destroy": "Deactivate a {noun}. What participants have of it stays.",
}


def _documents(
    viewset: type[DefinitionViewSet], created: Example, errors: Sequence[DomainError]
) -> dict[str, Callable[[Callable[..., Any]], Callable[..., Any]]]:
    noun, answer = viewset.noun, viewset.serializer_class
    assert answer is not None, "a definition viewset names its serializer_class"  # noqa: S101
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
    """`admin/{name}` and `admin/{name}/{id}`."""
    one: dict[str, Any] = {"get": "retrieve", "patch": "partial_update", "delete": "destroy"}
    return [
        path(f"admin/{name}", viewset.as_view({"get": "list", "post": "create"})),
        path(f"admin/{name}/<str:definition_id>", viewset.as_view(one)),
    ]
