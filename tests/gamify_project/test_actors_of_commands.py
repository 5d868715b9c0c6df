"""Every command of the product leaves itself as the actor of what it writes, or writes nothing.

A new command fails until it has a row in CALLS. The row says how it is called, and not what it does: that is read from the tables.
"""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.core.management import get_commands
from django.db.models import Q
from django.utils import timezone

import manage
from gamify.rules.models import Rule
from gamify_project.programme.items import programme_text
from participants.actors import ActorKind
from participants.models import ApiKey, Attributed, HmacSecret, Tenant
from rewards.models import Reward
from tests.conftest import all_rows
from tests.gamify_project.console_world import make_world

pytestmark = pytest.mark.any_database

ATTRIBUTED: list[Any] = [model for model in apps.get_models() if issubclass(model, Attributed)]
OWN = ("participants", "gamify", "streaks", "rewards", "gamify_project")
WITHOUT_ACTOR = {
    "rebuild_leaderboards": "counts again what rows with an actor say",
    "rebuild_figures": "counts what rows with an actor say",
    "verify_ledger": "notes when it ran",
    "backfill_streaks": "ticks of participants name no actor; its rewards do",
}
NOT_CALLED = {
    "serve": "starts the processes",
    "migrate": "changes tables",
    "lint_migrations": "reads the source alone",
    "database_roles": "changes roles and policies, and no rows (tests/gamify_project/test_separation.py)",
    "listen": "waits for webhooks",
    "backup": "reads the database alone (tests/gamify_project/test_backup.py)",
    "restore": "needs an empty database (tests/gamify_project/test_backup.py)",
    "list_commands": "reads the commands alone",
    "import_tenant": "needs an installation without these rows (tests/gamify_project/exports/test_archive.py)",
    "seed_demo": "calls the services, which refuse to write without an actor (tests/gamify_project/test_demo.py)",
}


def calls(world: Tenant, folder: Path) -> Mapping[str, Callable[[], list[str]]]:
    """How each command is called, in an order in which all succeed."""

    def file(name: str, text: str) -> str:
        (folder / name).write_text(text)
        return str(folder / name)

    here = ["--tenant", world.slug]
    at = timezone.now().isoformat()
    text = programme_text(world)
    return {
        "create_tenant": lambda: ["hooli"],
        "set_tenant_status": lambda: ["hooli", "--disable"],
        "create_api_key": lambda: [*here, "--name", "k"],
        "create_hmac_secret": lambda: [*here, "--name", "h"],
        "revoke_api_key": lambda: [str(ApiKey.objects.filter(name="k").get().pk)],
        "revoke_hmac_secret": lambda: [str(HmacSecret.objects.filter(name="h").get().pk)],
        "export_programme": lambda: here,
        "export_tenant": lambda: [world.slug, str(folder / "archive")],
        "impact": lambda: [file("p.yaml", text), *here],
        "import_programme": lambda: [file("q.yaml", text.replace("name: Given", "name: Gift")), *here],
        "rollback_programme": lambda: here,
        "import_codes": lambda: [
            file("codes.csv", "code\nNEW-1\n"),
            *here,
            "--reward",
            str(Reward.objects.get(name="Coupon").pk),
        ],
        "backfill_events": lambda: [file("e.csv", f"participant_id,event_name,timestamp\nkim,visit,{at}\n"), *here],
        "backfill_streaks": lambda: [file("s.csv", f"participant_id,streak_code,timestamp\nkim,daily,{at}\n"), *here],
        "award_badges": lambda: [*here, "--badge", "buyer"],
        "recompute_tiers": lambda: here,
        "undo_cause": lambda: ["import:unknown", *here, "--since", "2026-01-01T00:00:00Z"],
        "rebuild_leaderboards": lambda: here,
        "rebuild_figures": lambda: [*here, "--since", timezone.now().date().isoformat()],
        "lint_rules": lambda: here,
        "replay_rules": lambda: [*here, "--rule", Rule.objects.get(code="big").code],
        "verify_ledger": lambda: here,
        "reencrypt_secrets": list,
        "reset_second_factor": lambda: ["owner"],
    }


def own_commands() -> set[str]:
    return {name for name, app in get_commands().items() if str(app).partition(".")[0] in OWN}


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    monkeypatch.setattr("django.core.management.base.connections.close_all", lambda: None)  # the test's own one

    def call(command: str, arguments: list[str]) -> None:
        monkeypatch.setattr(sys, "argv", ["manage.py", command, *arguments])
        try:
            manage.main()
        except SystemExit as end:
            if end.code:
                pytest.fail(f"{command} ends with {end.code}")

    return call


def rows_of(command: str) -> set[Any]:
    """The rows that name the command, or an import, which every command for a file begins."""
    by = Q(actor=f"{ActorKind.COMMAND}:{command}") | Q(actor__startswith=f"{ActorKind.IMPORT}:")
    return {row for model in ATTRIBUTED for row in model.objects.filter(by).values_list("pk", flat=True)}


def test_every_command_leaves_itself_as_the_actor_or_writes_nothing(db, run, tmp_path):
    world = make_world()
    known = calls(world, tmp_path)
    assert known.keys() | NOT_CALLED.keys() == own_commands()

    silent = set()
    for command, arguments in known.items():
        before, named, given = all_rows(), rows_of(command), arguments()
        run(command, given)
        if rows_of(command) == named and all_rows() != before:
            silent.add(command)

    assert silent == WITHOUT_ACTOR.keys()
