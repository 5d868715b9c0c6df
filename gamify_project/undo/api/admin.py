"""Undo of what one cause wrote, for keys with the admin scope."""

from rest_framework.request import Request
from rest_framework.response import Response

from gamify_project.undo.api import examples
from gamify_project.undo.api.serializers import KeptPage, KeptQuery, UndoAnswer, UndoBody, UndoReport
from gamify_project.undo.selectors import get_undo, kept_page, report_of
from gamify_project.undo.services import Cause, UndoNotFound, UndoRequest, UndoRunning, ask
from participants.api.schema import operation
from participants.api.views import AdminViewSet, render
from participants.errors import InvalidInput
from participants.work import reading


class UndoViewSet(AdminViewSet):
    @operation(
        "undo_cause",
        body=UndoBody,
        answer=UndoAnswer,
        status=202,
        errors=[UndoRunning(), InvalidInput("since", "Must be before `until`, and in the past.")],
        example=examples.ASKED,
    )
    def create(self, request: Request) -> Response:
        """Take back all that one actor wrote in a time: a leaked key, an import, a bulk award of staff, a version of a rule.

        Ledger entries and events are reversed, badges revoked, tiers returned to the one before, and claims cancelled, newest first, with what
        definitions gave because of them. What cannot be taken back is kept, and `admin/undo/{undo_id}/kept` says why. The undo runs in
        the background; ask for its status. With `dry_run` nothing changes, and the report is the same. Revoke a leaked key first.
        """
        body = self.body(UndoBody)
        undo = ask(
            tenant=self.tenant,
            request=UndoRequest(
                cause=Cause(**body["cause"]),
                since=body["since"],
                until=body.get("until"),
                reason=body.get("reason"),
                is_dry_run=body["dry_run"],
            ),
            now=self.now,
        )
        return Response(render(UndoAnswer, report_of(undo)), status=202)

    @operation("read_undo", answer=UndoReport, errors=[UndoNotFound(examples.UNDO_ID)], example=examples.REPORT)
    def retrieve(self, request: Request, undo_id: str) -> Response:
        """The progress and the report of an undo."""
        with reading(self.tenant):
            return Response(render(UndoReport, report_of(get_undo(self.tenant, undo_id))))

    @operation(
        "list_kept_by_undo",
        query=KeptQuery,
        answer=KeptPage,
        errors=[UndoNotFound(examples.UNDO_ID)],
        example=examples.KEPT,
    )
    def kept(self, request: Request, undo_id: str) -> Response:
        """What an undo kept, and why."""
        query = self.query(KeptQuery)
        with reading(self.tenant):
            undo = get_undo(self.tenant, undo_id)
            items, cursor = kept_page(undo, after=query.get("cursor"), limit=query["limit"])
            return Response(render(KeptPage, {"items": items, "next_cursor": cursor}))
