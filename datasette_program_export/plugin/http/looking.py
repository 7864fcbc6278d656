"""Wait for a look at the database on the threads for plans, as long as the client does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from threading import Event
from typing import TypeVar

from ...errors import CancelledError
from ..host.protocols import HttpRequest
from ..server.identity import person_of
from ..server.plan_pool import PLANS
from ..server.throttle import WAITING
from .sending import Client

Result = TypeVar("Result")


async def look(request: HttpRequest, work: Callable[[Event], Result]) -> Result:
    """Run ``work`` on a thread for plans and return its result.

    If the client leaves while that waits, it does not begin; later, its argument is set, for it to end. Raises what
    ``work`` raises; BusyError if too much waits, CancelledError if the client left."""
    loop, begun, left, unwanted = asyncio.get_running_loop(), asyncio.Event(), asyncio.Event(), Event()

    def begin() -> Result:
        loop.call_soon_threadsafe(begun.set)
        return work(unwanted)

    client = Client(request, 0, left.set)
    future = asyncio.wrap_future(PLANS.submit(person_of(request.actor), begin))
    client.watch()
    leaving, turn = asyncio.ensure_future(left.wait()), asyncio.ensure_future(begun.wait())
    try:
        with WAITING.aside():
            await asyncio.wait((future, leaving, turn), return_when=asyncio.FIRST_COMPLETED)
        await asyncio.wait((future, leaving), return_when=asyncio.FIRST_COMPLETED)
        if not future.done():
            raise CancelledError("The reader left.")
        return future.result()
    finally:
        unwanted.set()  # also where the server stops before the work has ended
        client.stop()
        for waited in (leaving, turn, future):
            waited.cancel()
