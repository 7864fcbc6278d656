"""Tell plugins that an export of this site has ended: who asked, and how it ended for them."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, Literal

from datasette.utils import await_me_maybe

from ...errors import PluginError
from ...exporting.ending import log_fault, told
from ...exporting.exporter import Export
from ...options.hooks.values import ExportFacts
from ..host.events import ExportFinished, track
from ..host.protocols import Actor, Datasette

Outcome = Literal["complete", "cancelled", "failed"]


class Ended:
    """The word of one export's end, to be given once, when no byte of it is waited for any more."""

    def __init__(self, datasette: Datasette, actor: Actor, export: Export) -> None:
        self._datasette = datasette
        self._actor = actor
        self._who = None if actor is None or actor.get("id") is None else str(actor["id"])
        self._export = export
        self._loop = asyncio.get_running_loop()
        self._given = False

    async def tell(self, outcome: Outcome, error: str | None = None) -> None:
        """Tell the plugins, on a thread, and wait for those that are ``async``. Errors are logged."""
        if not self._given:
            self._given = True
            await self._tell(outcome, error)

    def tell_soon(self, outcome: Outcome, error: str | None = None) -> None:
        """Tell the plugins, from another thread; nothing is waited for. A server that stops tells nobody."""
        if not self._given:
            self._given = True
            soon(self._loop, self._tell(outcome, error))

    async def _tell(self, outcome: Outcome, error: str | None) -> None:
        facts = self._export.ending.facts(outcome, error, self._who)
        await _tell(self._datasette, facts)
        told_of = {"database": facts.database, "what": facts.scope, "format": facts.format, "outcome": outcome}
        numbers = {"rows": sum(facts.rows.values()), "bytes": facts.bytes}
        tables = [name for name, rows in facts.rows.items() if rows]
        await track(self._datasette, ExportFinished, tables, actor=self._actor, **told_of, **numbers)


def soon(loop: asyncio.AbstractEventLoop, telling: Coroutine[Any, Any, None]) -> None:
    """Have this told on the loop, from another thread, without waiting; nobody is told where the server has stopped."""
    try:
        asyncio.run_coroutine_threadsafe(telling, loop)
    except RuntimeError:  # the loop is closed
        telling.close()


async def _tell(datasette: Datasette, facts: ExportFacts) -> None:
    with suppress(RuntimeError):  # the server stops, and starts no more threads
        for plugin, answer in await asyncio.to_thread(told, facts, datasette):
            try:
                await await_me_maybe(answer)
            except Exception as error:
                failed = PluginError(f"The plugin {plugin} failed in export_finished ({type(error).__name__}).")
                failed.__cause__ = error
                log_fault(failed)
