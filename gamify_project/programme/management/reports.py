"""What the commands print about an import."""

from collections.abc import Iterator, Mapping
from typing import Any

from gamify_project.programme.api.serializers import import_answer
from gamify_project.programme.planning import ADDED, ARCHIVED, CHANGED, Plan
from gamify_project.programme.words import affected_in_words, differences_in_words


def report_of(plan: Plan, *, is_json: bool, is_dry_run: bool) -> Mapping[str, Any]:
    """Return the answer of the API, or for people one line for each change and warning."""
    if is_json:
        return {"dry_run": is_dry_run, **import_answer(plan)}
    title = "would change" if is_dry_run else "changed"
    counts = ", ".join(f"{len(plan.of(action))} {action}" for action in (ADDED, CHANGED, ARCHIVED))
    return {title: counts, **dict(_lines(plan))}


def _lines(plan: Plan) -> Iterator[tuple[str, str]]:
    for change in plan.changes:
        words = "; ".join(filter(None, (affected_in_words(change), *differences_in_words(change))))
        yield f"{change.action} {change.key}", words
    for number, warning in enumerate(plan.warnings, start=1):
        yield f"warning {number}", f"{warning.field}: {warning.message}"
