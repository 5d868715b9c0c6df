"""Pagination with `page` and `page_size`. Values out of range are refused; a page after the last one is empty."""

from collections.abc import Mapping
from typing import Any

from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response

from participants.api.fields import PageQuery
from participants.api.queries import non_empty_parameters


class Page(BasePagination):
    """Answers `{items, total, page, page_size}`."""

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        query = PageQuery(data=non_empty_parameters(request.query_params))
        query.is_valid(raise_exception=True)
        self.page, self.size = query.validated_data["page"], query.validated_data["page_size"]
        self.total = queryset.order_by().count()
        start = (self.page - 1) * self.size
        return list(queryset[start : start + self.size]) if start < self.total else []

    def get_paginated_response(self, data: Any) -> Response:
        return Response({"items": data, "total": self.total, "page": self.page, "page_size": self.size})

    def get_paginated_response_schema(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        properties = {
            "items": schema,
            "total": _number("Number of items on all pages.", example=1),
            "page": _number("The requested page.", example=1),
            "page_size": _number("The requested page size.", example=50),
        }
        about = "The `items` of this page, and its place in the list."
        return {"type": "object", "description": about, "required": list(properties), "properties": properties}

    def get_schema_operation_parameters(self, view: Any) -> list[Any]:
        return [_parameter(name, field) for name, field in PageQuery().fields.items()]


def _number(description: str, *, example: int) -> dict[str, Any]:
    return {"type": "integer", "description": description, "example": example}


def _parameter(name: str, field: Any) -> dict[str, Any]:
    schema = {"type": "integer", "minimum": field.min_value, "maximum": field.max_value, "default": field.default}
    return {"name": name, "in": "query", "required": False, "description": field.help_text, "schema": schema}
