"""sql: a script that creates the tables and their rows in any SQLite from 3.37 on.

Its last line is a comment which says that it is complete, with the SHA-256 of every byte before that line.
``docs/sqlite.md`` describes the format.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from ...database.schema import quote
from ...errors import BrokenExportError, UnreadableError
from ...files.local import local
from ...files.reading_limits import TRUSTING, Limits
from ..dataset import Dataset, TableStream
from ..description.coverage import parsed_coverage
from ..description.integrity import parsed_integrity
from ..description.schema import parsed_schema
from ..document import description, tables_of
from ..registry import Format, Options
from .literals import Literals
from .statements import Blueprint, insertion

_LAST_LINE = re.compile(rb"-- complete; sha256 of every byte before this line: ([0-9a-f]{64})\n")
_DESCRIBED = re.compile(rb"\('([a-z]+)','((?:[^']|'')*)'\)[,;]")
_HOW = "For a new database: sqlite3 -bail new.db < this-file"
_LONGEST_LAST_LINE = 256
_PIECE = 256 * 1024
_LONG = 10_000_000  # characters: above this, each row has its own statement
_LONGEST = 990_000_000  # SQLite reads statements of up to 1,000,000,000 bytes


def encode(dataset: Dataset, options: Options) -> Iterator[bytes]:
    """Yield the script, a batch of rows at a time."""
    hashed = hashlib.sha256()
    rows = 0
    blueprint = Blueprint.of(dataset.schema)
    literals = Literals(blueprint.encoding)
    for text in _beginning(dataset, blueprint):
        hashed.update(chunk := text.encode())
        yield chunk
    for table in blueprint.telling(dataset.tables):
        for count, text in _insertions(table, literals):
            hashed.update(chunk := text.encode())
            yield chunk
            rows += count
    counted = f"-- {rows:,} row{'' if rows == 1 else 's'}\n"
    for text in (*_end(dataset, blueprint, literals), counted):
        hashed.update(chunk := text.encode())
        yield chunk
    yield f"-- complete; sha256 of every byte before this line: {hashed.hexdigest()}\n".encode()


def check_script(path: Path, limits: Limits = TRUSTING) -> str | None:
    """Check a script by its last line; return what is wrong as a sentence, or None. Uses constant memory."""
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(max(0, size - _LONGEST_LAST_LINE))
        tail = file.read()
        start = tail.rfind(b"\n", 0, -1) + 1
        found = _LAST_LINE.fullmatch(tail[start:])
        if found is None:
            return "It does not end in the line that says that it is complete."
        hashed = hashlib.sha256()
        left = size - (len(tail) - start)
        file.seek(0)
        while left:
            piece = file.read(min(left, _PIECE))
            if not piece:
                return "It became shorter while it was read."
            hashed.update(piece)
            left -= len(piece)
            limits.go_on()
    if hashed.hexdigest().encode() != found[1]:
        return "It was changed or damaged: the digest in its last line is of other bytes."
    return None


def decode(file: IO[bytes], limits: Limits) -> Dataset:
    """Return the description of a script that is byte for byte as it was written. Its statements are not run,
    so the dataset yields no rows. Raises UnreadableError."""
    with local(file, limits) as path:
        if not _begins_as_ours(path):
            raise UnreadableError("This file cannot prove itself: it is no SQL script of this program.", "unknown")
        if problem := check_script(path, limits):
            raise UnreadableError(problem, "cut" if "does not end" in problem else "changed")
        told = _description(path, limits)
    try:
        parts = {
            name: description(told[name].encode(), f"The description ({name})", limits)
            for name in ("export", "schema", "coverage", "integrity")
        }
        schema = parsed_schema(parts["schema"])
    except KeyError:
        raise UnreadableError("The script does not describe itself as this program writes it.") from None
    return Dataset(
        head=parts["export"],
        schema=schema,
        tables=(TableStream(name, columns, iter(())) for name, columns in tables_of(schema).items()),
        coverage=lambda: parsed_coverage(parts["coverage"]),
        integrity=lambda: parsed_integrity(parts["integrity"]),
        readable=False,
    )


def _begins_as_ours(path: Path) -> bool:
    """Return whether the second line, as far as it is there, is the one that every script has."""
    with path.open("rb") as file:
        whole = file.readline(_PIECE).endswith(b"\n")
        second = file.readline(_PIECE)
    usual = b"-- " + _HOW.encode() + b"\n"
    return usual.startswith(second.replace(b"\r\n", b"\n")) if whole and second else not whole


def _description(path: Path, limits: Limits) -> dict[str, str]:
    """Return the description: it comes after all other rows, so the last row of each key counts. Skip other lines."""
    found = {}
    most = 2 * limits.description  # because quotes are doubled
    with path.open("rb") as file:
        begins = True
        while line := file.readline(_PIECE):
            if begins and line.startswith(b"('"):
                while not line.endswith(b"\n") and len(line) < most and (more := file.readline(_PIECE)):
                    line += more
                if match := _DESCRIBED.fullmatch(line.removesuffix(b"\n")):
                    found[match[1].decode()] = match[2].decode().replace("''", "'")
            begins = line.endswith(b"\n")
            limits.go_on()
    return found


def _beginning(dataset: Dataset, blueprint: Blueprint) -> Iterator[str]:
    head = dataset.head
    about = (
        f"{head['source']}, {head['scope']}, exported at {head['created_at']} by {head['generator']}",
        _HOW,
        "The last line is there when the script is whole; what it holds, and what not, tells the table "
        + blueprint.description,
    )
    yield "".join("-- " + " ".join(line.split()) + "\n" for line in about)
    yield "\n".join(blueprint.opening) + "\nBEGIN;\n"
    yield from (f"{sql}\n" for sql in blueprint.tables.values())


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
    gives_rows=False,
)
