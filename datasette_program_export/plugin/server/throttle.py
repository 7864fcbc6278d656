"""Slow exports down while other requests wait for a response.

Python runs one thread at a time, so a few exports would take most of a busy site's
processor time. If no request waits, exports are not slowed down.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from ..host.protocols import Application, Message, Receive, Scope, Send

_WORK = 0.001  # seconds of work after which an export rests: many chunks of one format, a part of one of another
_REST, _MOST = 0.02, 0.2  # seconds of rest: per waiting request, and at most
_PATIENCE = 5.0  # a longer wait has another cause: a slow query, an event stream
_MINE: ContextVar[int] = ContextVar("the mark of the request that this task answers", default=0)


class WaitingRequests:
    """The requests without a response yet; the event loop's thread counts them, export threads read the count."""

    def __init__(self) -> None:
        self._since: dict[int, float] = {}
        self._none = threading.Event()  # set while no request waits
        self._none.set()

    def around(self, application: Application) -> Application:
        """Wrap the ASGI application so that requests are counted from arrival until their response starts."""

        async def counted(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http":
                return await application(scope, receive, send)
            mark = id(scope)
            _MINE.set(mark)
            self._add(mark)

            async def answering(message: Message) -> None:
                self._take(mark)
                await send(message)

            try:
                await application(scope, receive, answering)
            finally:
                self._take(mark)

        return counted

    def _add(self, mark: int) -> None:
        self._since[mark] = time.monotonic()
        self._none.clear()

    def _take(self, mark: int) -> float | None:
        since = self._since.pop(mark, None)
        if not self._since:
            self._none.set()
        return since

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Do not count this task's request meanwhile: it waits for its turn, or for its own export, not for a page."""
        mark = _MINE.get()
        since = self._take(mark)
        try:
            yield
        finally:
            if since is not None:
                self._add(mark)

    def rest(self) -> float:
        """Return how long an export should rest now at most, in seconds."""
        if not self._since:
            return 0.0
        now = time.monotonic()
        waiting = sum(now - since < _PATIENCE for since in list(self._since.values()))
        return min(_MOST, _REST * waiting)

    def give_way(self, seconds: float) -> None:
        """Wait until no request waits, and no longer than so many seconds. Not for the event loop's thread."""
        self._none.wait(seconds)


WAITING = WaitingRequests()


def considerate(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the same chunks, more slowly while other requests wait. Runs on the export's thread."""
    since = time.monotonic()
    for chunk in chunks:
        yield chunk
        if time.monotonic() - since < _WORK:
            continue
        if rest := WAITING.rest():
            WAITING.give_way(rest)
        since = time.monotonic()
