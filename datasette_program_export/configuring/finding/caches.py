"""Tables that an application can fill again, and tables that look like logs."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from ...database.schema import ForeignKey, Table
from ..names import singular, words_of
from ..proposal import Found

_CACHES = ("cache", "cached", "tmp", "temporary", "throttle")
_SESSIONS = ("session",)
_OF_A_SESSION = (
    "session_key", "session_data", "session_id", "token", "payload", "expires", "expires_at", "expire_date", "expire",
    "expiry", "last_activity", "sid", "sess",
)  # fmt: skip
_LOGS = ("log", "queue", "job", "task_result", "migration", "history", "audit")


def find_caches(tables: Mapping[str, Table], edges: Collection[ForeignKey]) -> Iterator[Found]:
    """Yield caches and stored sessions to leave out of a whole database; logs are only told: nobody can refill them."""
    referred = {e.other_table for e in edges if e.table != e.other_table}
    for table in tables.values():
        words = tuple(map(singular, words_of(table.name)))
        columns = {"_".join(words_of(c.name)) for c in table.columns}
        why = None
        if set(words) & set(_CACHES):
            why = "its name says that it is a cache"
        elif words[-1] in _SESSIONS and len(columns & set(_OF_A_SESSION)) >= 2:
            why = "it holds the sign-ins of a site"
        if why is not None:
            kept = table.name in referred
            why += "; other tables refer to it" if kept else ""
            yield Found(setting="caches", table=table.name, value=table.name, why=why, written=not kept)
        elif set(words[-1:]) & set(_LOGS) or (words[0] in ("migration", "schema") and words[-1] == "migration"):
            why = "it looks like a log; name it only if a copy without it is enough"
            yield Found(setting="caches", table=table.name, value=table.name, why=why, written=False)
