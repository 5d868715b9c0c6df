from argparse import ArgumentParser
from collections.abc import Mapping, Sequence
from typing import Any

from participants.management.imports import Batch, Columns, ImportCommand, ItemResult, instant_in, text_in
from streaks.services import Tick, record_history


class Command(ImportCommand[Tick]):
    help = (
        "Import past ticks from a file with the columns participant_id, streak_code and timestamp. "
        "The command can be resumed, and it is safe to run it twice."
    )
    columns = Columns(("participant_id", "streak_code", "timestamp"), ids=("participant_id",))

    def arguments(self, parser: ArgumentParser) -> None:
        super().arguments(parser)
        parser.add_argument(
            "--without-rewards", action="store_true", help="Milestones count as reached, but grant no reward."
        )

    def item(self, fields: Mapping[str, Any]) -> Tick:
        return Tick(text_in(fields, "participant_id"), text_in(fields, "streak_code"), instant_in(fields, "timestamp"))

    def write_batch(self, batch: Batch[Tick]) -> Sequence[ItemResult]:
        return record_history(
            tenant=batch.tenant,
            ticks=batch.items,
            now=batch.now,
            is_silent=batch.is_silent,
            is_dry_run=batch.is_dry_run,
            gives_rewards=not batch.options["without_rewards"],
            then=batch.before_end,
        )
