"""Databases like those of well-known applications go out in every format, verify, prove, and come back three ways."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from datasette_program_export import Request, export, load, prove, verify
from datasette_program_export.formats.registry import NAMES, get_format
from tests.support.databases.applications import APPLICATIONS
from tests.support.databases.house import made, rows
from tests.support.runs.thorough import some

COMPLETE = ("programjson", "ndjson", "package", "sqlite")  # these hold whole databases, and are read back
NOT_ROWS = ("INSERT", "DELETE", "UPDATE")


def held(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    """The rows of every table that keeps rows of its own, with their storage classes."""
    with closing(sqlite3.connect(path)) as connection:
        found = (
            "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name NOT GLOB 'sqlite_*'"
        )
        names = [name for (name,) in connection.execute(found) if name != "program_export"]
        tables = {}
        for name in sorted(names):
            columns = [column[1] for column in connection.execute(f'PRAGMA table_info("{name}")')]
            told = ", ".join(f'"{c}", typeof("{c}")' for c in columns[:40] + columns[-1:])
            tables[name] = sorted(connection.execute(f'SELECT {told} FROM "{name}"').fetchall(), key=repr)
        return tables


@pytest.mark.parametrize("form", some(COMPLETE, 3))
@pytest.mark.parametrize("name", APPLICATIONS)
def test_it_comes_back_into_itself_an_empty_one_and_a_new_file(name: str, form: str, tmp_path: Path) -> None:
    statements = APPLICATIONS[name]
    source = made(tmp_path / "app.db", *statements)
    before = held(source)
    layout = get_format(form).proving_layout or "rows"
    file = tmp_path / f"whole.{get_format(form).extension}"
    file.write_bytes(b"".join(export(source, Request(format=form, layout=layout))))
    assert verify(file).status == "complete"
    assert prove(file).proven
    itself = load(source, file, backup=False)
    assert itself.total("insert") == itself.total("update") == 0 and held(source) == before
    empty = made(tmp_path / "empty.db", *(s for s in statements if not s.startswith(NOT_ROWS)))
    load(empty, file, backup=False)
    assert held(empty) == before
    load(tmp_path / "new.db", file)
    assert held(tmp_path / "new.db") == before
    for path in (source, empty, tmp_path / "new.db"):
        assert rows(path, "PRAGMA integrity_check") == [("ok",)] and rows(path, "PRAGMA foreign_key_check") == []
    if name == "Datasette with a search":
        for path in (source, empty, tmp_path / "new.db"):
            assert rows(path, "SELECT rowid FROM docs_fts WHERE docs_fts MATCH 'gamma'") == [(3,)]
    if name == "GeoPackage":
        for path in (empty, tmp_path / "new.db"):
            assert rows(path, "SELECT id FROM rtree_roads_geom ORDER BY id") == [(1,), (2,)]


@pytest.mark.parametrize("name", APPLICATIONS)
def test_it_goes_out_in_every_format(name: str, tmp_path: Path) -> None:
    source = made(tmp_path / "app.db", *APPLICATIONS[name])
    for form in NAMES:
        request = Request(format=form)
        with export(source, request) as chunks:
            file = tmp_path / "out"
            file.write_bytes(b"".join(chunks))
        assert file.stat().st_size > 0
        if get_format(form).self_verifying and form != "ndjson":
            assert verify(file).status == "complete", form
