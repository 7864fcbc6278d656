"""Read an export's tables in one snapshot and write them as text at once, for ``ExportService``.

A table's rows are dropped as soon as they are written, unless the result holds them as objects: memory takes little
more than the text that is returned.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ...database.source import Source
from ...errors import NotFoundError, RequestError
from ...exporting.exporter import Export
from ...files.temporary.buffered import held
from ...formats.dataset import Dataset, Row, TableStream
from ...formats.description.coverage import Coverage
from ...formats.description.coverage import LeftOut as LeftOutPart
from ...options.request import Request
from ...options.settings import Settings
from ...selection.scopes.base import Scope
from ...selection.scopes.database import DatabaseScope
from .heads import Head
from .options import Output
from .results import LeftOut, left_out_of
from .text import Taken, csv_pieces, object_pieces, with_head, written

_MEMORY = 16_000_000  # bytes of text that wait in memory for what stands before them; more wait in a temporary file


class _ProgressError(Exception):
    """Carries what the caller's own function raised."""

    def __init__(self, error: OSError) -> None:
        self.error = error


@dataclass(frozen=True)
class Read:
    """What was read: the tables, what was left out, what stands before the tables in JSON, and ``data``."""

    tables: dict[str, Taken]
    left_out: LeftOut
    head: Mapping[str, Any]
    data: Any


@dataclass(frozen=True)
class Reading:
    """What to read, and what to keep of it.

    ``first`` are tables to come first, in this order; the others follow parents first. ``head`` returns what stands
    before the tables in JSON. ``key`` is the column of the first table whose values are kept, ``rows_as`` the name in
    JSON of the rows of the only table. ``reasons`` say why tables that the request leaves out are not there."""

    source: Source
    settings: Settings
    request: Request
    output: Output
    head: Head
    first: Sequence[str] = ()
    keep: bool = False
    key: str | None = None
    rows_as: str | None = None
    reasons: Mapping[str, str] | None = None

    def read(self) -> Read:
        """Read all tables. Raises RequestError if a table that was named is not there, and what reading raises."""
        export = Export(self.source, self.request, settings=self.settings)

        def take(dataset: Dataset) -> Read:
            found: dict[str, Taken] = {}
            rows = 0

            def kept(table: TableStream) -> Iterator[list[Row]]:
                nonlocal rows
                key = self.key if table.name in self.first[:1] else None
                found[table.name] = taken = Taken(table.name, self.keep, key)
                for batch in taken.batches(table):
                    yield batch
                    rows += len(batch)
                    self._tell(table.name, rows)

            def left_out() -> LeftOut:
                return left_out_of(self._explained(dataset.coverage()), export.labels)

            if self.output.format == "csv":
                for table in dataset.tables:
                    pieces = csv_pieces(table.fields, kept(table), self.output.delimiter)
                    text = written(pieces, self.output)
                    found[table.name].text = text
                texts = {name: taken.text for name, taken in found.items()}
                return Read(found, told := left_out(), self.head(found, told), texts)
            pretty = self.output.pretty
            body = held(
                object_pieces(dataset.tables, kept, pretty, self.rows_as), sys.maxsize, _MEMORY, self.source.spool_dir
            )
            head = self.head(found, told := left_out())
            return Read(found, told, head, written(with_head(head, body, pretty), self.output))

        try:
            return export.read(take, self._arrange)
        except NotFoundError as error:
            raise RequestError(str(error)) from None
        except _ProgressError as stopped:
            raise stopped.error from None

    def _tell(self, table: str, rows: int) -> None:
        try:
            if self.output.progress is not None:
                self.output.progress(table, rows)
        except OSError as error:  # else it would be taken for one of the temporary file
            raise _ProgressError(error) from None

    def _arrange(self, scope: Scope) -> None:
        if isinstance(scope, DatabaseScope) and scope.damaged is not None:
            raise scope.damaged
        place = {name: number for number, name in enumerate(self.first)}
        scope.tables.sort(key=lambda chosen: place.get(chosen.table.name, len(place)))

    def _explained(self, coverage: Coverage) -> Coverage:
        def explained(part: LeftOutPart) -> LeftOutPart:
            if part.table is None or part.column is not None or not self.reasons:
                return part
            return replace(part, why=part.why or self.reasons.get(part.table))

        return replace(coverage, left_out=tuple(map(explained, coverage.left_out)))
