"""parquet: one table in typed columns, for data tools, that is read back exactly and proves itself.

Its rows are written in groups of a bounded size. ``columns`` says how values are written, ``description`` what the
file says of itself, ``sealing`` how a change of it is seen.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...errors import UnsupportedError
from ...options.request import Request
from ..dataset import Dataset, Row, TableStream
from ..registry import Format, Options
from .columns import Column, arrays, arrow_schema, columns_of
from .description import KEY, document_text, table_text
from .library import pyarrow
from .reading import MEMBER, decode
from .sealing import KEY as SEAL
from .sealing import MAGIC, PLACEHOLDER, Sink

_FIRST_GROUP, _GROUP = 1 << 20, 1 << 23  # bytes of a group's values; small ones first, so that the file begins soon
_ROWS = 1_000_000  # in a group
_PIECE = 500  # rows that become columns at once
_FEW = 100  # in a batch: then they are large, and do not wait for more


def encode(dataset: Dataset, options: Options) -> Iterator[bytes]:
    """Yield a file with one table and the description of all that was asked for. Raises RequestError, UnsupportedError.

    Memory holds a group of rows."""
    for table in dataset.tables:
        writing = _Writing(table)
        yield from writing.groups()
    yield from writing.end({KEY: document_text(dataset, writing.columns), SEAL: PLACEHOLDER})


def encode_table(table: TableStream, request: Request) -> Iterator[bytes]:
    """Yield a file of a package; the package describes it."""
    writing = _Writing(table)
    yield from writing.groups()
    yield from writing.end({KEY: table_text(table.name, writing.columns), SEAL: PLACEHOLDER})


class _Writing:
    """Writes one table, after a look at its columns."""

    def __init__(self, table: TableStream) -> None:
        self._pa = pa = pyarrow()
        self._table = table
        self.columns: list[Column] = columns_of(table.fields, table.facts() if table.facts is not None else None)
        self._schema = arrow_schema(pa, self.columns)
        self._sink = Sink()
        self._writer = pa.parquet.ParquetWriter(
            self._sink,
            self._schema,
            compression="zstd",
            store_schema=False,
            write_page_checksum=True,
        )

    def groups(self) -> Iterator[bytes]:
        """Yield the rows. Raises UnsupportedError for values that Parquet cannot hold."""
        waiting: list[Any] = []
        size = rows = 0
        most = _FIRST_GROUP
        for batch in self._batches():
            waiting.append(batch)
            size += batch.nbytes
            rows += batch.num_rows
            if size >= most or rows >= _ROWS:
                yield from self._group(waiting)
                size, rows, most = 0, 0, min(2 * most, _GROUP)
        if waiting:
            yield from self._group(waiting)

    def _group(self, waiting: list[Any]) -> Iterator[bytes]:
        pa = self._pa
        try:
            self._writer.write_table(pa.Table.from_batches(waiting, self._schema), row_group_size=_ROWS)
        except pa.ArrowException:
            raise self._too_large() from None
        waiting.clear()
        yield from self._sink.pieces()

    def _batches(self) -> Iterator[Any]:
        waiting: list[Row] = []
        for rows in self._table.batches:
            few = len(rows) < _FEW
            waiting += rows
            del rows
            if waiting and (few or len(waiting) >= _PIECE):
                yield self._batch(waiting)
                waiting = []
        if waiting:
            yield self._batch(waiting)

    def _batch(self, rows: list[Row]) -> Any:
        pa, types = self._pa, self._schema.types
        try:
            made = [pa.array(values, kind) for values, kind in zip(arrays(self.columns, rows), types)]
        except pa.ArrowException:
            raise self._too_large() from None
        return pa.RecordBatch.from_arrays(made, schema=self._schema)

    def _too_large(self) -> UnsupportedError:
        return UnsupportedError(f"{self._table.name} has values that Parquet cannot hold, as it holds up to 2 GB each.")

    def end(self, facts: dict[str, str]) -> Iterator[bytes]:
        """Yield the end of the file, with what it says of itself."""
        self._writer.add_key_value_metadata(facts)
        self._writer.close()
        yield from self._sink.sealed()


FORMAT = Format(
    name="parquet",
    help="A table in typed columns, for data tools; several tables come as a zip of files.",
    extension="parquet",
    media_type="application/vnd.apache.parquet",
    lossless=True,
    self_verifying=True,
    encode=encode,
    encode_table=encode_table,
    decode=decode,
    good_for="pandas, DuckDB, polars and other data tools",
    beginnings=(MAGIC,),
    ending="parquet",
    compressed=True,
    member=MEMBER,
    one_table=True,
    needs="pyarrow",
)
