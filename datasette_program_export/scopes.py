"""Which scope answers a request."""

from __future__ import annotations

from collections.abc import Set

from .catalog import Catalog
from .closure import Closure
from .database import WholeDatabase
from .query import Query
from .request import Request
from .scope import Scope
from .snapshot import Snapshot

_SCOPES: dict[str, type[Scope]] = {"record": Closure, "table": Closure, "query": Query, "database": WholeDatabase}


def scope_of(
    snapshot: Snapshot,
    catalog: Catalog,
    request: Request,
    *,
    visible: Set[str] | None = None,
    max_rows: int | None = None,
) -> Scope:
    """The scope of a request, to be resolved. Raises as ``Scope`` does."""
    return _SCOPES[request.scope](snapshot, catalog, request, visible=visible, max_rows=max_rows)
