"""Sends large answers to clients who may be slow or gone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from ...errors import BrokenExportError, CancelledError
from ..host.protocols import HttpRequest, Send


def disposition(filename: str) -> str:
    """``attachment`` with the name twice, plain and in UTF-8 (RFC 6266)."""
    plain = filename.encode("ascii", "replace").decode().replace("?", "_").replace('"', "_")
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(filename, safe='')}"


class Client:
    """Who takes an answer. ``gone`` is called once, when they leave before its end."""

    def __init__(self, request: HttpRequest, seconds: float, gone: Callable[[], None] = lambda: None) -> None:
        self.left = False
        self._request = request
        self._seconds = seconds
        self._gone = gone
        self._watcher: asyncio.Task[None] | None = None

    def watch(self) -> None:
        """Begin to notice when they leave. Sending does not tell: servers drop what is sent to nobody."""
        self._watcher = asyncio.ensure_future(self._watch())

    async def _watch(self) -> None:
        while (await self._request.receive())["type"] != "http.disconnect":
            pass
        self.left = True
        self._gone()

    def stop(self) -> None:
        """Notice no longer."""
        if self._watcher is not None:
            self._watcher.cancel()

    async def take(self, send: Send, message: dict[str, Any]) -> None:
        """Send them a message. Raises CancelledError when they left, BrokenExportError when they take nothing."""
        if self.left:  # else it would look taken
            raise CancelledError("The reader left.")
        try:
            await asyncio.wait_for(send(message), self._seconds)
        except asyncio.TimeoutError:
            self._abort()
            raise BrokenExportError(
                f"The reader took nothing for {self._seconds:g} seconds; the download was cut."
            ) from None

    def _abort(self) -> None:
        """Drop the connection of a reader who takes nothing: a server that only closes it would wait for them.

        Found where uvicorn keeps it; elsewhere the server's own time limits must do."""
        transport = getattr(getattr(self._request.receive, "__self__", None), "transport", None)
        if transport is not None:
            transport.abort()
