"""Slows exports down while other requests wait for an answer.

Python runs one thread at a time, so that a few exports would take a busy site most of its
processor. Where nobody waits, nothing is slowed down.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator

from ..host.protocols import Application, Message, Receive, Scope, Send

_REST, _MOST = 0.02, 0.2  # seconds after a piece for each who waits, and at most; a piece takes some milliseconds
_PATIENCE = 5.0  # who waits longer waits for something else: a long query, an event


class WaitingRequests:
    """The requests that have no answer yet. Counted on the event loop's thread, read by the exports'."""

    def __init__(self) -> None:
        self._since: dict[int, float] = {}

    def around(self, application: Application) -> Application:
        """The application, its requests counted from their coming until their answer begins."""

        async def counted(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http":
                return await application(scope, receive, send)
            mark = id(scope)
            self._since[mark] = time.monotonic()

            async def answering(message: Message) -> None:
                self._since.pop(mark, None)
                await send(message)

            try:
                await application(scope, receive, answering)
            finally:
                self._since.pop(mark, None)

        return counted

    def rest(self) -> float:
        """How long an export is to rest now, in seconds."""
        if not self._since:
            return 0.0
        now = time.monotonic()
        waiting = sum(now - since < _PATIENCE for since in list(self._since.values()))
        return min(_MOST, _REST * waiting)


WAITING = WaitingRequests()


def considerate(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The same chunks, more slowly while others wait. For the thread that makes them."""
    for chunk in chunks:
        yield chunk
        if rest := WAITING.rest():
            time.sleep(rest)
