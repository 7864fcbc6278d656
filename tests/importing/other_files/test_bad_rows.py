"""Bad rows set aside in a file, each with all of its reasons; the others are imported, and the exit status says so."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from datasette_program_export import RefusedError, load
from datasette_program_export.cli.main import program_export
from datasette_program_export.errors import RequestError


@pytest.fixture
def target(tmp_path: Path) -> Path:
    with closing(sqlite3.connect(tmp_path / "target.db")) as connection:
        connection.executescript(
            "CREATE TABLE t(id INTEGER PRIMARY KEY, n INTEGER, name TEXT UNIQUE);"
            "CREATE TABLE u(id INTEGER PRIMARY KEY, t_id INTEGER REFERENCES t)"
        )
    return tmp_path / "target.db"


def ids(path: Path, table: str = "t") -> list[int]:
    with closing(sqlite3.connect(path)) as connection:
        return [id_ for (id_,) in connection.execute(f"SELECT id FROM {table} ORDER BY id")]


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_each_bad_row_has_its_reasons(target: Path, tmp_path: Path) -> None:
    """Whatever is wrong: its number of fields, a type, a key twice, a rule of the table."""
    (tmp_path / "t.csv").write_text("id,n,name\n1,5,a\n2,x,b\n3,7\n4,y,\n1,6,c\n6,8,a\n7,9,d\n")
    aside = tmp_path / "bad.ndjson"
    seen = load(target, tmp_path / "t.csv", skip_bad=aside, preview=True)
    assert not aside.exists() and seen.set_aside == 5
    found = load(target, tmp_path / "t.csv", skip_bad=aside, expect=seen.foreseen)
    assert ids(target) == [1, 7]
    assert (found.set_aside, found.tables["t"].left_out, found.bad_rows_file) == (5, 5, str(aside))
    told = {one["line"]: one for one in lines(aside)}
    assert sorted(told) == [3, 4, 5, 6, 7] and {one["table"] for one in told.values()} == {"t"}
    assert told[4] == {
        "table": "t",
        "line": 4,
        "reasons": ["Line 4 has 2 fields, not 3 as the others."],
        "row": ["3", "7"],
    }
    assert told[3]["row"] == {"id": 2, "n": "x", "name": "b"}
    assert "is no number" in told[3]["reasons"][0] and "must be unique" in told[7]["reasons"][0]
    assert "the same as in line 2" in told[6]["reasons"][0]


def test_rows_of_json_and_lines_that_are_none(target: Path, tmp_path: Path) -> None:
    rows = [{"id": 1, "n": 10**30}, {"id": 2, "n": "x"}, {"id": 3}]
    (tmp_path / "t.json").write_text(json.dumps(rows))
    load(target, tmp_path / "t.json", table="t", skip_bad=tmp_path / "1.ndjson")
    assert ids(target) == [3]
    first, second = lines(tmp_path / "1.ndjson")
    assert first["row"] == {"id": 1, "n": 10**30} and first["row"] == rows[0]
    assert second["row"] == rows[1]
    (tmp_path / "t.ndjson").write_text('{"id":4}\nnot json\n{"id":5,}\n[6]\n{"id":7}\n{"id":8,"n"')
    load(target, tmp_path / "t.ndjson", table="t", skip_bad=tmp_path / "2.ndjson")
    assert ids(target) == [3, 4, 7]
    assert [(one["line"], one["row"]) for one in lines(tmp_path / "2.ndjson")] == [
        (2, "not json"),
        (3, '{"id":5,}'),
        (4, "[6]"),
        (6, '{"id":8,"n"'),
    ]
    with pytest.raises(RefusedError, match="Line 2 is no row"):
        load(target, tmp_path / "t.ndjson", table="t")


def test_a_row_that_refers_to_a_bad_one_is_bad(target: Path, tmp_path: Path) -> None:
    both = {"t": [{"id": 1}, {"id": 2, "n": "x"}], "u": [{"id": 1, "t_id": 1}, {"id": 2, "t_id": 2}]}
    (tmp_path / "f.json").write_text(json.dumps(both))
    load(target, tmp_path / "f.json", skip_bad=tmp_path / "bad.ndjson")
    assert ids(target) == [1] and ids(target, "u") == [1]
    assert [(one["table"], one["row"]["id"]) for one in lines(tmp_path / "bad.ndjson")] == [("t", 2), ("u", 2)]


def test_more_bad_rows_than_are_told(target: Path, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("id,n\n" + "".join(f"{i},{'x' if i % 2 else i}\n" for i in range(1, 201)))
    found = load(target, tmp_path / "t.csv", skip_bad=tmp_path / "bad.ndjson")
    assert found.set_aside == 100 and len(found.left_out) < 30
    assert [one["line"] for one in lines(tmp_path / "bad.ndjson")] == list(range(2, 202, 2))


def test_nothing_is_replaced_and_nothing_is_left_behind(target: Path, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("id,n\n1,x\n2,5\n")
    aside = tmp_path / "bad.ndjson"
    aside.write_text("mine")
    with pytest.raises(RequestError, match="is there already"):
        load(target, tmp_path / "t.csv", skip_bad=aside)
    assert aside.read_text() == "mine"
    for other in (tmp_path / "no folder" / "bad.ndjson", target):
        with pytest.raises((OSError, RequestError)):
            load(target, tmp_path / "t.csv", skip_bad=other)
    assert ids(target) == []
    (tmp_path / "good.csv").write_text("id,n\n3,5\n")
    assert load(target, tmp_path / "good.csv", table="t", skip_bad=tmp_path / "none").bad_rows_file is None
    assert not (tmp_path / "none").exists()
    with pytest.raises(RefusedError, match="Nothing was imported"):
        load(target, tmp_path / "t.csv", skip_bad=tmp_path / "none", expect="0" * 64)
    assert not (tmp_path / "none").exists() and ids(target) == [3]


def test_a_fault_of_the_whole_file_is_no_bad_row(target: Path, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("id,n,nothing\n1,5,a\n")
    with pytest.raises(RefusedError, match="no column nothing"):
        load(target, tmp_path / "t.csv", skip_bad=tmp_path / "bad.ndjson")


def test_the_command_tells_and_ends_with_3(target: Path, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("id,n\n1,x\n2,5\n")
    words = ["import", str(tmp_path / "t.csv"), str(target), "--no-backup", "--skip-bad", str(tmp_path / "bad.ndjson")]
    done = CliRunner().invoke(program_export, words)
    assert done.exit_code == 3
    assert "1 bad, set aside" in done.output and f"1 bad row set aside, in {tmp_path}/bad.ndjson." in done.output
    assert CliRunner().invoke(program_export, [*words[:-1], str(tmp_path / "other")]).exit_code == 3
    (tmp_path / "t.csv").write_text("id,n\n2,5\n")
    assert CliRunner().invoke(program_export, [*words[:-1], str(tmp_path / "third")]).exit_code == 0
