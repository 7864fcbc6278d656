"""Rows to pick from: searched by title, page by page."""

from __future__ import annotations

from collections.abc import Set
from contextlib import closing
from dataclasses import dataclass
from threading import Event

from ..database.snapshot import Snapshot, TimeExpired
from ..database.source import Source
from ..options.grammar import row_path
from ..options.request import Request
from ..options.settings import Settings
from ..selection.annotated_schema import annotate
from ..selection.scopes import scope_of

A_PAGE = 50
_NAMED = 500  # picked rows whose titles are looked up; for the others the row path is shown


@dataclass(frozen=True)
class Picking:
    """One page of rows to pick from.

    ``offered`` and ``picked`` are (row path, title) pairs; ``more`` is true if another page follows, ``late`` if
    the search took too long."""

    find: str
    page: int
    offered: list[tuple[str, str]]
    picked: list[tuple[str, str]]
    more: bool = False
    late: bool = False

    @property
    def possible(self) -> bool:
        """Whether there is anything to pick."""
        return bool(self.picked or self.find or self.page > 1 or len(self.offered) > 1 or self.late)


def pick(
    source: Source,
    rows: Request,
    picked: Request | None,
    find: str,
    page: int,
    *,
    settings: Settings,
    visible: Set[str] | None,
    cancelled: Event | None = None,
) -> Picking:
    """Return page ``page`` of the rows to pick from, whose titles contain the words of ``find``.

    ``rows`` are the rows to pick from, ``picked`` names the rows picked already. Raises the errors of ``plan``;
    ``cancelled`` is as there."""
    named: list[tuple[str, str]] = []
    try:
        with closing(Snapshot(source, cancelled=cancelled)) as snapshot:
            snapshot.expire_after(settings.plan_seconds)
            known = annotate(snapshot.schema, settings)
            for record in picked.records[:_NAMED] if picked is not None else ():
                alone = Request(table=rows.table, records=(record,), cascade=False)
                named.append((row_path(record), scope_of(snapshot, known, alone, visible=visible).title()))
            scope = scope_of(snapshot, known, rows, visible=visible)
            scope.resolve()
            found = scope.choices(A_PAGE + 1, (page - 1) * A_PAGE, find)
    except TimeExpired:
        return Picking(find, page, [], _all(picked, named), late=True)
    return Picking(find, page, found[:A_PAGE], _all(picked, named), more=len(found) > A_PAGE)


def _all(picked: Request | None, named: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return every picked row as (row path, title); the row path is the title of rows that were not looked up."""
    titles = dict(named)
    paths = [row_path(record) for record in (picked.records if picked is not None else ())]
    return [(path, titles.get(path, path)) for path in paths]
