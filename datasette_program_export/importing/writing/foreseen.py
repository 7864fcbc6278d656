"""Digests of what an import does to the rows, so that it can be told whether it does what its preview showed.

A digest covers, in the order of the file, each new row with its values, each changed row with its key, its old
values in all columns that are written, and its new ones, and the keys of the rows that are left as they are. It does
not cover what triggers do, nor the rows that foreign keys refer to: those are checked anew by each import.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from json import dumps

from ...database.fetching.batch_sizes import BatchSizes
from ...database.schema import quote
from ...formats.description.digest import TableDigest
from ..report import TableReport
from .row_matching import DIFFERENT, INSERT, RowMatching, pieces
from .table_writer import TableWriter


def digest_of_table(one: TableWriter) -> str | None:
    """Return the digest of one table's rows, before they are written; None if all of them are there already."""
    report = one.report
    if not (report.insert or report.update or report.skip):
        return None
    whole = hashlib.sha256()
    for shape, part in enumerate(one.parts):
        new = part.given if report.insert else part.key
        _add(whole, one, shape, "insert" if report.insert else "absent", new, [], INSERT)
        if not part.key:
            continue
        if report.update:
            reset = tuple(column.name for column in one.back_to_default(part))
            _add(whole, one, shape, "update", part.given, [*part.given, *reset], DIFFERENT)
        else:
            _add(whole, one, shape, "skip", part.key, [], DIFFERENT)
    return whole.hexdigest()


def digest_of_tables(tables: Mapping[str, TableReport]) -> str:
    """Return one digest for all tables."""
    found = {
        name: [table.foreseen, table.new_columns] if table.new_columns else table.foreseen
        for name, table in sorted(tables.items())
        if table.foreseen is not None or table.new_columns
    }
    return hashlib.sha256(dumps(found).encode("utf-8", "surrogatepass")).hexdigest()


def _add(
    whole: hashlib._Hash, one: TableWriter, shape: int, action: str, new: tuple[str, ...], old: list[str], verdict: int
) -> None:
    part = one.parts[shape]
    values = [f"t.{quote(column)}" for column in old] + [part.staged.value(column) for column in new]
    for piece in pieces(values):
        rows = TableDigest(len(piece))
        cursor = one.connection.execute(_rows(part, shape, piece, bool(old), verdict))
        sizes = BatchSizes()
        while batch := cursor.fetchmany(next(sizes)):
            sizes.saw(len(batch), rows.add(batch))
        head = [part.staged.table.name, action, old, new, rows.rows, rows.hexdigest()]
        whole.update(dumps(head).encode("utf-8", "surrogatepass") + b"\n")


def _rows(part: RowMatching, shape: int, values: Sequence[str], joined: bool, verdict: int) -> str:
    join = f" JOIN {part.target} AS t ON {part.match()}" if joined else ""
    return f"SELECT {', '.join(values) or 'NULL'} FROM {part.chosen(shape, verdict)}{join} ORDER BY j.line"
