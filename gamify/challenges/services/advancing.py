"""Advances enrolments inside a unit of work: changes the row, emits domain events, and returns the grants."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gamify.challenges.engine import AdvanceResult, State, advance
from gamify.challenges.models import Enrolment
from gamify.challenges.selectors import CompiledChallenge
from gamify.facts.engine.outcomes import Grant, GrantReport, Outcome, Source
from participants.engine import instant_text
from participants.models import Participant
from participants.work import Load, UnitOfWork


@dataclass(frozen=True)
class CountResult:
    """The effect of an event on an enrolment, and the outcomes that it earned."""

    advanced: AdvanceResult
    outcomes: Sequence[Outcome] = ()


def loads_for(challenges: Iterable[CompiledChallenge]) -> list[Load]:
    """The loads of a unit of work that reads enrolments in `challenges`."""
    ids = tuple(sorted({challenge.id for challenge in challenges}))
    return [Load(Enrolment, "challenge_id", ids)] if ids else []


def enrol_in(work: UnitOfWork, participant: Participant, challenge: CompiledChallenge, *, at: datetime) -> Enrolment:
    """Add an enrolment that starts at `at`, and emit `challenge.enrolled`.

    The unit must have been opened with `loads_for` the challenge, and the participant must not be enrolled.
    """
    work.touch(participant, is_seen=False)
    row = Enrolment(tenant_id=work.tenant.pk, participant_id=participant.pk, challenge_id=challenge.id, enrolled_at=at)
    work.add(row)
    end = challenge.rules.term.end_of(at)
    times = {"enrolled_at": instant_text(at), "ends_at": None if end is None else instant_text(end)}
    work.emit("challenge.enrolled", participant, {**challenge_payload(challenge), **times})
    return row


def challenge_payload(challenge: CompiledChallenge) -> dict[str, Any]:
    """The first fields of every domain event about the challenge."""
    return {"challenge_code": challenge.code, "challenge_name": challenge.name}


def count_event(
    work: UnitOfWork,
    participant: Participant,
    challenge: CompiledChallenge,
    row: Enrolment,
    values: Mapping[str, Any],
    *,
    at: datetime,
    key: str,
) -> CountResult:
    """Count an event at `at`. `values` has the value for each matched objective, by code (see `engine.advance`).

    The deduplication keys of its grants begin with `key`.
    """
    before = row.state
    result = advance(before, challenge.rules, values, at=at)
    if result.state == before:
        return CountResult(result)
    row.state = result.state
    if not challenge.rules.term.has_ended(row.enrolled_at, work.now):
        row.expired_at = None  # the end was postponed: the new end is announced again
    work.change(row)
    _emit_progress(work, participant, challenge, result)
    key = f"{key}/challenge/{challenge.code}/{result.state.round}"
    return CountResult(result, list(_outcomes(challenge, result, key=key)))


def _emit_progress(
    work: UnitOfWork, participant: Participant, challenge: CompiledChallenge, result: AdvanceResult
) -> None:
    for objective in result.objectives:
        about = {"objective_code": objective.code, "objective_label": objective.label}
        work.emit("challenge.objective_completed", participant, {**challenge_payload(challenge), **about})
    if result.is_completed:
        _complete(work, participant, challenge, result.state)


def _complete(work: UnitOfWork, participant: Participant, challenge: CompiledChallenge, state: State) -> None:
    work.touch(participant, is_seen=False)
    participant.challenges_completed += 1
    counts = {"completions": state.completions, "total_completed": participant.challenges_completed}
    work.emit("challenge.completed", participant, {**challenge_payload(challenge), **counts})


def _outcomes(challenge: CompiledChallenge, result: AdvanceResult, *, key: str) -> Iterator[Outcome]:
    source = Source("challenge", challenge.code)
    for milestone in result.milestones:
        yield from _grants(milestone.grants, source, key=f"{key}/milestone/{milestone.objectives}")
    if result.is_completed:
        yield GrantReport("challenge", challenge.name, source, code=challenge.code)
        yield from _grants(challenge.grants, source, key=f"{key}/completion")


def _grants(specs: Sequence[Mapping[str, Any]], source: Source, *, key: str) -> Iterator[Grant]:
    for index, spec in enumerate(specs):
        yield Grant(str(spec["type"]), spec, source, f"{key}/{index}")
