"""Datasette 1.0's events for exports and imports that have ended; 0.x has no events, and nothing happens there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any

from ...errors import PluginError
from ...exporting.ending import log_fault
from .protocols import Datasette, on_1

HAS_EVENTS = find_spec("datasette.events") is not None
if HAS_EVENTS:
    from datasette.events import Event
else:
    Event = object


@dataclass
class ExportFinished(Event):  # type: ignore[misc]
    """
    Event name: ``program-export-finished``

    An export has ended: a download, or a job. No field holds a value of a row, nor a key or a filter.

    :ivar database: The database that was read.
    :type database: str
    :ivar what: ``record``, ``table``, ``query`` or ``database``.
    :type what: str
    :ivar format: The format of the file, such as ``programjson``.
    :type format: str
    :ivar tables: The tables whose rows were written.
    :type tables: list
    :ivar rows: The number of rows that were written.
    :type rows: int
    :ivar bytes: The number of bytes that were made.
    :type bytes: int
    :ivar outcome: ``complete``, ``cancelled`` or ``failed``.
    :type outcome: str
    """

    name = "program-export-finished"
    database: str
    what: str
    format: str
    tables: list[str] = field(default_factory=list)
    rows: int = 0
    bytes: int = 0
    outcome: str = "complete"


@dataclass
class ImportFinished(Event):  # type: ignore[misc]
    """
    Event name: ``program-import-finished``

    An import has ended; a preview is none. No field holds a value of a row, nor the file's name.

    :ivar database: The database that was written to.
    :type database: str
    :ivar what: The format of the file, such as ``programjson``; ``file`` where it was not found out.
    :type what: str
    :ivar tables: The tables of the file that were looked at.
    :type tables: list
    :ivar rows: The number of rows that were added or changed; 0 unless the outcome is ``complete``.
    :type rows: int
    :ivar bytes: The size of the file.
    :type bytes: int
    :ivar outcome: ``complete``, ``refused``, ``cancelled`` or ``failed``.
    :type outcome: str
    """

    name = "program-import-finished"
    database: str
    what: str
    tables: list[str] = field(default_factory=list)
    rows: int = 0
    bytes: int = 0
    outcome: str = "complete"


def event_classes() -> list[type]:
    """Return the classes of our events, for Datasette to know them."""
    return [ExportFinished, ImportFinished] if HAS_EVENTS else []


async def track(datasette: Datasette, kind: type, tables: Iterable[str], **facts: Any) -> None:
    """Tell the site's plugins of an event, with its ``facts``. What fails in one is logged, and goes no further."""
    if not HAS_EVENTS:
        return
    try:
        await on_1(datasette).track_event(kind(tables=sorted(tables), **facts))
    except Exception as error:
        failed = PluginError(f"A plugin failed in track_event ({type(error).__name__}).")
        failed.__cause__ = error
        log_fault(failed)
