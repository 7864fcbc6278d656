"""The names under which a hidden table may be read: visible views, and the views and common tables in them.

SQLite passes to an authorizer only the name of the innermost view or common table in which a column is read
(https://www.sqlite.org/c3ref/set_authorizer.html). The two look the same, so it must be known what defined the
name.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass

from ..schema import Schema, Table, fold
from .sql_tokens import SQLTextError, names, names_defined


@dataclass(frozen=True)
class ViewNames:
    """The names of views and common tables in which a hidden table may be read; all folded.

    ``seen`` are the views that the person may see and the common tables in their definitions, except those with
    the name of a hidden view. ``reached`` are all these, and the same of all views that they read."""

    seen: frozenset[str] = frozenset()
    reached: frozenset[str] = frozenset()


def view_names(schema: Schema, hidden: Set[str]) -> ViewNames:
    """Return the names for a person who may not see the ``hidden`` tables and views, which are given folded."""
    views = {fold(name): table for name, table in schema.items() if table.kind == "view"}
    seen = [name for name in views if name not in hidden]
    found = frozenset(seen).union(*(_defined(views[name]) for name in seen))
    met, waiting = set(seen), seen
    while waiting:
        inner = _named(views[waiting.pop()]) & views.keys() - met
        met |= inner
        waiting.extend(inner)
    return ViewNames(found - hidden, found.union(met, *(_defined(views[name]) for name in met)))


def _defined(view: Table) -> frozenset[str]:
    try:
        return names_defined(view.sql or "")
    except SQLTextError:
        return frozenset()


def _named(view: Table) -> frozenset[str]:
    try:
        return names(view.sql or "")
    except SQLTextError:
        return frozenset()
