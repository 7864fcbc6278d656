"""Lends connections to snapshots: one that was kept after the last snapshot of the same source, or a new one."""

from __future__ import annotations

import re
from collections.abc import Callable

from .connections.warm import WARM, Warm, signs_of
from .fetching.rows_in_c import load
from .opening import open_source
from .reflection import reflect
from .source import Fingerprint, Source

_COLLATE = re.compile(r"\bcollate\s+[\"'`\[]?(\w+)", re.IGNORECASE)


def resumed(source: Source) -> Warm | None:
    """Return a connection that was kept and still fits, within a new read transaction; None if there is none."""
    if source.keeper is None or source.path is None:
        return None
    warm = WARM.take(source.keeper, source.path)
    if warm is not None and not warm.begin(source.library.Error):
        warm.close()
        return None
    return warm


def opened(
    source: Source, copy: bool, cancelled: Callable[[], bool], begun: Callable[[Warm], None]
) -> tuple[Warm, Fingerprint | None]:
    """Return a new connection within a read transaction, with the schema read through it.

    ``begun`` is called before that. The fingerprint is that of an immutable file. Raises what ``open_source`` and
    ``reflect`` raise."""
    before = signs_of(source.path) if source.keeper is not None and source.path is not None and not copy else None
    found = open_source(source, copy=copy, cancelled=cancelled)
    warm = Warm(found.connection, found.tidy, found.journal)
    try:
        warm.writes_rows = load(warm.connection, source.library)
        begun(warm)
        warm.schema = reflect(warm.connection)
        # SQLite 3.40 loses matches of RTRIM and custom collations in its automatic indexes
        collations = {c.lower() for t in warm.schema.values() for c in _COLLATE.findall(t.sql or "")}
        if collations - {"binary", "nocase"}:
            warm.connection.execute("PRAGMA automatic_index=0")
        if before is not None and source.path is not None and found.fingerprint is None:
            warm.remember(before, source.path, source.library.Error)
    except BaseException:
        warm.close()
        raise
    return warm, found.fingerprint
