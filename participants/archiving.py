"""What an archive of a whole tenant leaves out. Without a rule, every row of every table with a tenant is in it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from participants.registries import Registry


@dataclass(frozen=True)
class ArchiveRule:
    """How one table differs from the rule that all rows of a tenant are archived with all columns.

    - `left_out`: why no row is archived; empty if rows are archived.
    - `made_anew`: columns that are not archived, with a function that makes a value when a row is restored.
    - `advice`: what the operator must do after a restore; empty: nothing.
    """

    left_out: str = ""
    made_anew: Mapping[str, Callable[[], Any]] = field(default_factory=dict)
    advice: str = ""


archive_rules: Registry[ArchiveRule] = Registry("Archive rule")
"""Rules by the label of the model, such as `webhooks.Endpoint`. Each app registers those of its own tables."""

NO_RULE = ArchiveRule()


def archive_rule(label: str) -> ArchiveRule:
    """Return the rule of a model, or NO_RULE."""
    try:
        return archive_rules[label]
    except LookupError:
        return NO_RULE


def register_rules() -> None:
    """Register the rules of this package. Called when the apps are loaded."""
    archive_rules.register("participants.Tenant", ArchiveRule("Its settings are in the manifest."))
    archive_rules.register(
        "participants.ApiKey",
        ArchiveRule("Keys are secrets.", advice="Create API keys, and give them to the applications."),
    )
    archive_rules.register(
        "participants.HmacSecret",
        ArchiveRule("Partner secrets are secrets.", advice="Create partner secrets, and give them to the partners."),
    )
    archive_rules.register("participants.AuditRun", ArchiveRule("It is the state of a monitor of the installation."))
    archive_rules.register("participants.FigureRun", ArchiveRule("It is the state of a sweep."))
    archive_rules.register(
        "participants.FileImport",
        ArchiveRule("An import that is not finished goes on in the installation where it began."),
    )
