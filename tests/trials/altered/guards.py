"""How each guard of the product is switched off, from outside. A trial whose guard is off has to fail."""

import time
from typing import Any

from django.db import transaction

import streaks.services
from gamify_project.exports import building
from gamify_project.process.web.worker import Worker
from gamify_project.undo import running
from participants import work
from participants.database import Query
from participants.services import participants
from participants.work import locking
from streaks.selectors import due
from streaks.services import sweeps


def without_participant_lock() -> None:
    """Units read participants without locking them."""
    declare = locking._declare_by_name
    locking._BY_NAME = Query(lambda *, size, locks: declare(size=size, locks=False))


def without_stored_answers() -> None:
    """A repeat of a request under the same idempotency key is a new request."""
    work.UnitOfWork.store_answer = lambda *_: None  # type: ignore[method-assign]


def without_outbox() -> None:
    """Domain events are emitted, but not written in the transaction of the change."""
    emit = work.UnitOfWork.emit

    def emit_silently(self: Any, *given: Any) -> Any:
        self.is_silent = True
        return emit(self, *given)

    work.UnitOfWork.emit = emit_silently  # type: ignore[method-assign]


def without_locks_of_due_rows() -> None:
    """Sweeps do not lock the rows that they announce. They take half a second longer, so that two of them meet."""
    decide = sweeps._decision_for

    def decide_slowly(*given: Any, **named: Any) -> Any:
        time.sleep(0.5)
        return decide(*given, **named)

    due._LOCK = ""
    sweeps._decision_for = decide_slowly


def without_client_time() -> None:
    """The window of a tick is that of the server's clock, and not that of the client's timestamp."""
    record = streaks.services.record

    def record_now(**given: Any) -> Any:
        return record(**{**given, "at": given["now"]})

    streaks.services.record = record_now


def without_eraser_of_keys() -> None:
    """Erasing a participant leaves the keys of idempotent requests, which clients choose."""
    keeps = participants.Eraser({}, delete=participants.keep_rows, anonymize=participants.keep_rows)
    participants.erasers._entries["idempotency keys"] = keeps


def without_place_in_exports() -> None:
    """A worker that continues an export begins with the first row."""
    take = building._take

    def take_without_place(*given: Any) -> Any:
        export = take(*given)
        if export is not None:
            export.cursor = None
        return export

    building._take = take_without_place


def without_state_of_undone_rows() -> None:
    """An undo writes what became of a row a moment after the transaction that took the row back."""
    store = running._store

    def store_late(result: Any) -> None:
        transaction.on_commit(lambda: [time.sleep(0.05), store(result)])

    running._store = store_late  # type: ignore[attr-defined]


def without_draining() -> None:
    """A web process that is asked to stop ends at once, with its connections and the requests that run."""

    def end(self: Any, loop: Any) -> None:
        self.alive = False
        loop.close()

    Worker._finish = end  # type: ignore[method-assign]
