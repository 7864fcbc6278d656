"""What hooks give and get: the rule of a plugin about whose rows leave, and the facts about a finished export."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class OwnerRule:
    """Which rows of one table may be exported at all; a rule can only withhold.

    ``condition`` is one SQL expression over a row of ``table``: a row for which it is false or NULL is withheld from
    every export. It may read other tables of the database in subqueries, but no secret column, and it cannot write.
    ``reason`` says why, as the end of a sentence, without a value of any row: ``consent was withdrawn``. Several
    rules about a table are joined by AND."""

    table: str
    condition: str
    reason: str


@dataclass(frozen=True)
class ExportFacts:
    """Facts about an export that has ended; none is from a row.

    ``who`` is the id of the person who asked (None: nobody signed in, or the command line, or Python). ``request`` is
    the request as a document records it, with the keys and filters that were asked for. ``rows`` are the rows
    written, by table. ``started`` and ``ended`` are moments in UTC (ISO 8601). ``outcome`` is ``complete``,
    ``cancelled`` (the person left, cancelled, or stopped reading) or ``failed``; ``error`` is a sentence then.
    ``bytes`` is the number of bytes made, ``sha256`` their digest if the export is complete. Where Python took the rows
    and no file was made, ``bytes`` is 0 and ``sha256`` None."""

    database: str
    scope: Literal["record", "table", "query", "database"]
    format: str
    request: Mapping[str, Any]
    who: str | None
    started: str
    ended: str
    outcome: Literal["complete", "cancelled", "failed"]
    error: str | None
    rows: Mapping[str, int]
    bytes: int
    sha256: str | None
