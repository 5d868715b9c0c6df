"""Queries and answers of exports."""

from typing import Any

from rest_framework import serializers

from gamify_project.exports.models import Export, ExportFormat, ExportStatus
from participants.api.actors import actor_field
from participants.api.exporting import ExportKind, export_kinds
from participants.api.scalars import IdField, WholeNumberField


def _filters_in_words(kind: ExportKind) -> str:
    fields = kind.filters().fields.items()
    return ", ".join(f"`{name}`{' (required)' if field.required else ''}" for name, field in fields)


def kinds_in_words() -> str:
    """Return what each kind contains, with its filters and its columns in their order, as Markdown."""
    return "\n".join(
        f"- `{name}`: {kind.about} Filters: {_filters_in_words(kind)}. Columns: {', '.join(kind.columns)}."
        for name, kind in export_kinds.items()
    )


class ExportsQuery(serializers.Serializer[Any]):
    cursor = IdField(required=False, help_text="`next_cursor` of the page before. Default: the newest exports.")
    limit = WholeNumberField(min_value=1, max_value=100, default=50, help_text="Maximum number of items.")


class ExportAnswer(serializers.Serializer[Any]):
    id = serializers.UUIDField(help_text="Id of the export.")
    kind = serializers.CharField(help_text="What is exported.")
    format = serializers.ChoiceField(choices=ExportFormat.choices, help_text="`csv` or `ndjson`.")
    filters = serializers.DictField(help_text="The filters of the request.")
    status = serializers.ChoiceField(
        choices=ExportStatus.choices,
        help_text="`queued` until a worker begins, then `running`, then `done` or `failed`. If a participant is erased, it is `queued` again.",
    )
    rows = serializers.IntegerField(help_text="Rows in the file so far. The header line does not count.")
    size = serializers.IntegerField(help_text="Size of the file so far, in bytes.")
    sha256 = serializers.CharField(
        allow_null=True, help_text="SHA-256 of the file, hexadecimal; null until it is done."
    )
    url = serializers.CharField(
        allow_null=True, help_text="Path of the file on this host; null if it cannot be fetched now."
    )
    problem = serializers.CharField(allow_null=True, help_text="Why the export failed; null if it did not.")
    actor = actor_field()
    created_at = serializers.DateTimeField(
        help_text="When it was created. The file contains what was written until then."
    )
    finished_at = serializers.DateTimeField(
        allow_null=True, help_text="When the file was complete, or when the export failed."
    )
    expires_at = serializers.DateTimeField(
        allow_null=True, help_text="When the export is deleted with its file; null until it is done or has failed."
    )


class ExportsPage(serializers.Serializer[Any]):
    items = ExportAnswer(many=True, help_text="Exports, newest first.")
    next_cursor = serializers.UUIDField(allow_null=True, help_text="`cursor` of the next page; null on the last page.")


def export_answer(export: Export, *, url: str | None) -> dict[str, Any]:
    """Return the answer about an export. `url` is the address of its file, if it can be fetched now."""
    columns = (
        "id", "kind", "format", "filters", "status", "rows", "size", "sha256", "created_at", "finished_at", "expires_at",
    )  # fmt: skip
    return {
        **{name: getattr(export, name) for name in columns},
        "url": url,
        "problem": export.error,
        "actor_json": export.actor_json,
    }
