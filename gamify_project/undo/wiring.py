"""Registrations of undo with the layers below."""

from gamify_project.undo.erasing import delete_items
from gamify_project.undo.models import Undo, UndoItem
from participants.archiving import ArchiveRule, archive_rules
from participants.services.participants import Eraser, erasers, keep_rows
from participants.services.personal_data import PersonalTable


def register() -> None:
    """Called when the apps are loaded."""
    for model in (Undo, UndoItem):
        archive_rules.register(
            model._meta.label, ArchiveRule("An undo goes on in the installation where it was asked for.")
        )
    tables = {"undo_items": PersonalTable(UndoItem, "What an undo found of theirs, and what became of it.")}
    erasers.register("undo items", Eraser(tables, delete=delete_items, anonymize=keep_rows))
