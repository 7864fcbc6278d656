"""Files to verify and import: made, changed, sealed again."""

from __future__ import annotations

import hashlib
import io
import json
import sqlite3
import zipfile
from contextlib import closing
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from datasette_program_export import Request, export
from datasette_program_export.formats.registry import NAMES
from tests.support.databases.building import database
from tests.support.databases.house import exported

MOMENT = datetime(2026, 11, 24, 4, 5, 6, tzinfo=timezone.utc)


HOUSE = (
    "CREATE TABLE p (id INTEGER PRIMARY KEY, name TEXT)",
    "CREATE TABLE c (id INTEGER PRIMARY KEY, p REFERENCES p, note TEXT, j JSON, b, g AS (id * 2))",
    "INSERT INTO p VALUES (1, 'a;b'), (2, NULL)",
    """INSERT INTO c VALUES (10, 1, 'x', '{"a" : [1, 2.50]}', X'00ff'), (11, 1, '', NULL, 9e999),
       (12, 7, NULL, '[', -0.0)""",
)


# every way to write a file that proves itself
WAYS: dict[str, dict[str, Any]] = {
    "programjson": {},
    "programjson pretty": {"layout": "pretty"},
    "ndjson": {"format": "ndjson", "layout": "envelope"},
    "package": {"format": "package"},
    "package of ndjson": {"format": "package", "members": "ndjson"},
    "package of tsv": {"format": "package", "members": "tsv"},
    "package of parquet": {"format": "package", "members": "parquet"},
    **{name: {"format": name} for name in ("sqlite", "sql", "dossier", "xml", "yaml") if name in NAMES},
    "sql data-only": {"format": "sql", "layout": "data-only"},
}


def made(*statements: str, **request: Any) -> bytes:
    with closing(database(None, *statements)) as connection:
        return b"".join(export(connection, Request(**request), created_at=MOMENT))


def changed(content: bytes, change: Any) -> bytes:
    """A package with other files in it, packed anew, as one would who wants to deceive."""
    archive = zipfile.ZipFile(io.BytesIO(content))
    files = {name: archive.read(name) for name in archive.namelist()}
    change(files)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name, data in files.items():
            new.writestr(name, data)
    return out.getvalue()


def state(path: Path) -> list[str]:
    """All that a database holds, as SQL, and its numbers."""
    with closing(sqlite3.connect(path)) as connection:
        numbers = [str(connection.execute(f"PRAGMA {p}").fetchone()) for p in ("user_version", "application_id")]
        return [*connection.iterdump(), *numbers]


def digests(path: Path) -> tuple[str, str]:
    """Of the file, and of the -wal beside it."""
    files = (path, path.with_name(path.name + "-wal"))
    one, other = (hashlib.sha256(f.read_bytes() if f.exists() else b"").hexdigest() for f in files)
    return one, other


def resealed(text: str) -> str:
    """A programjson document that was changed, with the digest of all its bytes made to fit."""
    body, end = text.split('"integrity":', 1)
    facts = json.loads(end.strip()[:-1])
    facts["document"] = hashlib.sha256(body.encode()).hexdigest()
    return body + '"integrity":' + json.dumps(facts, separators=(",", ":"), ensure_ascii=False) + "}\n"


def described_anew(source: Path, change: Any) -> Path:
    """As a newer SQLite, or one with functions of its application, would have written it."""
    file = exported(source)
    compact: dict[str, Any] = {"separators": (",", ":"), "ensure_ascii": False}
    text = file.read_text()
    schema = json.loads(text)["schema"]
    before = json.dumps(schema, **compact)
    assert before in text
    change(schema)
    file.write_text(resealed(text.replace(before, json.dumps(schema, **compact))))
    return file
