"""What formats write and read: tables as streams of rows, read once, in order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from .column_facts import ColumnFacts
from .description.coverage import Coverage
from .description.integrity import Announced
from .description.schema import DocumentSchema

# text that is not valid UTF-8 is a str with surrogates (PEP 383)
Value = int | float | str | bytes | None
Row = tuple[Value, ...]


@dataclass(frozen=True)
class Field:
    """A column as it is written: its name is unique in its table.

    ``holds_json``: its texts are to be embedded where they are JSON. ``generated``: SQLite
    computes it, so it is not loaded again, and no part of the digest."""

    name: str
    type: str
    holds_json: bool = False
    generated: bool = False


@dataclass(frozen=True)
class TableStream:
    """One table's rows, in lists; ``batches`` is a single pass, to be used up before the next table.

    ``null`` is how NULL is to be written where a single column has to say it.
    ``facts``, asked for before the first row, looks at all of them first. What
    a format has to say of the rows when it has written them, it adds to ``warnings``: the export's
    coverage tells it."""

    name: str
    fields: tuple[Field, ...]
    batches: Iterator[list[Row]]
    null: str | None = None
    facts: Callable[[], tuple[ColumnFacts, ...]] | None = None
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Dataset:
    """An export before it is bytes.

    ``head`` and ``schema`` are known at the start; ``coverage`` and ``integrity`` are asked
    for when all tables have been read. A document that was read back is not ``readable`` when
    only its bytes can be checked, as its values were changed for a spreadsheet: it gives no rows."""

    head: Mapping[str, Any]
    schema: DocumentSchema
    tables: Iterator[TableStream]
    coverage: Callable[[], Coverage]
    integrity: Callable[[], Announced]
    readable: bool = True
