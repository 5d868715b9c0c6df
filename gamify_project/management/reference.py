"""The page of all commands, written from the commands themselves."""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.core.management import get_commands, load_command_class
from django.core.management.base import BaseCommand

OWN = ("participants", "gamify", "streaks", "rewards", "gamify_project")
"""The packages whose apps have commands of the product."""

HEAD = """# Commands

This page is written by `make docs`, from the commands themselves. [operators.md](operators.md) says when to use which.

All commands are `manage.py NAME`; in a container `docker compose exec web python manage.py NAME`. They have this in common:

- `--tenant SLUG` names the tenant, and `--sandbox` chooses its sandbox. A command that is about a tenant as such takes its slug as the first argument.
- `--json` prints one JSON object. Errors are one line on stderr in any case.
- `--dry-run` does everything and changes nothing.
- Commands that process many rows show a bar on a terminal. Elsewhere they print a line every ten seconds. With `--json` they print neither.
- Ctrl-C stops a command between two transactions. What was committed stays. Commands that work in batches (imports, backfills, recomputations) go on there when you run them again.

| exit code | meaning |
|---|---|
| 0 | done |
| 1 | refused, or something was found: the message says what |
| 2 | the command line is wrong. `import_programme --check`: something would change |
| 130 | stopped with Ctrl-C |
"""


@dataclass(frozen=True)
class Option:
    """One argument of a command, as the page names it."""

    name: str
    text: str
    is_required: bool


@dataclass(frozen=True)
class Described:
    """One command of the product."""

    name: str
    text: str
    options: Sequence[Option]

    def has(self, option: str) -> bool:
        return any(each.name.partition(" ")[0] == option for each in self.options)


def described_commands() -> Sequence[Described]:
    """Return all commands of the product, by name."""
    own = {name: app for name, app in get_commands().items() if str(app).partition(".")[0] in OWN}
    return [_described(name, load_command_class(str(app), name)) for name, app in sorted(own.items())]


def _described(name: str, command: BaseCommand) -> Described:
    parser = command.create_parser("manage.py", name)
    common = {action.dest for action in BaseCommand().create_parser("manage.py", name)._actions}  # noqa: SLF001 - no public name
    actions = [action for action in parser._actions if action.dest not in common]  # noqa: SLF001
    return Described(name, str(command.help), [_option(parser, action) for action in actions])


def _option(parser: argparse.ArgumentParser, action: argparse.Action) -> Option:
    value = action.metavar or (action.dest.upper() if action.nargs != 0 else "")
    value = "" if action.nargs == 0 else str(value)
    names = [*action.option_strings[-1:], value] if action.option_strings else [value]
    text = parser._get_formatter()._expand_help(action) if action.help else ""  # noqa: SLF001
    return Option(" ".join(filter(None, names)), text, action.required or not action.option_strings)


def commands_page() -> str:
    """Return the page as Markdown."""
    found = described_commands()
    return "\n".join([HEAD, *_overview(found), *(line for command in found for line in _section(command))])


def _overview(found: Sequence[Described]) -> Iterator[str]:
    yield "| command | `--tenant` | `--dry-run` | `--json` |"
    yield "|---|---|---|---|"
    for command in found:
        marks = " | ".join("yes" if command.has(option) else "" for option in ("--tenant", "--dry-run", "--json"))
        yield f"| [`{command.name}`](#{command.name}) | {marks} |"


def _section(command: Described) -> Iterator[str]:
    yield from ("", f"## {command.name}", "", command.text)
    if command.options:
        yield from ("", "| argument | meaning |", "|---|---|")
    for option in command.options:
        needed = "" if option.is_required else " (optional)"
        yield f"| `{option.name}`{needed} | {_cell(option.text)} |"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
