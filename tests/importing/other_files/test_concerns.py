"""A choice that says nothing of the file at hand is refused in a sentence, and never passed over."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from datasette_program_export import ImportService, RefusedError, load
from datasette_program_export.cli.main import program_export
from datasette_program_export.errors import RequestError
from tests.support.databases.house import exported, rows

FILES = {
    "t.csv": "a,b\n1,2\n",
    "t.json": '[{"a": 1, "b": 2}]',
    "t.ndjson": '{"a": 1, "b": 2}\n{"a": 3, "b": 4}\n',
}


@pytest.fixture
def target(tmp_path: Path) -> Path:
    with closing(sqlite3.connect(tmp_path / "target.db")) as connection:
        connection.executescript("CREATE TABLE t (a INTEGER PRIMARY KEY, b); CREATE TABLE other (a)")
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    return tmp_path / "target.db"


@pytest.mark.parametrize(
    ("name", "choice", "words"),
    [
        ("t.json", {"delimiter": ";"}, "is JSON, and the argument delimiter is only for CSV"),
        ("t.ndjson", {"header": True}, "JSON with a row a line, and the argument header is only for CSV"),
        ("t.json", {"skip_lines": 1}, "the argument skip_lines is only for CSV"),
        ("t.json", {"decimal": "comma"}, "the argument decimal is only for CSV"),
        ("t.ndjson", {"dates": "text"}, "the argument dates is only for CSV"),
        ("t.json", {"cells": {"a": "hex"}}, "of the argument cells, only COLUMN=number is for it"),
        ("t.csv", {"nan": "null"}, "is CSV, and the argument nan is only for JSON"),
        ("t.csv", {"rows_at": "x"}, "the argument rows_at is only for JSON that is one document"),
        ("t.ndjson", {"rows_at": "x"}, "the argument rows_at is only for JSON that is one document"),
        ("t.csv", {"pk": "a"}, "nothing that the argument pk could be about"),
        ("t.json", {"types": {"a": "TEXT"}}, "nothing that the argument types could be about"),
        ("t.ndjson", {"pk": "a"}, "nothing that the argument pk could be about"),
        ("t.csv", {"pk": "a", "create": True}, "nothing that the argument pk could be about"),
        ("t.csv", {"pk": "b", "alter": True, "map": {"b": "c"}}, "b is no column that is made here"),
    ],
)
def test_for_plain_rows(target: Path, name: str, choice: dict[str, Any], words: str) -> None:
    with pytest.raises(RequestError, match=words):
        load(target, target.with_name(name), table="t", preview=True, **choice)


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        (
            {"delimiter": ";"},
            "which says itself how it is read, and the argument delimiter",
        ),
        ({"encoding": "utf-8"}, "the argument encoding"),
        ({"pk": "a"}, "the argument pk"),
        ({"table": "a"}, "which tables its rows go into: leave out the argument table"),
        ({"create": True}, "brings its own tables along: the argument create is only for plain rows.*a new database"),
    ],
)
def test_for_a_document_of_our_own(house: Path, choice: dict[str, Any], words: str) -> None:
    with pytest.raises(RequestError, match=words):
        load(house, exported(house), preview=True, **choice)


def test_one_table_of_a_document_is_still_taken_by_the_service(house: Path) -> None:
    found = ImportService(house).import_table("log", exported(house).read_bytes(), dry_run=True)
    assert found.validation_result.valid and set(found.table_previews) == {"log"}
    whole = exported(house).read_bytes()
    assert not ImportService(house).import_table("nowhere", whole, dry_run=True).validation_result.valid


def test_the_command_says_it_in_its_own_words(target: Path) -> None:
    ran = CliRunner().invoke(
        program_export, ["import", str(target.with_name("t.json")), str(target), "--delimiter", ";"]
    )
    assert ran.exit_code == 2 and "--delimiter is only for CSV: leave it out" in ran.output
    for words, told in (
        (["--type", "id=VARCHAR"], "--type id=VARCHAR: VARCHAR is none of INTEGER, REAL, TEXT, BLOB"),
        (["--cells", "a=1", "--cells", "a=2"], "--cells a=1: 1 is none of text"),
        (["--map", "a=x", "--map", "a=y"], "--map names a twice, with x and y"),
    ):
        ran = CliRunner().invoke(program_export, ["import", str(target.with_name("t.csv")), str(target), *words])
        assert ran.exit_code == 2 and told in ran.output


def test_what_comes_through_a_pipe_has_no_name_for_a_new_table(target: Path) -> None:
    new = target.with_name("new.db")
    ran = CliRunner().invoke(program_export, ["import", "-", str(new), "--create"], input=FILES["t.csv"])
    assert ran.exit_code == 2 and "give --table" in ran.output and not new.exists()
    ran = CliRunner().invoke(
        program_export, ["import", "-", str(new), "--create", "--table", "x"], input=FILES["t.csv"]
    )
    assert ran.exit_code == 0 and rows(new, "SELECT * FROM x") == [(1, 2)]


@pytest.mark.parametrize("text", ["[]", '{"people": []}'])
def test_of_no_rows_no_table_is_made(target: Path, text: str) -> None:
    file = target.with_name("people.json")
    file.write_text(text)
    with pytest.raises(RefusedError, match="no rows, so it is not known which columns a new table would have"):
        load(target, file, create=True)
    file.write_text('{"t": []}')
    assert load(target, file, create=True).ok


def test_two_columns_for_one_are_named(target: Path) -> None:
    with pytest.raises(RequestError, match="map stores a and b of the file in one column, x"):
        load(target, target.with_name("t.csv"), map={"a": "x", "b": "x"})
    load(target, target.with_name("t.csv"), map={"t.a": "a", "other.b": "a"}, preview=True)
    for name in ("t.csv", "t.json"):
        with pytest.raises(RefusedError, match="a of the file is stored in b of t, as was asked, so the file's own b"):
            load(target, target.with_name(name), table="t", map={"a": "b"})
    document = target.with_name("d.json")
    document.write_text(json.dumps({"t": [{"a": 5, "b": 1}]}))
    assert load(target, document, preview=True).ok


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        ({"types": {"id": "VARCHAR"}}, "types.id: 'INTEGER', 'REAL', 'TEXT' or 'BLOB' is needed"),
        ({"nix": 1}, "there is no choice nix"),
        ({"match": "c.email"}, "match: a list is needed"),
        ({"skip_lines": "x"}, "skip_lines: a whole number is needed"),
        ({"skip_lines": -1}, "skip_lines: 0 or more is needed"),
        ({"cells": 3}, "cells: names with their values"),
        ({"rows_at": ""}, "rows_at: must not be empty"),
        ({"expect": "x"}, "expect: has not the form"),
        ({"table": 3}, "table: a text is needed"),
    ],
)
def test_wrong_values_are_told_in_our_words(target: Path, choice: dict[str, Any], words: str) -> None:
    with pytest.raises(RequestError, match=words) as raised:
        load(target, target.with_name("t.csv"), **choice)
    assert "Input should" not in str(raised.value)
