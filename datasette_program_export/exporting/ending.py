"""The end of an export: its facts, and the word of it to the plugins that implement ``export_finished``.

A plugin hears of an export when nothing can be changed any more: an error in it is logged, and goes no further.
"""

from __future__ import annotations

import hashlib
import logging
import traceback
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing, contextmanager
from types import MappingProxyType
from typing import Any, Literal

from ..errors import CancelledError, ExportError, PluginError
from ..formats.description.moments import now_text
from ..options.hooks.manager import implementing
from ..options.hooks.values import ExportFacts
from ..options.request import Request

_HOOK = "export_finished"
_log = logging.getLogger(__name__)


class Ending:
    """Watches one export from its first step; ``facts`` are complete when it has ended.

    ``rows`` returns the rows written so far, by table. With ``tell``, the plugins are told by itself."""

    def __init__(self, database: str, request: Request, rows: Callable[[], Mapping[str, int]], tell: bool) -> None:
        self._database = database
        self._request = request
        self._rows = rows
        self._tell = tell
        self._started = now_text()
        self._bytes = 0
        self._hash = hashlib.sha256()
        self._heard = False  # somebody will hear of the digest

    def watch(self, chunks: Generator[bytes, None, None]) -> Generator[bytes, None, None]:
        """Yield the chunks unchanged; count them, and hash them if a plugin will hear of it."""
        with self.watching(), closing(chunks):
            for chunk in chunks:
                self._bytes += len(chunk)
                if self._heard:
                    self._hash.update(chunk)
                yield chunk

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Tell the plugins when the work inside has ended, in whatever way."""
        self._started = now_text()
        self._heard = any(plugin.fault is None for plugin in implementing(_HOOK))
        try:
            yield
        except (CancelledError, GeneratorExit, KeyboardInterrupt):
            self._told("cancelled", "It was stopped before its end.")
            raise
        except BaseException as error:
            self._told("failed", said(error))
            raise
        self._told("complete")

    def _told(self, outcome: Literal["complete", "cancelled", "failed"], error: str | None = None) -> None:
        if self._tell and self._heard:
            for plugin, _ in told(self.facts(outcome, error)):
                _log.error("The plugin %s has an async %s, which only a site can wait for.", plugin, _HOOK)

    def facts(
        self, outcome: Literal["complete", "cancelled", "failed"], error: str | None = None, who: str | None = None
    ) -> ExportFacts:
        """Return the facts; what is in them is a copy, or cannot be changed."""
        whole = outcome == "complete" and self._heard and self._bytes > 0
        return ExportFacts(
            database=self._database,
            scope=self._request.scope,
            format=self._request.format,
            request=MappingProxyType(self._request.as_recorded()),
            who=who,
            started=self._started,
            ended=now_text(),
            outcome=outcome,
            error=error,
            rows=MappingProxyType(dict(self._rows())),
            bytes=self._bytes,
            sha256=self._hash.hexdigest() if whole else None,
        )


def said(error: BaseException) -> str:
    """Return an error as a sentence that holds no value of any row."""
    if isinstance(error, ExportError):
        return str(error)
    return f"It failed ({type(error).__name__})."


def told(facts: ExportFacts, datasette: Any = None) -> list[tuple[str, Any]]:
    """Tell each plugin; return what is left to be awaited, with the plugin's name. Errors are logged."""
    waiting = []
    for plugin in implementing(_HOOK):
        if plugin.fault is not None:
            continue  # it was told before the first byte of the export
        try:
            answer = plugin.ask(_HOOK, datasette=datasette, facts=facts)
        except PluginError as error:
            log_fault(error)
            continue
        if datasette is None and hasattr(answer, "close") and hasattr(answer, "__await__"):
            answer.close()
            waiting.append((plugin.name, None))
        elif datasette is not None and (callable(answer) or hasattr(answer, "__await__")):
            waiting.append((plugin.name, answer))
    return waiting


def log_fault(error: PluginError) -> None:
    """Log that a plugin failed after an export: its name, the kind of error and its place, not its message."""
    places = traceback.extract_tb(error.__cause__.__traceback__) if error.__cause__ is not None else []
    where = "".join(f" ({p.filename}, line {p.lineno})" for p in places[-1:])  # its text could hold a value
    _log.error("%s The export is not touched by it%s.", error, where)
