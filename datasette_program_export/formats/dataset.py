"""What formats write and read: tables as streams of rows, read once and in order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, cast

from ..database.fetching.rows_in_c import Chunk, RowPlan
from ..database.guarding.new_database import NewDatabase
from .description.column_facts import ColumnFacts
from .description.coverage import Coverage
from .description.integrity import Announced
from .description.schema import DocumentSchema

# a text that is not valid UTF-8 is a str with surrogates (PEP 383)
Value = int | float | str | bytes | None
Row = tuple[Value, ...]
Pack = Callable[[list[Row]], tuple[bytes, int]]


@dataclass(frozen=True)
class Field:
    """A column as it is written; its name is unique in its table.

    ``holds_json``: its texts are embedded if they are JSON. ``generated``: SQLite computes it, so it
    is not loaded again and not part of the digest."""

    name: str
    type: str
    holds_json: bool = False
    generated: bool = False


@dataclass(frozen=True)
class Copied:
    """So many rows were copied. ``same``: whether they read back the same; None if that is left to the format.

    ``indexes`` are the statements of those that were made and copied with them. Where there are statements to ``mend``,
    rows and indexes were copied raw: the format proves that they hold nothing else, or runs these, and reads back."""

    rows: int
    same: bool | None = None
    indexes: tuple[str, ...] = ()
    mend: tuple[str, ...] = ()


@dataclass(frozen=True)
class NamedFile:
    """A file of its own that rows name by a path, as it was read: whole, and unchanged meanwhile.

    The cell: ``column`` and its text, ``value``. ``size`` is in bytes; ``kind`` is the extension that its first bytes
    tell (``png``), else that of its name, else "". ``file`` tells files apart: the same one, named again by another
    cell, has the same number, and no ``content``. That is a stream of its bytes, which ends with the next file.
    ``name`` is what the file itself is called, where its cell does not say that."""

    column: str
    value: str
    size: int
    sha256: str
    kind: str
    file: int
    content: IO[bytes] | None
    name: str | None = None


@dataclass(frozen=True)
class PackagedFile:
    """What a package says of a file that its rows name: of which cell, under which ``path``, its size and digest."""

    table: str
    column: str
    value: str
    path: str
    bytes: int
    hash: str


@dataclass(frozen=True)
class PackedRows:
    """So many rows of a file, ``packed`` as MessagePack arrays; ``columns`` has the wanted values, by place."""

    rows: int
    packed: memoryview
    columns: Mapping[int, list[Value]]


class Batches(Iterator[list[Row]]):
    """The rows of a table, in lists; or, where they are not wanted one by one, packed as far as the reader can.

    ``read`` begins the reading, once: with None for lists only, else with places of columns whose values are wanted.
    Who wraps the lists in an iterator of another kind needs not know of this: then there are lists only."""

    def __init__(self, read: Callable[[Sequence[int] | None], Iterator[list[Row] | PackedRows]]) -> None:
        self._read = read
        self._lists: Iterator[Any] | None = None

    def __next__(self) -> list[Row]:
        if self._lists is None:
            self._lists = self._read(None)
        return cast(list[Row], next(self._lists))

    def packed(self, places: Sequence[int]) -> Iterator[list[Row] | PackedRows]:
        """Yield the rows, packed where that can be, with the values of the columns at these places."""
        return self._read(places)


def packed_rows(batches: Iterator[list[Row]], places: Sequence[int]) -> Iterator[list[Row] | PackedRows]:
    """Yield rows that are not wanted one by one: packed, with the values of these columns, where they can be."""
    return batches.packed(places) if isinstance(batches, Batches) else batches


@dataclass(frozen=True)
class TableStream:
    """The rows of one table, in lists; ``batches`` can be read once, before the next table (see also ``Batches``).

    ``null`` is how NULL is written in a table of one column. ``facts`` reads all rows to examine them;
    call it before reading ``batches``. ``written`` yields the rows in place of ``batches``, written as a plan says:
    in chunks, and in lists where rows are left to Python; it returns None where it cannot. ``copied`` copies the rows,
    in place of ``batches``, into the new database that ``Dataset.attached`` returned, and says how; it returns None
    where it cannot. It may make some of the table's indexes, whose statements it is given by their names. ``packed``
    yields the rows in place of ``batches`` as MessagePack, with how many these are, and no digest is made: by C, or by
    the given function, which also returns the size of the rows in bytes. After writing the rows, a format adds
    to ``warnings`` what the coverage should say about them. ``files`` yields, after the rows, the files that they name,
    each to be used before the next; a format that does not ask for them holds none, and the coverage says so."""

    name: str
    fields: tuple[Field, ...]
    batches: Iterator[list[Row]]
    null: str | None = None
    facts: Callable[[], tuple[ColumnFacts, ...]] | None = None
    written: Callable[[RowPlan], Iterator[Chunk | list[Row]] | None] | None = None
    copied: Callable[[NewDatabase, Mapping[str, str]], Copied | None] | None = None
    packed: Callable[[Pack], Iterator[tuple[bytes, int]]] | None = None
    warnings: list[str] = field(default_factory=list)
    files: Callable[[], Iterator[NamedFile]] | None = None


def written_rows(
    table: TableStream, plan: RowPlan, write: Callable[[list[Row]], bytes], saw: Callable[[Chunk], None] | None = None
) -> Iterator[bytes]:
    """Yield the rows of a table as bytes: made by ``write``, or by the plan, which gives the same bytes faster.

    ``saw`` is called with each chunk that the plan has made."""
    found = table.written(plan) if table.written is not None else None
    for rows in table.batches if found is None else found:
        if isinstance(rows, Chunk):
            if saw is not None:
                saw(rows)
            if rows.rows:
                yield rows.written
        else:
            yield write(rows)


def _nothing() -> None:
    """Release nothing."""


@dataclass(frozen=True)
class Dataset:
    """An export before it is encoded, or after it is decoded.

    ``head`` and ``schema`` are known at the start; call ``coverage`` and ``integrity`` after all tables have
    been read. ``attached`` attaches a file with settings (PRAGMAs), to copy tables into it; it returns None where
    that cannot be done. A decoded document is not ``readable`` if only its bytes can be checked, because its values
    were changed for a spreadsheet: then it yields no rows. ``files`` are those that are in a decoded file, and
    ``opened`` opens one: at its end its size and digest are compared, and UnreadableError may be raised.
    ``names_files``: some tables have ``files`` to ask for.

    A decoded dataset is a context manager: its end calls ``release``, which removes what waits in temporary files, also
    where no table was read."""

    head: Mapping[str, Any]
    schema: DocumentSchema
    tables: Iterator[TableStream]
    coverage: Callable[[], Coverage]
    integrity: Callable[[], Announced]
    readable: bool = True
    attached: Callable[[Path, Iterable[str]], NewDatabase | None] | None = None
    files: tuple[PackagedFile, ...] = ()
    opened: Callable[[PackagedFile], IO[bytes]] | None = None
    names_files: bool = False
    release: Callable[[], object] = _nothing

    def __enter__(self) -> Dataset:
        return self

    def __exit__(self, *exc: object) -> None:
        self.release()
