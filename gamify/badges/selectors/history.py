"""What events of a participant come to under criteria that nobody counted them by yet."""

from collections.abc import Iterable, Mapping, Sequence
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
    """Each of `criteria` over the participant's whole history, in one pass, by the same keys; `without` is an event to leave out."""
    return values_from_histories([participant], criteria, without=without).get(participant.pk, {})


def values_from_histories(
    participants: Sequence[Participant], criteria: Mapping[UUID, Criterion], *, without: UUID | None = None
) -> Mapping[UUID, Mapping[UUID, Decimal]]:
    """The same of many participants of one tenant; who has no such event is left out."""
    found: dict[UUID, dict[UUID, Decimal]] = {}
    if not participants or not criteria:
        return found
    names = {each.event_name for each in criteria.values()}
    for participant_id, name, properties in _events(participants, names, without=without):
        values = found.setdefault(participant_id, dict.fromkeys(criteria, Decimal(0)))
        for key, criterion in criteria.items():
            if criterion.event_name in {name, ANY_EVENT} and criterion.matches(properties):
                values[key] = criterion.value_after(values[key], properties)
        if len(participants) == 1 and all(criteria[key].is_met_by(value) for key, value in values.items()):
            break
    return found


def _events(
    participants: Sequence[Participant], names: Iterable[str | None], *, without: UUID | None
) -> Iterable[tuple[UUID, str, Mapping[str, object]]]:
    people = [participant.pk for participant in participants]
    events = Event.objects.filter(tenant_id=participants[0].tenant_id, participant_id__in=people).not_reversed()
    if without is not None:
        events = events.exclude(pk=without)
    if ANY_EVENT not in names:
        events = events.filter(name__in=names)
    return events.values_list("participant_id", "name", "properties").iterator(chunk_size=CHUNK_SIZE)
