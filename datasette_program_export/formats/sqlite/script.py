"""sql: a script that creates the tables and their rows in any SQLite from 3.37 on.

Its last line is a comment which says that it is complete, with the SHA-256 of every byte before that line.
``docs/sqlite.md`` describes the format. In the layout ``data-only`` it holds only the rows, for a database that has
the tables, and describes itself in comments.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from ...database.schema import quote
from ...errors import BrokenExportError
from ..dataset import Dataset, TableStream
from ..registry import Format, Options
from .literals import Literals
from .script_reading import HOW, HOW_ROWS, LAST_LINE, PARTS, decode
from .statements import Blueprint, insertion

ROWS_ONLY = "data-only"  # the layout with INSERTs only
_LONG = 10_000_000  # characters: above this, each row has its own statement
_LONGEST = 990_000_000  # SQLite reads statements of up to 1,000,000,000 bytes


def encode(dataset: Dataset, options: Options) -> Iterator[bytes]:
    """Yield the script, a batch of rows at a time."""
    hashed = hashlib.sha256()
    rows = 0
    whole = options.request.layout != ROWS_ONLY
    encoding = dataset.schema.database.encoding
    blueprint = Blueprint.of(dataset.schema) if whole else Blueprint(encoding, {}, (), (), "", dataset.schema)
    literals = Literals(encoding)
    for text in _beginning(dataset, blueprint) if whole else _beginning_of_rows(dataset):
        hashed.update(chunk := text.encode())
        yield chunk
    checked = whole  # the encoding of the database, which the script sets itself
    for table in blueprint.telling(dataset.tables):
        for count, text in _insertions(table, literals):
            if not checked and "CAST(X'" in text:
                text, checked = _checking(encoding) + text, True
            hashed.update(chunk := text.encode())
            yield chunk
            rows += count
    counted = f"-- {rows:,} row{'' if rows == 1 else 's'}\n"
    for text in (*(_end(dataset, blueprint, literals) if whole else _end_of_rows(dataset, blueprint)), counted):
        hashed.update(chunk := text.encode())
        yield chunk
    yield f"{LAST_LINE}{hashed.hexdigest()}\n".encode()


def _comment(*lines: str) -> str:
    return "".join("-- " + " ".join(line.split()) + "\n" for line in lines)


def _about(dataset: Dataset) -> str:
    head = dataset.head
    return f"{head['source']}, {head['scope']}, exported at {head['created_at']} by {head['generator']}"


def _beginning(dataset: Dataset, blueprint: Blueprint) -> Iterator[str]:
    told = "The last line is there when the script is whole; what it holds, and what not, tells the table "
    yield _comment(_about(dataset), HOW, told + blueprint.description)
    yield "\n".join(blueprint.opening) + "\nBEGIN;\n"
    yield from (f"{sql}\n" for sql in blueprint.tables.values())


def _beginning_of_rows(dataset: Dataset) -> Iterator[str]:
    told = "The last line is there when the script is whole; what it holds, and what not, tell the lines before it"
    yield _comment(_about(dataset), HOW_ROWS, told)
    yield "BEGIN;\nPRAGMA defer_foreign_keys=ON;\n"


def _checking(encoding: str) -> str:
    """Return statements that fail in a database of another encoding, where bytes would be other texts."""
    name = "temp.program_export_encoding"
    return (
        f"CREATE TABLE {name} (encoding TEXT CHECK (encoding = '{encoding}'));\n"
        f"INSERT INTO {name} SELECT encoding FROM pragma_encoding;\n"
        f"DROP TABLE {name};\n"
    )


def _insertions(table: TableStream, literals: Literals) -> Iterator[tuple[int, str]]:
    kept = [i for i, field in enumerate(table.fields) if not field.generated]
    start = insertion(table.name, [table.fields[i].name for i in kept])
    for rows in filter(None, table.batches):
        if len(kept) < len(table.fields):
            rows = [tuple(row[i] for i in kept) for row in rows]
        text = literals(rows)
        if len(text) <= _LONG:
            yield len(rows), f"{start}{text};\n"
            continue
        for row in rows:
            if 4 * len(text := literals([row])) > _LONGEST and len(text.encode()) > _LONGEST:
                raise BrokenExportError(
                    f"A row of {table.name} is larger than an SQL statement may be. Choose another format: sqlite."
                )
            yield 1, f"{start}{text};\n"


def _end(dataset: Dataset, blueprint: Blueprint, literals: Literals) -> Iterator[str]:
    yield from (f"{sql}\n" for sql in (*blueprint.objects, *blueprint.closing))
    described = list(blueprint.described_as("sql", dataset, dataset.integrity()))
    yield f"CREATE TABLE {quote(blueprint.description)} (key TEXT PRIMARY KEY, value);\n"
    yield f"{insertion(blueprint.description, ['key', 'value'])}{literals(described)};\n"
    yield "COMMIT;\nPRAGMA ignore_check_constraints=OFF;\n"


def _end_of_rows(dataset: Dataset, blueprint: Blueprint) -> Iterator[str]:
    yield "COMMIT;\n"
    told = dict(blueprint.described_as("sql", dataset, dataset.integrity()))
    yield from (f"-- {name} {told[name]}\n" for name in PARTS)


FORMAT = Format(
    name="sql",
    help="A script of SQL statements that makes the tables anew in any SQLite; a person can read it.",
    extension="sql",
    media_type="application/sql",
    lossless=True,
    makes_database=True,
    self_verifying=True,
    encode=encode,
    decode=decode,
    good_for="reading it by eye, and loading it into another SQLite database",
    beginnings=(b"-- ",),
    layouts=("rows", ROWS_ONLY),
)
