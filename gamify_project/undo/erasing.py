"""What becomes of the items of undos when a participant is deleted."""

from collections.abc import Collection, Iterable
from uuid import UUID

from gamify_project.undo.models import ItemState, UndoItem
from participants.causes import irreversible_events
from participants.models import Participant, Tenant


def delete_items(participant: Participant) -> None:
    """Delete the participant's items. Those that wait stay as kept, without the participant, so that reports count them."""
    items = UndoItem.objects.of(participant)
    items.filter(state=ItemState.WAITING).update(participant=None, state=ItemState.KEPT, reason=reason_of_deletion())
    items.delete()


def lock_participants(tenant: Tenant, ids: Iterable[UUID | None]) -> Collection[UUID]:
    """Lock the participants that exist until the transaction ends, and return their ids.

    Items are inserted behind this lock. Otherwise a participant could be deleted in between, and the items would stay.
    """
    wanted = {each for each in ids if each is not None}
    rows = Participant.objects.of(tenant).filter(pk__in=wanted).order_by("pk").select_for_update(no_key=True)
    return set(rows.values_list("pk", flat=True))


def keep_as_deleted(item: UndoItem) -> None:
    """Mark an item that is not stored yet as kept, because its participant was deleted."""
    item.participant, item.state, item.reason = None, ItemState.KEPT, reason_of_deletion()


def reason_of_deletion() -> str:
    return irreversible_events["participant.deleted"]
