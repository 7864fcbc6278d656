"""Send large responses to clients that may be slow or gone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from ...errors import BrokenExportError, CancelledError
from ..host.protocols import HttpRequest, Send


def disposition(filename: str) -> str:
    """Return ``attachment`` with the name twice, in ASCII and in UTF-8 (RFC 6266)."""
    plain = filename.encode("ascii", "replace").decode().replace("?", "_").replace('"', "_")
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(filename, safe='')}"


class Client:
    """The client of a response. ``gone`` is called once if it disconnects before the end.

    ``seconds`` is the longest time that it may take nothing.
    """

    def __init__(self, request: HttpRequest, seconds: float, gone: Callable[[], None] = lambda: None) -> None:
        self.left = False
        self._request = request
        self._seconds = seconds
        self._gone = gone
        self._watcher: asyncio.Task[None] | None = None

    def watch(self) -> None:
        """Start to watch for a disconnect. Sending does not reveal it: servers drop data for a closed connection."""
        self._watcher = asyncio.ensure_future(self._watch())

    async def _watch(self) -> None:
        while (await self._request.receive())["type"] != "http.disconnect":
            pass
        self.left = True
        self._gone()

    def check(self) -> None:
        """Check that the client is still there. Raises CancelledError if it left."""
        if self.left:
            raise CancelledError("The reader left.")

    def stop(self) -> None:
        """Stop watching."""
        if self._watcher is not None:
            self._watcher.cancel()

    async def take(self, send: Send, message: dict[str, Any]) -> None:
        """Send a message. Raises CancelledError if the client left, BrokenExportError if it takes nothing."""
        if self.left:  # else the message would seem to be delivered
            raise CancelledError("The reader left.")
        try:
            await asyncio.wait_for(send(message), self._seconds)
        except asyncio.TimeoutError:
            self._abort()
            raise BrokenExportError(
                f"The reader took nothing for {self._seconds:g} seconds; the download was cut."
            ) from None

    def _abort(self) -> None:
        """Drop the connection of a client that takes nothing: a server that only closes it would wait for the client.

        The transport is where uvicorn keeps it; other servers rely on their own time limits."""
        transport = getattr(getattr(self._request.receive, "__self__", None), "transport", None)
        if transport is not None:
            transport.abort()
