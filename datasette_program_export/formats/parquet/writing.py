"""parquet: one table in typed columns, for data tools, that is read back exactly and proves itself.

Its rows are written in groups of a bounded size. ``columns`` says how values are written, ``description`` what the
file says of itself, ``sealing`` how a change of it is seen.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ...options.request import Request
from ..dataset import Dataset, TableStream
from ..registry import Format, Options
from .batches import Batches, too_large
from .columns import Column, arrow_schema, columns_of
from .description import KEY, document_text, table_text
from .library import pyarrow
from .reading import MEMBER, decode
from .sealing import KEY as SEAL
from .sealing import MAGIC, PLACEHOLDER, Sink

_FIRST_GROUP, _GROUP = 1 << 20, 1 << 23  # bytes of a group's values; small ones first, so that the file begins soon
_ROWS = 1_000_000  # in a group
_FEW = 1000  # rows after which is known whether the values of a column come again


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
        self._writer: Any = None

    def _open(self, first: Any) -> Any:
        """Return the writer. Values that come again in the first group are written once, in a dictionary."""
        if self._writer is None:
            self._writer = self._pa.parquet.ParquetWriter(
                self._sink,
                self._schema,
                compression="zstd",
                use_dictionary=_repeated(first),
                store_schema=False,
                write_page_checksum=True,
            )
        return self._writer

    def groups(self) -> Iterator[bytes]:
        """Yield the rows. Raises UnsupportedError for values that Parquet cannot hold."""
        waiting: list[Any] = []
        size = rows = 0
        most = _FIRST_GROUP
        for batch in Batches(self._table, self.columns, self._schema, self._pa):
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
            group = pa.Table.from_batches(waiting, self._schema)
            self._open(group).write_table(group, row_group_size=_ROWS)
        except pa.ArrowException:
            raise too_large(self._table) from None
        waiting.clear()
        yield from self._sink.pieces()

    def end(self, facts: dict[str, str]) -> Iterator[bytes]:
        """Yield the end of the file, with what it says of itself."""
        writer = self._open(self._schema.empty_table())
        writer.add_key_value_metadata(facts)
        writer.close()
        yield from self._sink.sealed()


def _repeated(group: Any) -> bool | Sequence[str]:
    """Return the columns whose values come again, by their names; of a few rows, all."""
    if group.num_rows < _FEW:
        return True
    import pyarrow.compute  # not before: it is only needed here

    count = pyarrow.compute.count_distinct
    return [name for name, column in zip(group.column_names, group) if 2 * count(column).as_py() < len(column)]


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
