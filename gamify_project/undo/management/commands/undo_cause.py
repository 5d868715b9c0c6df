import time
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils import timezone

from gamify_project.undo.models import Undo
from gamify_project.undo.running import run
from gamify_project.undo.selectors import kept_page, report_of
from gamify_project.undo.services import CAUSE_KINDS, Cause, UndoRequest, store
from participants.engine import instant_of
from participants.management.base import ReportingCommand, add_tenant, existing_tenant, whole_number

SHOWN = 1_000
PAUSE_SECONDS = 1.0


def cause_of(text: str) -> Cause:
    """argparse type for an actor, `kind:id`."""
    kind, _, cause_id = text.partition(":")
    if kind not in CAUSE_KINDS or not cause_id:
        raise ArgumentTypeError(f"must be KIND:ID with one of the kinds {', '.join(CAUSE_KINDS)}; got '{text}'")
    return Cause(kind, cause_id)


def instant(text: str) -> datetime:
    """argparse type for a date and time."""
    found = instant_of(text)
    if found is None:
        raise ArgumentTypeError(f"must be a date and time, such as 2026-02-14T10:00:00Z; got '{text}'")
    return found


class Command(ReportingCommand):
    help = (
        "Take back what one actor wrote: a leaked key, an import, a member of staff, a version of a rule. The command ends when the undo is "
        "done. If it is interrupted, a worker continues."
    )

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("cause", metavar="KIND:ID", type=cause_of, help="The actor, as in `admin/activity`.")
        add_tenant(parser)
        parser.add_argument("--since", required=True, type=instant, metavar="TIME", help="Included.")
        parser.add_argument("--until", type=instant, metavar="TIME", help="Not included. Default: now.")
        parser.add_argument("--of-version", type=whole_number, metavar="N", help="Version of a definition.")
        parser.add_argument("--reason", metavar="TEXT", help="Reason of all reversals.")
        parser.add_argument("--dry-run", action="store_true", help="Only report what would be taken back.")

    def report(self, *, cause: Cause, tenant: str, sandbox: bool, **options: Any) -> Mapping[str, Any]:
        request = UndoRequest(
            cause=Cause(cause.kind, cause.id, options["of_version"]),
            since=options["since"],
            until=options["until"],
            reason=options["reason"],
            is_dry_run=options["dry_run"],
        )
        undo = store(tenant=existing_tenant(tenant, sandbox=sandbox), request=request, now=timezone.now())
        _finish(undo)
        report, (kept, _) = report_of(undo), kept_page(undo, after=None, limit=SHOWN)
        return {
            "id": str(undo.pk),
            "status": undo.status,
            "reversed": report.reversed,
            "kept": report.kept,
            "reasons": [
                f"{item.type} {item.shown_id} of {item.participant_name or 'a deleted participant'}: {item.reason}"
                for item in kept
            ],
        }


def _finish(undo: Undo) -> None:
    """Run the undo to its end. If a worker took it first, wait for that worker."""
    for _ in run(undo):
        pass
    while undo.is_unfinished:
        time.sleep(PAUSE_SECONDS)
        for _ in run(undo):
            pass
