"""Start tasks when there are changes to fold or boards to fill.

Folding is started at most once per PAUSE_SECONDS and tenant. The task runs after this time and folds all changes of the meantime.
"""

import time
from uuid import UUID

from participants import messages

FOLD_TASK, BUILD_TASK = "leaderboards.fold", "leaderboards.build"
PAUSE_SECONDS = 0.25
MAX_TENANTS = 10_000

_woken: dict[UUID, float] = {}


def wake_folder(tenant_id: UUID) -> None:
    """Start the task that folds a tenant's changes. If the message is lost, the next beat folds them; answers do not depend on it."""
    now = time.monotonic()
    if now < _woken.get(tenant_id, 0.0) + PAUSE_SECONDS:
        return
    if len(_woken) >= MAX_TENANTS:
        _woken.clear()
    _woken[tenant_id] = now
    messages.send(FOLD_TASK, args=[str(tenant_id)], countdown=PAUSE_SECONDS)


def wake_builder(board_id: UUID) -> None:
    """Start the task that fills a board."""
    messages.send(BUILD_TASK, args=[str(board_id)])
