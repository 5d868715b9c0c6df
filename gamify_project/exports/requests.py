"""The request for an export: what the API and the console ask for, validated."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from gamify_project.exports.models import ExportFormat
from participants.api.exporting import Filters, export_kinds
from participants.api.scalars import FlagField


@dataclass(frozen=True)
class ExportRequest:
    """A valid request. `filters` has the validated values, `sent` the same filters as the client sent them."""

    kind: str
    filters: Filters
    sent: Mapping[str, Any]
    format: str
    has_bom: bool


@extend_schema_field(OpenApiTypes.OBJECT)
class FiltersField(serializers.Field[Any, Any, Any, Any]):
    """A JSON object. `ExportBody` validates it with the serializer of the kind."""

    default_error_messages = {"not_an_object": "Must be a JSON object."}

    def to_internal_value(self, data: Any) -> Mapping[str, Any]:
        if not isinstance(data, dict):
            self.fail("not_an_object")
        return data

    def to_representation(self, value: Any) -> Any:
        return value


class ExportBody(serializers.Serializer[Any]):
    """Validates to an ExportRequest."""

    kind = serializers.ChoiceField(choices=list(export_kinds), help_text="Kind of rows, such as `ledger`.")
    format = serializers.ChoiceField(
        choices=ExportFormat.choices,
        default=ExportFormat.CSV,
        help_text="`csv` (RFC 4180, with a header line) or `ndjson` (one JSON object per line).",
    )
    filters = FiltersField(
        default=dict, help_text="Which rows to export. Each kind has its own filters. Default: all rows."
    )
    bom = FlagField(
        default=False, help_text="Begin a CSV file with a byte order mark, so that Excel reads it as UTF-8."
    )

    def validate(self, attrs: dict[str, Any]) -> Any:
        if attrs["bom"] and attrs["format"] != ExportFormat.CSV:
            raise serializers.ValidationError({"bom": ["Must be false: only a CSV file can have a byte order mark."]})
        try:
            filters = export_kinds[attrs["kind"]].filters().run_validation(attrs["filters"])
        except serializers.ValidationError as error:
            raise serializers.ValidationError({"filters": error.detail}) from error
        return ExportRequest(attrs["kind"], filters, attrs["filters"], attrs["format"], attrs["bom"])


def checked_request(body: Mapping[str, Any]) -> ExportRequest:
    """Return the request of a body. Raises: rest_framework's ValidationError."""
    wanted: ExportRequest = ExportBody().run_validation(body)
    return wanted
