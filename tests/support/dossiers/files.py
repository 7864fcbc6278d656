"""A database whose rows name files: pictures, a document, hostile names, one that is missing; and its dossier."""

from __future__ import annotations

import base64
from contextlib import closing
from pathlib import Path
from typing import Any

from datasette_program_export import Request, Settings, export
from tests.support.databases.building import database

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
PDF = b"%PDF-1.7\n" + bytes(range(256)) * 40
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="window.hit=1"><script>window.hit=1</script></svg>'
HOSTILE = (
    "\"'><img src=x onerror=window.hit=1>.txt",
    "</script><script>window.hit=1<",  # the last of a path is split at the slash: a folder, too
    "photo\u202egpj.exe",
    "a b&amp;#x3c;c.txt",
    "ü/" + "n" * 240 + ".txt",
    "/".join(["d" * 60] * 5) + "/" + "x" * 40,  # 345 characters
)
SCHEMA = (
    "CREATE TABLE clients (id INTEGER PRIMARY KEY, name TEXT, photo TEXT)",
    "CREATE TABLE letters (id INTEGER PRIMARY KEY, client_id INTEGER REFERENCES clients, title TEXT, path TEXT)",
    "INSERT INTO clients VALUES (1, 'Anna Groß', 'anna/portrait.png'), (2, 'Canary', 'canary.png')",
    "INSERT INTO letters VALUES (1, 1, 'A letter', 'letter.pdf'), (2, 1, 'Again', './letter.pdf'),"
    " (3, 1, 'Drawn', 'drawing.svg'), (4, 1, 'Lost', 'lost.pdf'), (5, 1, 'Outside', '../a.db'), (6, 2, 'X', 'x.txt'),"
    " (7, 1, 'Nothing in it', 'empty.txt'), (8, 1, 'No file', NULL), (9, 1, 'A lie', 'lie.png')",
)
FILES = {
    "anna/portrait.png": PNG, "canary.png": b"\x89PNG canary", "letter.pdf": PDF, "drawing.svg": SVG,
    "x.txt": b"canary", "empty.txt": b"", "lie.png": b"<html><script>window.hit=1</script></html>",
}  # fmt: skip


class Case:
    """The database at ``path``, its files below ``root``, and the ``settings`` that say so."""

    def __init__(self, folder: Path, hostile: bool = False) -> None:
        self.path, self.root = folder / "a.db", folder / "root"
        with closing(database(self.path, *SCHEMA)) as connection:
            for number, name in enumerate(HOSTILE if hostile else (), 100):
                connection.execute("INSERT INTO letters VALUES (?, 1, ?, ?)", (number, f"Hostile {number}", name))
                self.put(name, name.encode())
            connection.commit()
        for name, content in FILES.items():
            self.put(name, content)
        self.settings = Settings(
            files={"clients.photo": str(self.root), "letters.path": str(self.root)}, persons=["clients"]
        )

    def put(self, name: str, content: bytes) -> None:
        """Write a file below the folder."""
        place = self.root / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)

    def export(self, **request: Any) -> bytes:
        """Return the dossier of the first client; ``coverage`` is what it says of itself."""
        asked: dict[str, Any] = {"format": "dossier", "table": "clients", "records": (("1",),), **request}
        with export(self.path, Request(**asked), settings=self.settings) as made:
            content = b"".join(made)
        self.coverage = made.coverage
        return content


def big(path: Path, rows: int, size: int) -> Path:
    """A database of one table with so many rows, each with a text of that size."""
    with closing(database(path, "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)")) as connection:
        connection.execute(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) "
            f"INSERT INTO t (v) SELECT printf('%.*c', {size}, 'x') FROM n",
            (rows,),
        )
        connection.commit()
    return path
