"""What happened in the past days, participant by participant, with bounded memory."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count

from gamify_project.programme.impact.acts import Act, Report
from gamify_project.programme.impact.sources import Source, sources_of
from gamify_project.programme.impact.standing import TODAY, Standing, standings
from participants.models import Participant, Tenant

PARTICIPANTS_PER_PAGE = 500
ACTS_PER_BATCH = 2_000
ACTS_PER_PARTICIPANT = 5_000
COLUMNS = ("external_id", *TODAY, "balance", "total_earned")


@dataclass(frozen=True)
class Person:
    """A participant as they are today, how they stood when the period began, and what they did since, in order."""

    row: Participant
    standing: Standing
    acts: Sequence[Act]


class Past:
    """The acts of the participants of `tenant` in [since, until). `is_cut` if some were left out because there were too many."""

    def __init__(self, tenant: Tenant, *, since: datetime, until: datetime, max_events: int | None) -> None:
        self.is_cut = False
        self._tenant = tenant
        self._since = since
        self._left = max_events
        self._sources = sources_of(tenant, since=since, until=until)

    def batches(self) -> Iterator[Sequence[Person]]:
        """Yield the participants who did something, in batches of a few thousand acts."""
        for page in self._pages():
            counts = self._counts(page)
            for people in _split([person for person in page if person.pk in counts], counts):
                if self._left == 0:
                    self.is_cut = True
                    return
                if found := self._people(people):
                    yield found

    def _pages(self) -> Iterator[list[Participant]]:
        everyone = Participant.objects.of(self._tenant).only(*COLUMNS).order_by("external_id")
        last = ""
        while page := list(everyone.filter(external_id__gt=last)[:PARTICIPANTS_PER_PAGE]):
            yield page
            last = page[-1].external_id

    def _counts(self, page: Sequence[Participant]) -> Mapping[UUID, int]:
        counts: dict[UUID, int] = {}
        for source in self._sources:
            theirs = source.rows.filter(participant_id__in=[person.pk for person in page]).order_by()
            for person, number in theirs.values_list("participant_id").annotate(Count("id")):
                counts[person] = counts.get(person, 0) + number
        return counts

    def _people(self, rows: Sequence[Participant]) -> list[Person]:
        acts, stood = self._acts(rows), standings(self._tenant, rows, since=self._since)
        return [Person(row, stood[row.pk], acts[row.pk]) for row in rows if acts[row.pk]]

    def _acts(self, people: Sequence[Participant]) -> Mapping[UUID, Sequence[Act]]:
        """Return the acts by participant, in the order in which they happened."""
        acts: dict[UUID, list[Act]] = {person.pk: [] for person in people}
        by_id = {person.pk: person for person in people}
        for source in self._sources:
            for row in _rows(source, list(by_id)):
                found = source.acts_of(row, by_id[row.participant_id])
                acts[row.participant_id] += [act for act in found if self._take(act)]
        return {person: self._first(sorted(theirs, key=lambda act: act.at)) for person, theirs in acts.items()}

    def _take(self, act: Act) -> bool:
        """Count an event. Return whether it may still be played."""
        if self._left is None or not isinstance(act, Report):
            return True
        if self._left == 0:
            self.is_cut = True
            return False
        self._left -= 1
        return True

    def _first(self, acts: Sequence[Act]) -> Sequence[Act]:
        self.is_cut = self.is_cut or len(acts) > ACTS_PER_PARTICIPANT
        return acts[:ACTS_PER_PARTICIPANT]


def _rows(source: Source, ids: Sequence[UUID]) -> Iterator[Any]:
    limit = max(ACTS_PER_BATCH, ACTS_PER_PARTICIPANT) + 1
    return source.rows.filter(participant_id__in=ids).order_by("participant_id", *source.order)[:limit].iterator()


def _split(people: Sequence[Participant], counts: Mapping[UUID, int]) -> Iterator[list[Participant]]:
    """Split `people` into batches with about ACTS_PER_BATCH acts."""
    batch: list[Participant] = []
    acts = 0
    for person in people:
        if batch and acts + counts[person.pk] > ACTS_PER_BATCH:
            yield batch
            batch, acts = [], 0
        batch.append(person)
        acts += counts[person.pk]
    if batch:
        yield batch
