"""Strict filters: django-filter ignores invalid values, these refuse them."""

from typing import Any

import django_filters
from django.db.models import QuerySet
from django_filters.rest_framework import DjangoFilterBackend
from drf_spectacular.drainage import set_override

from participants import selectors
from participants.api.queries import non_empty_parameters
from participants.models import Participant

BOOLEANS = {"true": True, "false": False}
_NOT_A_BOOLEAN = {"invalid_choice": "Must be true or false."}


class BooleanFilter(django_filters.TypedChoiceFilter):
    """A filter that accepts `true` and `false`. Any other value is an error."""

    def __init__(self, *, label: str, **kwargs: Any) -> None:
        choices = [(text, text) for text in BOOLEANS]
        super().__init__(
            choices=choices, coerce=BOOLEANS.__getitem__, label=label, error_messages=_NOT_A_BOOLEAN, **kwargs
        )
        set_override(self, "field", {"type": "boolean", "description": label})


class FilterBackend(DjangoFilterBackend):
    """Raises rest_framework's ValidationError for values that the filter set does not accept."""

    raise_exception = True

    def get_filterset_kwargs(self, request: Any, queryset: Any, view: Any) -> dict[str, Any]:
        kwargs: dict[str, Any] = super().get_filterset_kwargs(request, queryset, view)
        return kwargs | {"data": non_empty_parameters(request.query_params)}


class ParticipantFilter(django_filters.FilterSet):
    search = django_filters.CharFilter(method="filter_search", label="Part of the id or the display name.", strip=False)
    is_active = BooleanFilter(label="true: only active participants; false: only inactive ones.")
    tier = django_filters.CharFilter(field_name="tier_code", label="Code of the current tier.")
    sort_by = django_filters.ChoiceFilter(
        choices=[(name, name) for name in selectors.SORTABLE],
        method="filter_nothing",
        label="Sort field. Default: participant_id.",
    )
    sort_order = django_filters.ChoiceFilter(
        choices=[("asc", "asc"), ("desc", "desc")], method="filter_nothing", label="Sort direction. Default: asc."
    )

    class Meta:
        model = Participant
        fields: list[str] = []

    def filter_search(self, queryset: "QuerySet[Participant]", name: str, value: str) -> "QuerySet[Participant]":
        return queryset.filter(selectors.name_filter(value))

    def filter_nothing(self, queryset: "QuerySet[Participant]", name: str, value: str) -> "QuerySet[Participant]":
        return queryset  # `filter_queryset` combines the two sort parameters

    def filter_queryset(self, queryset: "QuerySet[Participant]") -> "QuerySet[Participant]":
        cleaned = self.form.cleaned_data
        filtered: QuerySet[Participant] = super().filter_queryset(queryset)
        return selectors.sorted_participants(
            filtered, sort_by=cleaned["sort_by"] or "participant_id", descending=cleaned["sort_order"] == "desc"
        )
