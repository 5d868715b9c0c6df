"""Counts events from the history, for criteria without stored progress."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from decimal import Decimal
from uuid import UUID

from gamify.badges.engine import Criterion
from gamify.facts.engine.listeners import ANY_EVENT
from gamify.facts.models import Event
from participants.models import Participant

CHUNK_SIZE = 2_000


def values_from_history(
    participant: Participant, criteria: Mapping[UUID, Criterion], *, without: UUID | None = None
) -> Mapping[UUID, Decimal]:
    """Count each of `criteria` over the participant's whole history, in one pass. Return values by the keys of `criteria`.

    `without` is the id of an event to leave out. A participant without matching events has no values.
    """
    return values_from_histories([participant], criteria, without=without).get(participant.pk, {})


def values_from_histories(
    participants: Sequence[Participant], criteria: Mapping[UUID, Criterion], *, without: UUID | None = None
) -> Mapping[UUID, Mapping[UUID, Decimal]]:
    """Like `values_from_history`, for several participants of one tenant. Return values by participant id and key.

    Participants who have no event with a name that the criteria count are left out.

    """
    found: dict[UUID, dict[UUID, Decimal]] = {}
    if not participants or not criteria:
        return found
    names = {each.counter.event_name for each in criteria.values()}
    for participant_id, name, properties in _events(participants, names, without=without):
        values = found.setdefault(participant_id, dict.fromkeys(criteria, Decimal(0)))
        for key, criterion in criteria.items():
            if criterion.counter.event_name in {name, ANY_EVENT} and criterion.counter.matches(properties):
                values[key] = criterion.value_after(values[key], properties)
        if len(participants) == 1 and all(criteria[key].is_met_by(value) for key, value in values.items()):
            break
    return found


def _events(
    participants: Sequence[Participant], names: Collection[str], *, without: UUID | None
) -> Iterable[tuple[UUID, str, Mapping[str, object]]]:
    people = [participant.pk for participant in participants]
    events = Event.objects.filter(tenant_id=participants[0].tenant_id, participant_id__in=people).not_reversed()
    if without is not None:
        events = events.exclude(pk=without)
    if ANY_EVENT not in names:
        events = events.filter(name__in=names)
    return events.values_list("participant_id", "name", "properties").iterator(chunk_size=CHUNK_SIZE)
