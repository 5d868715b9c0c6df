from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any

from django.utils import timezone

from gamify.leaderboards.models import Leaderboard
from gamify.leaderboards.services import LeaderboardNotFound, rebuild
from participants.management.base import ReportingCommand, add_tenant, existing_tenant
from participants.management.progress import progress_bar
from participants.models import Participant


class Command(ReportingCommand):
    help = "Fill leaderboards again from the history. Until a board is complete, its answers have building=true."

    def arguments(self, parser: ArgumentParser) -> None:
        add_tenant(parser)
        parser.add_argument("--board", metavar="CODE", help="Fill only this board. Default: all active boards.")

    def report(self, *, tenant: str, sandbox: bool, board: str | None, **options: Any) -> Mapping[str, Any]:
        owner = existing_tenant(tenant, sandbox=sandbox)
        boards = Leaderboard.objects.of(owner).active().in_order()
        chosen = list(boards if board is None else boards.filter(code=board))
        if board is not None and not chosen:
            raise LeaderboardNotFound(board)
        looked_at = 0
        with progress_bar(options, total=len(chosen) * Participant.objects.of(owner).count()) as moved:
            for row in chosen:
                for step in rebuild(board=row, now=timezone.now()):
                    looked_at += step
                    moved(step)
        return {"leaderboards": [row.code for row in chosen], "looked_at": looked_at}
