"""Under which names a hidden table may be read: those of views that a person may see, and of what is in them.

SQLite tells an authorizer the innermost view or common table that a column is read in, by its name alone
(https://www.sqlite.org/c3ref/set_authorizer.html). Both look the same, so it must be known who gave the name.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass

from ..schema import Schema, Table, fold
from .sql_tokens import SQLTextError, names, names_defined


@dataclass(frozen=True)
class ViewNames:
    """``seen``: the views that somebody may see, and the common tables in their definitions, but for those that
    are named like a hidden view. ``reached``: all these, and the same of all views that are read by them. Folded."""

    seen: frozenset[str] = frozenset()
    reached: frozenset[str] = frozenset()


def view_names(schema: Schema, hidden: Set[str]) -> ViewNames:
    """The names for somebody who may not see the ``hidden`` tables and views, given folded."""
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
