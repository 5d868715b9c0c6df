from argparse import ArgumentParser
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskProgressColumn, TimeRemainingColumn

from gamify.rules.definitions import RuleChanges, rule_with_changes, then_problems
from gamify.rules.engine.replaying import Side
from gamify.rules.models import Rule
from gamify.rules.selectors import ReplayReport, RuleReplay, replay
from gamify.rules.selectors.replaying import OnProgress
from gamify.rules.services import RuleNotFound
from participants.api.warnings import ignored_fields
from participants.errors import field_errors
from participants.management.base import ReportingCommand, add_tenant, existing_tenant, whole_number
from participants.management.imports import document
from participants.models import Participant, Tenant
from participants.work import reading

DEFAULT_DAYS = 30


class Command(ReportingCommand):
    help = (
        "Report what a rule would have given for the events of the last days, compared with its active version. With --changes, a "
        "file with the body of a PATCH, try a change before it is made. Takes no locks and writes nothing."
    )

    def arguments(self, parser: ArgumentParser) -> None:
        add_tenant(parser)
        parser.add_argument("--rule", required=True, metavar="CODE", help="Code of the rule, which need not be active.")
        parser.add_argument(
            "--days",
            type=whole_number,
            default=DEFAULT_DAYS,
            help=f"How many days to look back. Default: {DEFAULT_DAYS}.",
        )
        parser.add_argument("--changes", type=Path, metavar="FILE", help="JSON file with the changes.")
        parser.add_argument(
            "--max-events", type=whole_number, metavar="N", help="Stop after this many events. Default: all."
        )

    def report(self, *, tenant: str, sandbox: bool, rule: str, days: int, **options: Any) -> Mapping[str, Any]:
        found, now = existing_tenant(tenant, sandbox=sandbox), timezone.now()
        if not 1 <= days <= 10_000:
            raise CommandError("--days must be from 1 to 10000.")
        since, max_events = now - timedelta(days=days), options["max_events"]
        body = None if options["changes"] is None else document(options["changes"])
        for warning in ignored_fields(body, RuleChanges()):
            self.stderr.write(f"{options['changes']}: {warning['field']}: {warning['message']}")
        with reading(found), self._progress(found, options) as watch:
            draft = _draft(found, rule, options["changes"], body)
            played = replay(found, [draft], since=since, now=now, max_events=max_events, on_progress=watch)
        result = _to_json(played, played.rules[0])
        return result if options["json"] else {name: _in_words(value) for name, value in result.items()}

    @contextmanager
    def _progress(self, tenant: Tenant, options: Mapping[str, Any]) -> Iterator[OnProgress]:
        """Show a progress bar of participants if the output is a terminal."""
        if options["json"] or not self.stdout.isatty():
            yield lambda participants, events: None
            return
        columns = (BarColumn(), TaskProgressColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=Console(stderr=True)) as progress:
            task = progress.add_task("", total=Participant.objects.of(tenant).count())
            yield lambda participants, events: progress.advance(task, participants)


def _draft(tenant: Tenant, code: str, changes: Path | None, body: Any) -> Rule:
    """Return the rule with this code, changed in memory by `body`, the content of the file `changes`.

    Raises: RuleNotFound; CommandError for changes that a PATCH would refuse.
    """
    rule = Rule.objects.of(tenant).filter(code=code).first()
    if rule is None:
        raise RuleNotFound(code)
    if changes is None:
        return rule
    changed = RuleChanges(rule, data=body, partial=True)
    if not changed.is_valid():
        first = next(field_errors(changed.errors))
        raise CommandError(": ".join(filter(None, (str(changes), first.field, first.message))))
    problem = next(iter(then_problems(tenant, changed.validated_data.get("then", ()))), None)
    if problem is not None:
        raise CommandError(f"{changes}: {problem.field}: {problem.message}")
    return rule_with_changes(rule, changed.validated_data)


def _to_json(played: ReplayReport, rule: RuleReplay) -> dict[str, Any]:
    return {
        "rule": rule.code,
        "participants_looked_at": played.participants,
        "events_looked_at": played.events,
        "is_cut": played.is_cut,
        **asdict(rule.totals),
        "active": None if rule.active is None else asdict(rule.active),
        **_side("gain", rule.gain),
        **_side("lose", rule.loss),
        "changes_not_played": list(rule.changes_not_played),
    }


def _in_words(value: Any) -> Any:
    """Return a list of shares, or the totals of the active version, as text."""
    if isinstance(value, list):
        return [f"{each['participant_id']} {each['points']:+,}" if isinstance(each, dict) else each for each in value]
    return [f"{name} {number:,}" for name, number in value.items()] if isinstance(value, dict) else value


def _side(verb: str, side: Side) -> dict[str, Any]:
    most = [asdict(share) for share in side.largest]
    return {f"participants_who_{verb}": side.participants, f"points_they_{verb}": side.points, f"who_{verb}_most": most}
