"""Rules in words."""

from collections.abc import Iterator, Sequence

from gamify.facts.admin.words import expression_in_words, grant_in_words
from gamify.rules.models import Rule
from participants.admin.lengths import duration_in_words
from participants.admin.words import any_of, plain, sentence_of

OFTEN = {"per_day": "a day", "per_week": "a week", "ever": "ever"}


def triggers_in_words(rule: Rule) -> str:
    """Return the events and changes to which the rule listens."""
    return any_of([*rule.event_types, *rule.changes], ", ")


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


def rule_in_words(rule: Rule) -> str:
    """Return a rule as one sentence: “When purchase happens, only where amount is at least 10: 10 points; 3 a day”."""
    where = f", only where {expression_in_words(rule.expression)}" if rule.expression else ""
    happens = any_of([*rule.event_types, *rule.changes]) or "…"
    limits = limits_in_words(rule)
    return sentence_of(
        [
            f"when {happens} happens{where}: {grants_in_words(rule) or 'nothing is given yet'}",
            f"at most {limits}" if limits else "as often as it happens",
            f"from {plain(rule.starts_at)}" if rule.starts_at else "",
            f"until {plain(rule.ends_at)}" if rule.ends_at else "",
        ]
    )


def as_sentence(path: Sequence[str], message: str) -> str:
    """Word an error of the API at `path` as a sentence. Messages of the API may be ends of sentences."""
    number = next((f"No. {int(part) + 1}: " for part in path if part.isdecimal()), "")
    if not message[:1].islower():
        return number + message
    return f"{number}{message}." if number else f"{message[:1].upper()}{message[1:]}."
