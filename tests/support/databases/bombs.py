"""Files that are made to fill the memory of whoever reads them: small to send, large to read. Made on the fly."""

from __future__ import annotations

import bz2
import gzip
import io
import sqlite3
import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import zstandard

from datasette_program_export.database.source import Source
from datasette_program_export.exporting.exporter import Export
from datasette_program_export.options.request import Request
from tests.support.databases.building import database

MB = 1_000_000


def document(folder: Path, kind: str, **options: object) -> bytes:
    """An ordinary export of one row, to be changed."""
    path = folder / f"small-{kind}.db"
    if not path.exists():
        database(path, "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT)", "INSERT INTO t VALUES (1, 'MARK')").close()
    with Export(Source.of(path), Request(tables=("t",), format=kind, **options)) as export:
        return b"".join(export)


def zeros(size: int, piece: bytes = b"a" * MB) -> Iterator[bytes]:
    """So many bytes, repeated."""
    yield from [piece] * (size // len(piece))


def in_gzip(pieces: Iterable[bytes]) -> bytes:
    made = io.BytesIO()
    with gzip.GzipFile(fileobj=made, mode="wb", compresslevel=1) as file:
        for piece in pieces:
            file.write(piece)
    return made.getvalue()


def in_bzip2(pieces: Iterable[bytes]) -> bytes:
    packer = bz2.BZ2Compressor(1)
    return b"".join([*map(packer.compress, pieces), packer.flush()])


def in_zstd(pieces: Iterable[bytes], window: int = 20) -> bytes:
    parameters = zstandard.ZstdCompressionParameters.from_level(1, window_log=window)
    packer = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    return b"".join([*map(packer.compress, pieces), packer.flush()])


def around(whole: bytes, pieces: Iterable[bytes], mark: bytes = b"MARK") -> Iterator[bytes]:
    """A document in which something else stands in place of its value."""
    before, after = whole.split(mark, 1)
    yield before
    yield from pieces
    yield after


def packed(folder: Path, pieces: Iterable[bytes], members: str = "csv", name: str | None = None) -> bytes:
    """A package in which one file's value is another."""
    whole, made = zipfile.ZipFile(io.BytesIO(document(folder, "package", members=members))), io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for info in whole.infolist():
            with archive.open(info.filename, "w", force_zip64=True) as file:
                data = whole.read(info)
                if info.filename == (name or f"data/t.{members}"):
                    mark = b"MARK" if name is None else b'"profile"'
                    for piece in around(data, pieces, mark):
                        file.write(piece)
                else:
                    file.write(data)
    return made.getvalue()


def many_names(count: int) -> bytes:
    """A zip of very many empty files."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for number in range(count):
            archive.writestr(f"{number:x}", b"")
    return made.getvalue()


def sqlite_file(folder: Path, sql: str, *values: object) -> bytes:
    """A SQLite file of ours to which something was done."""
    path = folder / "changed.db"
    path.write_bytes(document(folder, "sqlite"))
    connection = sqlite3.connect(path)
    connection.execute(sql, values)
    connection.commit()
    connection.close()
    return path.read_bytes()


def many_tables(folder: Path, count: int) -> bytes:
    path = folder / "tables.db"
    path.unlink(missing_ok=True)
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA synchronous=OFF")
    connection.execute("BEGIN")
    for number in range(count):
        connection.execute(f"CREATE TABLE t{number} ({', '.join(f'c{i}' for i in range(500))})")
    connection.commit()
    connection.close()
    return path.read_bytes()


# What verify reads. Each gives the bytes of a file of about ``size`` bytes when it is unpacked
BOMBS: dict[str, Callable[[Path, int], bytes]] = {
    "an endless line in gzip": lambda f, n: in_gzip([b'{"format":"programjson",\n', *zeros(n)]),
    "an endless line in bzip2": lambda f, n: in_bzip2([b'{"format":"programjson",\n', *zeros(min(n, 300 * MB))]),
    "an endless line in zstd": lambda f, n: in_zstd([b'{"format":"programjson",\n', *zeros(n)]),
    "a window of zstd": lambda f, n: in_zstd(around(document(f, "programjson"), zeros(n)), 27),
    "a cell of programjson": lambda f, n: in_gzip(around(document(f, "programjson"), zeros(n))),
    "a cell of pretty": lambda f, n: in_gzip(around(document(f, "programjson", layout="pretty"), zeros(n))),
    "a cell of ndjson": lambda f, n: in_gzip(around(document(f, "ndjson", layout="envelope"), zeros(n))),
    "lists in a cell": lambda f, n: in_gzip(
        around(document(f, "programjson"), [b"[[],", *zeros(50 * MB, b"[]," * 300), b"[]]"], b'"MARK"')
    ),
    "keys in a row": lambda f, n: in_gzip(around(document(f, "programjson"), zeros(50 * MB, b'","a":"' * 100))),
    "lines in a row": lambda f, n: in_gzip(
        around(document(f, "programjson", layout="pretty"), zeros(50 * MB, b"\n" * MB), b'"MARK"')
    ),
    "a wide text": lambda f, n: in_gzip(around(document(f, "programjson"), [*zeros(55 * MB), "😀".encode()])),
    "an escaped wide text": lambda f, n: in_gzip(
        around(document(f, "programjson"), [*zeros(55 * MB), b"\\ud83d\\ude00"])
    ),
    "a head of parts": lambda f, n: in_gzip(
        around(document(f, "programjson"), [b'"x":[{}', *zeros(14 * MB, b",{}" * 1000), b'],"source"'], b'"source"')
    ),
    "an endless head": lambda f, n: in_gzip(
        around(document(f, "programjson"), zeros(n, b" " * 999 + b"\n"), b'"export"')
    ),
    "an end of parts": lambda f, n: in_gzip(
        around(document(f, "programjson"), [b'"x":[{}', *zeros(14 * MB, b",{}" * 1000), b'],"rows"'], b'"rows"')
    ),
    "an endless end": lambda f, n: in_gzip([document(f, "programjson")[:-3], *zeros(n, b" " * MB)]),
    "a field of csv": lambda f, n: packed(f, zeros(n)),
    "a field in quotes": lambda f, n: packed(f, [b'"', *zeros(n, b'a""\n' * 1000)]),
    "fields in a record": lambda f, n: packed(f, zeros(50 * MB, b"," * MB)),
    "a line of a member": lambda f, n: packed(f, zeros(n), "ndjson"),
    "a description in a package": lambda f, n: packed(
        f, [b'"x":"', *zeros(n), b'","profile"'], name="datapackage.json"
    ),
    "names in a zip": lambda f, n: many_names(60_000),
    "a cell of sqlite": lambda f, n: in_gzip([sqlite_file(f, "UPDATE t SET a = zeroblob(?)", min(n, 900 * MB))]),
    "rows of sqlite": lambda f, n: in_gzip(
        [sqlite_file(f, "INSERT INTO t SELECT value, zeroblob(30000000) FROM json_each('[2,3,4,5,6,7,8,9,10,11]')")]
    ),
    "a text of sqlite": lambda f, n: in_gzip([sqlite_file(f, "UPDATE t SET a = ?", "a" * 55 * MB + "😀")]),
    "a description in sqlite": lambda f, n: in_gzip(
        [sqlite_file(f, "UPDATE program_export SET value = ? WHERE key = 'coverage'", "[" * 50 * MB)]
    ),
    "tables in sqlite": lambda f, n: in_gzip([many_tables(f, 6000)]),
    "a line of sql": lambda f, n: in_gzip(around(document(f, "sql"), zeros(n))),
}


MOST = 256  # MB above an idle process
