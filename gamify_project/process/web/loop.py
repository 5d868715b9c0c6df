"""The threads of a worker process. One of them leads: it reads all connections, and runs one request at a time itself.

If a request takes longer than `SLOW_SECONDS`, because it waits for a lock, or because it is a stream, the watching thread lets
another thread lead. The slow one finishes its request, hands the connection back, and parks. So a fast request costs no
switch between threads, a slow one does not hold up others, and only as many threads are started as were once needed.

A request that finds no thread waits in the queue (`queueing`), and is answered 503 if that takes too long.
"""

import math
import selectors
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import structlog

from gamify_project.process.web.balance import Slot
from gamify_project.process.web.channels import LINGER_SECONDS, STOPPING_LINGER_SECONDS, Channel
from gamify_project.process.web.listening import Server, Wsgi
from gamify_project.process.web.queueing import Queue

SLOW_SECONDS = 0.03
ACCEPT_PAUSE_SECONDS = 0.002
"""How long a worker that has too many connections leaves a waiting one to the others."""
IDLE_SECONDS = 0.5
STOPPING_SECONDS = 0.1
READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE

logger = structlog.get_logger(__name__)


class Member:
    """A thread of the loop. It leads, or runs a slow request, or is parked."""

    def __init__(self) -> None:
        self.turn = threading.Semaphore(0)
        self.channel: Channel | None = None
        self.since = 0.0


class Loop:
    """All connections of a worker process, and the threads that serve them.

    `watch` wakes the thread that calls `promote`.
    """

    def __init__(
        self,
        application: Wsgi,
        *,
        sockets: Sequence[socket.socket],
        slot: Slot | None,
        queue: Queue,
        connections: int,
        keepalive: float,
        watch: Callable[[], None],
    ) -> None:
        self.is_stopping = False
        self.is_running = True
        self.has_failed = False
        self._servers = [Server(application, sock=sock, loop=self) for sock in sockets]
        self._slot = slot
        self._queue = queue
        self._max_connections = connections
        self._keepalive = keepalive
        self._watch = watch
        self._is_watched = False
        self._selector = selectors.DefaultSelector()
        self._channels: set[Channel] = set()
        self._ready: deque[tuple[Any, int]] = deque()
        self._handed_back: deque[Channel] = deque()
        self._next_sweep = 0.0
        self._accepts_at = 0.0
        self._is_accepting = False
        self._has_begun_to_stop = False
        self._lock = threading.Lock()  # for the four below
        self._leader: Member | None = None
        self._parked: list[Member] = []
        self._detached: set[Channel] = set()
        self._number_of_members = 0

    # --- called by the main thread ----------------------------------------------------------------------------------

    def start(self) -> None:
        for server in self._servers:
            self._selector.register(server.trigger.socket.fileno(), READ, server.trigger)
        with self._lock:
            self._leader = member = self._new_member()
        if member:
            member.turn.release()

    def stop(self) -> None:
        """Accept nothing more, and end when all connections have ended."""
        self.is_stopping = True
        self._next_sweep = 0.0
        self.wake()

    def close(self) -> None:
        """End now."""
        self.is_running = False
        self.wake()

    def promote(self) -> bool:
        """Let another thread lead if the leader's request is slow. Return whether a request is running."""
        with self._lock:
            leader = self._leader
            self._is_watched = False  # before the look at the leader: a request that starts now wakes the watcher
            if leader is None or (slow := leader.channel) is None:
                return False
            self._is_watched = True
            is_slow = time.monotonic() - leader.since >= SLOW_SECONDS
            if is_slow and (successor := self._successor()):
                self._detached.add(slow)
                self._handed_back.append(slow)
                self._leader = successor
                successor.turn.release()
            return True

    def _successor(self) -> Member | None:
        return self._parked.pop() if self._parked else self._new_member()

    def _new_member(self) -> Member | None:
        if self._number_of_members >= self._queue.max_threads:
            return None
        self._number_of_members += 1
        member = Member()
        name = f"web-{self._number_of_members}"
        threading.Thread(target=self._live, args=[member], name=name, daemon=True).start()
        return member

    # --- called by any thread ---------------------------------------------------------------------------------------

    def wake(self) -> None:
        self._servers[0].trigger.pull_trigger()

    def look_at_detached(self) -> None:
        with self._lock:
            self._handed_back.extend(self._detached)
        self.wake()

    # --- the life of a thread ---------------------------------------------------------------------------------------

    def _live(self, member: Member) -> None:
        try:
            while self.is_running:
                member.turn.acquire()
                while self._leader is member and self.is_running:
                    self._step(member)
        except BaseException:
            logger.exception("web_loop_failed")
            self.has_failed = True
            self.is_running = False
            self._watch()
            raise

    def _step(self, member: Member) -> None:
        if self._handed_back:
            self._settle(member, self._handed_back.popleft())
        elif queued := self._queue.next(running=len(self._detached)):
            self._serve(member, queued)
        elif self._ready:
            self._handle(member, *self._ready.popleft())
        else:
            self._poll()

    def _poll(self) -> None:
        now = time.monotonic()
        if now >= self._next_sweep:
            self._sweep(now)
        if not self._is_accepting and now >= self._accepts_at:
            self._accept_again(now)
        self._publish(now)
        for key, events in self._selector.select(self._pause(now)):
            self._ready.append((key.data, events))

    def _pause(self, now: float) -> float:
        """Return how many seconds to wait for events."""
        if self._handed_back or not self.is_running:
            return 0.0
        until = self._next_sweep if self._is_accepting else min(self._next_sweep, self._accepts_at)
        return max(0.0, until - now)

    def _handle(self, member: Member, ready: Any, events: int) -> None:
        if isinstance(ready, Channel):
            self._handle_channel(member, ready, events)
        elif isinstance(ready, Server):
            self._accept(ready)
        else:
            ready.handle_read()

    def _handle_channel(self, member: Member, channel: Channel, events: int) -> None:
        if channel.socket is None:
            return
        try:
            if events & WRITE:
                channel.flush()
            elif not channel.is_busy:
                channel.read()
        except Exception:
            logger.exception("connection_failed")
            channel.will_close = True
        self._settle(member, channel)

    # --- requests ---------------------------------------------------------------------------------------------------

    def _settle(self, member: Member, channel: Channel) -> None:
        """Do what is next for a connection. An unexpected error ends only this connection."""
        try:
            self._go_on_with(member, channel)
        except Exception:
            logger.exception("connection_failed")
            channel.handle_close()

    def _go_on_with(self, member: Member, channel: Channel) -> None:
        """Close, serve the request, send, or read."""
        if channel.will_close or not channel.connected:
            channel.handle_close()
        elif channel.requests and not channel.is_busy:
            self._serve_or_queue(member, channel)
        elif channel.is_busy or channel.total_outbufs_len:
            self._register(channel, WRITE if channel.total_outbufs_len else 0)
        elif channel.has_more:
            channel.parse()
            self._handed_back.append(channel)
        else:
            self._wait_for(channel)

    def _wait_for(self, channel: Channel) -> None:
        """Wait for the next bytes of a client that has its answer, or is still sending."""
        if channel.close_when_flushed and not channel.is_lingering:
            channel.linger(seconds=STOPPING_LINGER_SECONDS if self.is_stopping else LINGER_SECONDS)
        elif channel.is_idle:
            channel.wait_for_next_request(seconds=self._keepalive)
        self._register(channel, READ)

    def _serve_or_queue(self, member: Member, channel: Channel) -> None:
        channel.is_busy = True
        if self._queue.has_room(channel.requests[0], running=len(self._detached)):
            self._serve(member, channel)
        else:
            self._register(channel, 0)
            self._queue.add(channel)

    def _serve(self, member: Member, channel: Channel) -> None:
        """Run the request. If it is slow, this thread is no longer the leader afterwards."""
        member.since = time.monotonic()
        member.channel = channel
        if not self._is_watched:
            self._is_watched = True
            self._watch()
        channel.service()
        with self._lock:
            member.channel = None
            channel.is_busy = False
            is_leader = self._leader is member
            if not is_leader:
                self._detached.discard(channel)
                self._parked.append(member)
                self._handed_back.append(channel)
        if is_leader:
            self._settle(member, channel)
        else:
            self.wake()

    # --- connections ------------------------------------------------------------------------------------------------

    def add(self, channel: Channel) -> None:
        self._channels.add(channel)
        self._register(channel, READ)
        self._publish(time.monotonic())

    def remove(self, channel: Channel) -> None:
        self._register(channel, 0)
        self._channels.discard(channel)
        self._publish(time.monotonic())

    def _register(self, channel: Channel, events: int) -> None:
        """Wait for these events of a connection: READ, WRITE or none (0)."""
        if events == channel.watched or channel.socket is None:
            return
        if not channel.watched:
            self._selector.register(channel.socket, events, channel)
        elif events:
            self._selector.modify(channel.socket, events, channel)
        else:
            self._selector.unregister(channel.socket)
        channel.watched = events

    def _sweep(self, now: float) -> None:
        """End connections whose time is over. In a stopping process: end the loop after the last connection."""
        self._next_sweep = now + (STOPPING_SECONDS if self.is_stopping else IDLE_SECONDS)
        if self.is_stopping and not self._has_begun_to_stop:
            self._begin_to_stop()
        self._refuse_queued(now)
        for channel in [*self._channels]:
            if self.is_stopping:
                channel.hasten(now=now, idle_seconds=self._keepalive)
            if channel.expire(now=now):
                self._handed_back.append(channel)
        if self.is_stopping and not self._channels:
            self.is_running = False
            self._watch()

    def _refuse_queued(self, now: float) -> None:
        for channel in self._queue.late(now=now):
            logger.warning("no_thread_was_free", path=channel.requests[0].path)
            channel.refuse_queued()
            self._handed_back.append(channel)

    def _begin_to_stop(self) -> None:
        """Stop to listen. Connections that the kernel has accepted are taken first, because closing the socket would reset them.

        After the last process has closed the socket, new connections are refused, so a proxy sends the request to another node.
        """
        self._has_begun_to_stop = True
        self._stop_accepting(until=math.inf)
        if self._slot:
            self._slot.withdraw()
        for server in self._servers:
            self._accept_waiting(server)
            server.stop_listening()

    def _accept_waiting(self, server: Server) -> None:
        """Accept all connections that wait for it, however many other workers have."""
        before = -1
        while len(self._channels) > before:
            before = len(self._channels)
            server.handle_accept()

    # --- accepting --------------------------------------------------------------------------------------------------

    def _accept(self, server: Server) -> None:
        """Accept a connection, or leave it to a worker that has fewer."""
        now = time.monotonic()
        before = len(self._channels)
        if self._slot is None or self._slot.may_accept(before, now=now):
            server.handle_accept()
        if len(self._channels) == before:
            self._stop_accepting(until=now + ACCEPT_PAUSE_SECONDS)

    def _accept_again(self, now: float) -> None:
        if len(self._channels) >= self._max_connections:
            self._accepts_at = now + IDLE_SECONDS
            return
        self._is_accepting = True
        for server in self._servers:
            self._selector.register(server.socket, READ, server)

    def _stop_accepting(self, *, until: float) -> None:
        self._accepts_at = until
        if self._is_accepting:
            self._is_accepting = False
            for server in self._servers:
                self._selector.unregister(server.socket)

    def _publish(self, now: float) -> None:
        """Publish the number of connections, unless this process takes no more of them."""
        if self._slot is None:
            return
        if self._has_begun_to_stop or len(self._channels) >= self._max_connections:
            self._slot.withdraw()
        else:
            self._slot.publish(len(self._channels), now=now)
