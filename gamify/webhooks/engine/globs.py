"""Globs of event types: `streak.broken`, `streak.*`, or `*` for all."""

from collections.abc import Iterable

EVERYTHING = "*"


def matches(glob: str, type_name: str) -> bool:
    """Whether `glob` matches this event type. A star is allowed only at the end and matches any rest."""
    if glob.endswith(EVERYTHING):
        return type_name.startswith(glob[:-1])
    return glob == type_name


def is_wanted(type_name: str, globs: Iterable[str]) -> bool:
    return any(matches(glob, type_name) for glob in globs)


def glob_problem(glob: str, type_names: Iterable[str]) -> str | None:
    """Return why `glob` is invalid, or None. It must be well-formed and match at least one of `type_names`."""
    head, star, _ = glob.partition(EVERYTHING)
    if star and glob != EVERYTHING and (not glob.endswith(f".{EVERYTHING}") or EVERYTHING in head):
        return f"A star must follow a dot at the end, as in streak.*, or stand alone; got '{glob}'."
    if not any(matches(glob, type_name) for type_name in type_names):
        return f"There is no event type '{glob}'."
    return None
