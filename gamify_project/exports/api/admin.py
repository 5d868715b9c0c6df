"""Endpoints of exports, for keys with the admin scope."""

from django.http import HttpResponseBase
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from rest_framework.request import Request
from rest_framework.response import Response

from gamify_project.exports import services
from gamify_project.exports.api import examples
from gamify_project.exports.api.serializers import (
    ExportAnswer,
    ExportsPage,
    ExportsQuery,
    export_answer,
    kinds_in_words,
)
from gamify_project.exports.files import file_response
from gamify_project.exports.formats import FORMATS
from gamify_project.exports.models import Export, ExportFormat
from gamify_project.exports.requests import ExportBody, ExportRequest
from gamify_project.exports.services import ExportExpired, ExportNotFound, ExportNotReady, TooManyExports
from participants.api.exporting import export_kinds
from participants.api.permissions import ScopeMissing, key_of
from participants.api.schema import operation
from participants.api.views import AdminViewSet, render
from participants.errors import InvalidInput
from participants.work import reading

UNKNOWN = ExportNotFound("0192f0c1-7a55-7b3e-9d43-2f6c1a9be001")


class ExportViewSet(AdminViewSet):
    @operation(
        "create_export",
        body=ExportBody,
        answer=ExportAnswer,
        status=202,
        errors=[
            ScopeMissing("codes"),
            TooManyExports(3),
            InvalidInput("filters.badge_code", "There is no badge with this code."),
        ],
        example=examples.CREATED,
        more=kinds_in_words,
    )
    def create(self, request: Request) -> Response:
        """Create an export of your tenant's data to a file. A worker writes the file. Read the export until its status is `done`.

        The file contains what was written until the export was created. CSV has commas between the values. A text in it that begins with
        `=`, `+`, `-`, `@` (also full-width), a tab or a line break gets an apostrophe before it, so that a spreadsheet which separates at
        commas does not take it for a formula. Numbers stay numbers. When a participant is erased, the files of the tenant are built again
        without them.
        """
        wanted: ExportRequest = self.body(ExportBody)
        self._check_scope(wanted.kind)
        with reading(self.tenant):
            export = services.create_export(tenant=self.tenant, wanted=wanted, now=self.now)
            return Response(render(ExportAnswer, self._answer(export)), status=202)

    @operation("list_exports", query=ExportsQuery, answer=ExportsPage, example=examples.LISTED)
    def index(self, request: Request) -> Response:
        """The exports of your tenant whose files are not deleted yet, newest first."""
        query = self.query(ExportsQuery)
        with reading(self.tenant):
            found, cursor = services.exports_page(self.tenant, before=query.get("cursor"), limit=query["limit"])
            page = {"items": [self._answer(export) for export in found], "next_cursor": cursor}
            return Response(render(ExportsPage, page))

    @operation("read_export", answer=ExportAnswer, errors=[UNKNOWN], example=examples.DONE)
    def retrieve(self, request: Request, export_id: str) -> Response:
        """One export: its status, its rows so far, and when it is done the address and the SHA-256 of its file."""
        with reading(self.tenant):
            return Response(render(ExportAnswer, self._answer(services.find_export(self.tenant, export_id))))

    @operation(
        "fetch_export",
        answer=OpenApiTypes.STR,
        media_type=FORMATS[ExportFormat.CSV].media_type,
        errors=[UNKNOWN, ScopeMissing("codes"), ExportNotReady("running"), ExportExpired()],
        example=examples.FILE,
    )
    def file(self, request: Request, export_id: str) -> HttpResponseBase:
        """The file of an export that is done. `ETag` is its SHA-256. A file in NDJSON has the type `application/x-ndjson`."""
        with reading(self.tenant):
            export = services.available_export(self.tenant, export_id, now=self.now)
            self._check_scope(export.kind)
            return file_response(export)

    def _check_scope(self, kind: str) -> None:
        scope = export_kinds[kind].key_scope
        if scope and not key_of(self.request).has_scope(scope):
            raise ScopeMissing(scope)

    def _answer(self, export: Export) -> dict[str, object]:
        url = reverse("export_file", args=[export.pk]) if export.is_available_at(self.now) else None
        return export_answer(export, url=url)
