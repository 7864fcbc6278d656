"""R-Trees and full-text tables stay what they are in a new database, and search indexes are made again."""

from __future__ import annotations

import json
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from datasette_program_export import RefusedError, Request, export, load, prove, verify
from datasette_program_export.errors import UnreadableError
from datasette_program_export.formats.sqlite.reading import decode
from tests.support.databases.house import exported, made, rows
from tests.support.files.changing import described_anew

DATABASE = [
    "CREATE TABLE docs (id INTEGER PRIMARY KEY, v TEXT, password TEXT)",
    "CREATE VIEW named AS SELECT id, v FROM docs",
    "CREATE VIRTUAL TABLE box USING rtree(id, low, high)",
    "CREATE VIRTUAL TABLE words USING fts5(v, tokenize='porter')",
    "CREATE VIRTUAL TABLE old USING fts3(v)",
    "CREATE VIRTUAL TABLE found USING fts5(v, content='docs', content_rowid='id')",
    "CREATE VIRTUAL TABLE seen USING fts4(v, content='docs')",
    "CREATE TRIGGER i AFTER INSERT ON docs BEGIN INSERT INTO box VALUES (new.id, new.id, new.id); "
    "INSERT INTO words (rowid, v) VALUES (new.id, new.v); INSERT INTO found (rowid, v) VALUES (new.id, new.v); END",
    "INSERT INTO docs VALUES (3, 'alpha', NULL), (40, 'betas', NULL)",
    "INSERT INTO old (docid, v) VALUES (40, 'betas')",
    "INSERT INTO seen (seen) VALUES ('rebuild')",
]
FOUND = {
    "words MATCH 'beta'": (40,),
    "old MATCH 'betas'": (40,),
    "found MATCH 'alpha'": (3,),
    "box WHERE low > 3": (40,),
}


def as_it_was(path: Path) -> None:
    """Search, the spatial index and the triggers of a database work as those of DATABASE."""
    for words, row in FOUND.items():
        table = words.partition(" ")[0]
        where = words.partition("WHERE ")[2] or words
        assert rows(path, f"SELECT rowid FROM {table} WHERE {where}") == [row], words
    kinds = "SELECT name FROM sqlite_master WHERE sql LIKE 'CREATE VIRTUAL%' ORDER BY name"
    assert rows(path, kinds) == [("box",), ("found",), ("old",), ("seen",), ("words",)]
    made(path, "INSERT INTO docs (id, v) VALUES (50, 'gamma')", "INSERT INTO found (found) VALUES ('integrity-check')")
    assert rows(path, "SELECT rowid FROM words WHERE words MATCH 'gamma'") == [(50,)]
    assert rows(path, "SELECT rtreecheck('box')") == [("ok",)]
    assert rows(path, "PRAGMA integrity_check") == [("ok",)]


@pytest.mark.parametrize("form", ["programjson", "ndjson", "package", "sqlite"])
def test_a_new_database_searches_as_the_old_one(form: str, tmp_path: Path) -> None:
    source = made(tmp_path / "s.db", *DATABASE)
    file = tmp_path / f"file.{form}"
    layout = "envelope" if form == "ndjson" else "rows"
    file.write_bytes(b"".join(export(source, Request(format=form, layout=layout, secrets="include"))))
    proof = prove(file)
    assert proof.proven, proof.problems
    load(tmp_path / "new.db", file)
    as_it_was(tmp_path / "new.db")


def test_a_database_file_and_a_script_search_as_the_old_one(tmp_path: Path) -> None:
    source = made(tmp_path / "s.db", *DATABASE)
    for form in ("sqlite", "sql"):
        (tmp_path / form).write_bytes(b"".join(export(source, Request(format=form, secrets="include"))))
        assert verify(tmp_path / form).status == "complete"
    with closing(sqlite3.connect(tmp_path / "script.db")) as connection:
        connection.executescript((tmp_path / "sql").read_text())
    as_it_was(tmp_path / "script.db")
    as_it_was(tmp_path / "sqlite")


def test_rows_of_a_full_text_table_keep_their_numbers(tmp_path: Path) -> None:
    file = exported(made(tmp_path / "s.db", *DATABASE))
    document = json.loads(file.read_text())
    assert document["tables"]["old"] == [{"rowid": 40, "v": "betas"}]
    target = made(tmp_path / "t.db", *[sql for sql in DATABASE if sql.startswith("CREATE")])
    load(target, file)
    assert rows(target, "SELECT rowid, v FROM words") == [(3, "alpha"), (40, "betas")]
    assert load(target, file).tables["words"].unchanged == 2


def test_an_index_of_what_is_left_out_is_not_made(tmp_path: Path) -> None:
    found = "CREATE VIRTUAL TABLE found USING fts5(v, password, content='docs', content_rowid='id')"
    statements = [sql for sql in DATABASE if "found" not in sql]
    source = made(tmp_path / "s.db", *statements[:5], found)
    schema = json.loads(exported(source).read_text())["schema"]  # the password is left out as secret
    assert "found" not in {o["name"] for o in schema["objects"]}
    schema = json.loads(exported(source, secrets="include", without=("docs.v",)).read_text())["schema"]
    assert "found" not in {o["name"] for o in schema["objects"]}
    assert ("virtual", "found") in {(n["type"], n.get("name")) for n in schema["not_carried"]}
    schema = json.loads(exported(source, secrets="include", without=("docs",)).read_text())["schema"]
    assert "found" not in {o["name"] for o in schema["objects"]}


HARM = [
    ("CREATE VIRTUAL TABLE words USING csv(filename='/etc/passwd')", "does more"),
    ("CREATE VIRTUAL TABLE words USING dbstat(main)", "does more"),
    ("CREATE VIRTUAL TABLE other USING fts5(v)", "does more"),
    ("CREATE VIRTUAL TABLE temp.words USING fts5(v)", "does more"),
    ("CREATE VIRTUAL TABLE words USING fts5(v); DROP TABLE docs", "does more"),
]


@pytest.mark.parametrize(("sql", "words"), HARM, ids=[sql for sql, _ in HARM])
def test_virtual_tables_of_a_file_can_do_no_harm(sql: str, words: str, tmp_path: Path) -> None:
    def change(schema: Any) -> None:
        schema["tables"]["words"]["sql"] = sql

    file = described_anew(made(tmp_path / "s.db", *DATABASE[:4]), change)
    with pytest.raises(RefusedError, match=words):
        load(tmp_path / "new.db", file)
    assert not (tmp_path / "new.db").exists()


def test_a_virtual_table_of_a_file_that_shows_others_is_not_read(tmp_path: Path) -> None:
    source = made(tmp_path / "s.db", *DATABASE[:4])
    file = tmp_path / "file.db"
    file.write_bytes(b"".join(export(source, Request(format="sqlite"))))
    made(
        file, "DROP TABLE words", "CREATE VIRTUAL TABLE words USING fts5(v, content='sqlite_master')", journal="delete"
    )
    with pytest.raises(UnreadableError, match="words is no table in it"):
        decode(file)


def test_the_shell_of_sqlite_runs_the_script(tmp_path: Path) -> None:
    source = made(tmp_path / "s.db", *DATABASE)
    script = b"".join(export(source, Request(format="sql", secrets="include")))
    try:
        subprocess.run(["sqlite3", "-bail", str(tmp_path / "new.db")], input=script, check=True)
    except FileNotFoundError:
        pytest.skip("there is no sqlite3 here")
    as_it_was(tmp_path / "new.db")
