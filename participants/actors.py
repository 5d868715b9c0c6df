"""The actor: on whose behalf the current code writes. Every edge sets it, and every written row names it.

An edge is where work begins: a request, a task, a command. A unit of work and every change of configuration read the actor and
raise `NoActor` if the edge set none. So a new edge without an actor fails with its first write.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum


class ActorKind(StrEnum):
    """What an actor is.

    - `api_key`, `partner`: the caller of a request. `staff`: a user of the console.
    - `definition`: a definition that gave something, such as a rule. The request id names the request that led to it.
    - `sweep`: a periodic task, or time itself, such as points that expired.
    - `import`, `command`: a command of an operator; an import writes the lines of a file.
    """

    API_KEY = "api_key"
    STAFF = "staff"
    DEFINITION = "definition"
    SWEEP = "sweep"
    IMPORT = "import"
    PARTNER = "partner"
    COMMAND = "command"


@dataclass(frozen=True, slots=True)
class Actor:
    """The person, key, definition or process on whose behalf something is written.

    - `key` is `kind:id`, such as `api_key:01a2…` or `definition:rule:double_weekend`. It is one column, so that one index finds all
      that an actor did.
    - `label` names the actor to people. It is stored with every row, so it survives the deletion of the key or the person.
    - `request_id` is the `X-Request-Id` of the request that led to the write; None if there was none.
    """

    key: str
    label: str
    request_id: str | None = None

    def in_turn(self, kind: ActorKind, actor_id: str, label: str) -> "Actor":
        """Return the actor that acts because this one did something. It has the same request id."""
        return Actor(f"{kind}:{actor_id}", label[:MAX_LABEL], self.request_id)


class NoActor(RuntimeError):
    """Code writes without an actor, because the edge at which the work began has set none."""


MAX_KEY = 100
MAX_LABEL = 255
MAX_REQUEST_ID = 128
MAX_REASON = 500

_actor: ContextVar[Actor | None] = ContextVar("actor", default=None)
_reason: ContextVar[str | None] = ContextVar("change_reason", default=None)
_request_id: ContextVar[str | None] = ContextVar("request_id", default=None)


def current_actor() -> Actor:
    """Return the actor. Raises NoActor if the edge has set none."""
    actor = _actor.get()
    if actor is None:
        raise NoActor("Nothing may be written without an actor; set one where the work begins (participants.actors).")
    return actor


def actor_of(kind: ActorKind, actor_id: object, label: str) -> Actor:
    """Return an actor of the current request, if there is one."""
    return Actor(f"{kind}:{actor_id}", label[:MAX_LABEL], _request_id.get())


def current_request_id() -> str | None:
    """Return the id of the current request, or of the request that led to the current task; None if there is none."""
    return _request_id.get()


@contextmanager
def following_request(request_id: str | None) -> Iterator[None]:
    """In the block, actors have the id of the request that led to this work."""
    before = _request_id.set(request_id)
    try:
        yield
    finally:
        _request_id.reset(before)


@contextmanager
def request_without_actor(request_id: str) -> Iterator[None]:
    """Begin a request. It has no actor until `act_as` names the caller."""
    actor, request, reason = _actor.set(None), _request_id.set(request_id), _reason.set(None)
    try:
        yield
    finally:
        _actor.reset(actor)
        _request_id.reset(request)
        _reason.reset(reason)


def change_reason() -> str | None:
    """Return the reason that the current request gives for changing the configuration, or None."""
    return _reason.get()


def give_reason(text: str | None) -> None:
    """Set the reason for the rest of the request. Empty text is none."""
    _reason.set(text or None)


def act_as(actor: Actor) -> None:
    """Set the actor for the rest of the request."""
    _actor.set(actor)


@contextmanager
def acting_as(actor: Actor) -> Iterator[None]:
    """Set the actor for the block."""
    before = _actor.set(actor)
    try:
        yield
    finally:
        _actor.reset(before)


def actor_to_json(key: str | None, label: str | None) -> dict[str, str] | None:
    """Return an actor as in answers and messages: `{kind, id, label}`. None for rows of earlier releases, which have none."""
    if key is None:
        return None
    kind, _, actor_id = key.partition(":")
    return {"kind": kind, "id": actor_id, "label": label or actor_id}
