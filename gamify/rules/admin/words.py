"""Rules in words."""

from collections.abc import Iterator, Sequence

from gamify.facts.admin.words import grant_in_words
from gamify.rules.models import Rule
from participants.admin.lengths import duration_in_words

OFTEN = {"per_day": "a day", "per_week": "a week", "ever": "ever"}


def triggers_in_words(rule: Rule) -> str:
    """Return the events and changes to which the rule listens."""
    names = ["any event" if name == "*" else name for name in (*rule.event_types, *rule.changes)]
    return ", ".join(names)


def grants_in_words(rule: Rule) -> str:
    return "; ".join(grant_in_words(spec, rule.tenant) for spec in rule.grants)


def limits_in_words(rule: Rule) -> str:
    """Return the limits of a rule in words, such as “3 a day, 10 ever, once in 10 minutes”."""
    return ", ".join(_limits(rule))


def _limits(rule: Rule) -> Iterator[str]:
    for name, words in OFTEN.items():
        if name in rule.limits:
            yield f"{rule.limits[name]:,} {words}"
    if rule.limits.get("cooldown_seconds"):
        yield f"once in {duration_in_words(rule.limits['cooldown_seconds'])}"


def pluralize(number: int, one: str) -> str:
    """Return a number with its noun, such as “1 event” or “1,200 events”."""
    return f"{number:,} {one}" if number == 1 else f"{number:,} {one}s"


def as_sentence(path: Sequence[str], message: str) -> str:
    """Word an error of the API at `path` as a sentence. Messages of the API may be ends of sentences."""
    number = next((f"No. {int(part) + 1}: " for part in path if part.isdecimal()), "")
    if not message[:1].islower():
        return number + message
    return f"{number}{message}." if number else f"{message[:1].upper()}{message[1:]}."
