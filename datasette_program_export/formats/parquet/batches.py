"""The rows of a table as Arrow's batches, as Parquet takes them.

Where C has written the rows as lines of CSV, Arrow reads these, by columns whose types are known: no value becomes an
object of Python. Columns that need more than one type, and binary data, are left to Python.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from typing import Any

from ...database.fetching.rows_in_c import Chunk, RowPlan
from ...errors import UnsupportedError
from ..dataset import Row, TableStream
from .columns import Column, arrays

_PIECE = 500  # rows that become columns at once
_FEW = 100  # in a batch: then they are large, and do not wait for more
_BLOCK = (1 << 31) - 1  # bytes of CSV that are read at once: all of a chunk


class Batches:
    """Iterates over the rows of a table as RecordBatches of a schema. Raises UnsupportedError for too large values."""

    def __init__(self, table: TableStream, columns: Sequence[Column], schema: Any, pa: Any) -> None:
        self._table, self._columns, self._schema, self._pa = table, columns, schema, pa

    def __iter__(self) -> Iterator[Any]:
        waiting: list[Row] = []
        for rows in self._found():
            if isinstance(rows, Chunk):
                if rows.rows:
                    yield from self._read(rows.written)
                continue
            few = len(rows) < _FEW
            waiting += rows
            del rows
            if waiting and (few or len(waiting) >= _PIECE):
                yield self._made(waiting)
                waiting = []
        if waiting:
            yield self._made(waiting)

    def _found(self) -> Iterator[Chunk | list[Row]]:
        plain = all(column.beside is None and column.kind is not bytes for column in self._columns)
        plan = RowPlan([b"", *[b","] * (len(self._columns) - 1)], b"\n", csv=True)
        found = self._table.written(plan) if plain and self._table.written is not None else None
        return found if found is not None else self._table.batches

    def _read(self, lines: bytes) -> Iterator[Any]:
        from pyarrow import csv  # not before: it is only needed here

        kinds = dict(zip(self._schema.names, self._schema.types))
        read = csv.ReadOptions(column_names=self._schema.names, use_threads=False, block_size=min(len(lines), _BLOCK))
        parse = csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False)
        convert = csv.ConvertOptions(
            column_types=kinds, null_values=[""], strings_can_be_null=True, quoted_strings_can_be_null=False
        )
        try:
            table = csv.read_csv(io.BytesIO(lines), read, parse, convert)
        except self._pa.ArrowException:
            raise too_large(self._table) from None
        yield from table.to_batches()

    def _made(self, rows: list[Row]) -> Any:
        pa, types = self._pa, self._schema.types
        try:
            made = [pa.array(values, kind) for values, kind in zip(arrays(self._columns, rows), types)]
        except pa.ArrowException:
            raise too_large(self._table) from None
        return pa.RecordBatch.from_arrays(made, schema=self._schema)


def too_large(table: TableStream) -> UnsupportedError:
    """Return the error for values that Parquet cannot hold."""
    return UnsupportedError(f"{table.name} has values that Parquet cannot hold, as it holds up to 2 GB each.")
