from argparse import ArgumentParser
from collections.abc import Mapping, Sequence
from typing import Any

from participants.engine import trim_code, uuid_of
from participants.errors import InvalidInput
from participants.management.base import existing_tenant
from participants.management.imports import Batch, Columns, ImportCommand, ItemResult, text_in
from participants.models import Tenant
from rewards.engine.code_lines import code_problem
from rewards.models import Reward
from rewards.services import RewardNotFound, add_codes


class Command(ImportCommand[str]):
    help = (
        "Add codes to the stock of a reward, from a file with the column code. Resumable, and safe to run twice: "
        "existing codes are ignored."
    )
    columns = Columns(("code",))
    can_emit = False

    def arguments(self, parser: ArgumentParser) -> None:
        super().arguments(parser)
        parser.add_argument("--reward", required=True, metavar="CODE", help="Code or id of the reward.")

    def report(self, *, file: str, tenant: str, sandbox: bool, **options: Any) -> Mapping[str, Any]:
        self._reward = _find_reward(options["reward"], existing_tenant(tenant, sandbox=sandbox))
        return super().report(file=file, tenant=tenant, sandbox=sandbox, **options)

    @property
    def bookmark_name(self) -> str:
        """Include the reward: the same file may be imported for two rewards."""
        return f"codes:{self._reward.pk.hex}"

    def item(self, fields: Mapping[str, Any]) -> str:
        code = trim_code(text_in(fields, "code"))
        if problem := code_problem(code):
            raise InvalidInput("code", problem)
        return code

    def write_batch(self, batch: Batch[str]) -> Sequence[ItemResult]:
        added = add_codes(
            tenant=batch.tenant,
            reward_id=str(self._reward.pk),
            codes=batch.items,
            now=batch.now,
            is_dry_run=batch.is_dry_run,
            then=batch.before_end,
        )
        return added.results


def _find_reward(name: str, tenant: Tenant) -> Reward:
    """Find a reward by its code, or else by its id: a code may look like an id. Raises: RewardNotFound."""
    rewards, known = Reward.objects.of(tenant), uuid_of(name)
    found = rewards.filter(code=name).first() or (rewards.filter(pk=known).first() if known else None)
    if found is None:
        raise RewardNotFound(name)
    return found
