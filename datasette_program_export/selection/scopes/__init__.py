"""Chooses the scope that answers a request."""

from __future__ import annotations

from collections.abc import Set

from ...database.snapshot import Snapshot
from ...options.request import Request
from ..catalog import Catalog
from .base import Scope
from .database import DatabaseScope
from .query import QueryScope
from .records import RecordScope

_SCOPES: dict[str, type[Scope]] = {
    "record": RecordScope,
    "table": RecordScope,
    "query": QueryScope,
    "database": DatabaseScope,
}


def scope_of(
    snapshot: Snapshot,
    catalog: Catalog,
    request: Request,
    *,
    visible: Set[str] | None = None,
    max_rows: int | None = None,
) -> Scope:
    """The scope of a request, prepared, to be resolved. Raises as ``Scope`` does."""
    scope = _SCOPES[request.scope](snapshot, catalog, request, visible=visible, max_rows=max_rows)
    scope.prepare()
    return scope
