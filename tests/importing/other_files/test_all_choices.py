"""Every choice for plain rows works with every other: how a file is read, what is made for it, and its bad rows."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from datasette_program_export import ImportService, RefusedError, load
from datasette_program_export.errors import RequestError

REPORT = (
    "Sales\nof May;;;\n\nId;Amount;Flag;Code;\n1;1.234,56;yes;0a0b;\n2;7,5;no;ff;\n3;x;yes;00;\n4;1,0;yes;00;lost\n"
)
CHOICES: dict[str, Any] = {
    "decimal": "comma",
    "cells": {"Amount": "number", "Flag": "boolean", "Code": "hex"},
    "map": {"Amount": "price"},
    "pk": "id",
}


def rows(path: Path, sql: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(sql).fetchall()


@pytest.fixture
def report(tmp_path: Path) -> Path:
    (tmp_path / "sales.csv").write_text(REPORT)
    return tmp_path / "sales.csv"


def test_a_report_of_another_program_into_a_new_table(report: Path, tmp_path: Path) -> None:
    """Titles above, a decimal comma, kinds of cells, another name, a column without a name, bad rows set aside."""
    new, aside = tmp_path / "new.db", tmp_path / "bad.ndjson"
    found = load(new, report, create=True, skip_bad=aside, **CHOICES)
    assert found.tables["sales"].new_columns == {"Id": "INTEGER", "price": "REAL", "Flag": "INTEGER", "Code": "BLOB"}
    assert rows(new, "SELECT * FROM sales") == [(1, 1234.56, 1, b"\n\x0b"), (2, 7.5, 0, b"\xff")]
    told = [(one["line"], one["row"]) for one in map(json.loads, aside.read_text().splitlines())]
    assert told == [(7, ["3", "x", "yes", "00", ""]), (8, ["4", "1,0", "yes", "00", "lost"])]
    assert any("2 line(s) above the header are passed over" in note.message for note in found.notes)
    assert load(new, report, skip_bad=tmp_path / "2", **{**CHOICES, "pk": ()}).tables["sales"].unchanged == 2


def test_the_types_follow_what_is_told_of_the_numbers(tmp_path: Path) -> None:
    (tmp_path / "n.csv").write_text("a;b;c;d\n1.000;1,5;1.5;01,5\n2;2;2;2\n")
    for decimal, types in ((None, "REAL TEXT REAL TEXT"), ("comma", "INTEGER REAL TEXT TEXT")):
        found = load(tmp_path / "n.db", tmp_path / "n.csv", create=True, decimal=decimal, preview=True)
        assert " ".join(found.tables["n"].new_columns.values()) == types, found.findings
    load(tmp_path / "n.db", tmp_path / "n.csv", create=True, decimal="comma")
    assert rows(tmp_path / "n.db", "SELECT * FROM n") == [(1000, 1.5, "1.5", "01,5"), (2, 2.0, "2", "2")]


def test_a_header_that_can_be_told_from_rows(tmp_path: Path) -> None:
    """Lines of more than one cell are never passed over unless their number is told."""
    (tmp_path / "t.csv").write_text("Report,May\nid,name\n1,Ann\n")
    new = tmp_path / "new.db"
    assert load(new, tmp_path / "t.csv", create=True, preview=True).tables["t"].new_columns.keys() == {"Report", "May"}
    load(new, tmp_path / "t.csv", create=True, skip_lines=1)
    assert rows(new, "SELECT id, name FROM t") == [(1, "Ann")]
    with pytest.raises(RefusedError, match="asked about"):  # no row becomes a column of a table that is there
        load(new, tmp_path / "t.csv", alter=True, table="t")
    (tmp_path / "t.csv").write_text("People\nid,name,age\n2,Bo,7\n")
    load(new, tmp_path / "t.csv", alter=True)
    assert rows(new, "SELECT * FROM t") == [(1, "Ann", None), (2, "Bo", 7)]


@pytest.mark.parametrize(
    "text", ['{"id":1,"b":{"c":[]}}', '{"items":[{"id":1,"b":{"c":[]}}]}', '[{"id":1,"b":{"c":[]}}]']
)
def test_json_without_tables_into_a_new_one(text: str, tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text(text)
    load(tmp_path / "new.db", tmp_path / "x.json", create=True, table="m")
    assert rows(tmp_path / "new.db", "SELECT * FROM m") == [(1, '{"c":[]}')]


@pytest.mark.parametrize("name", ["m.json", "m.ndjson"])
def test_json_with_nan_and_many_digits_into_a_new_table(name: str, tmp_path: Path) -> None:
    lines = ['{"id":1,"x":NaN,"far":[{"y":1}]}', '{"id":2,"x":0.123456789012345678}']
    inner = f'{{"meta":1,"items":[{",".join(lines)}]}}' if name == "m.json" else "\n".join(lines)
    (tmp_path / name).write_text(inner)
    told: dict[str, Any] = {"table": "m", "rows_at": "items"} if name == "m.json" else {}
    new = tmp_path / "new.db"
    with pytest.raises(RefusedError, match="more digits"):
        load(new, tmp_path / name, create=True, nan="null", **told)
    found = load(new, tmp_path / name, create=True, nan="null", cells={"x": "number"}, map={"far": None}, **told)
    assert rows(new, "SELECT * FROM m") == [(1, None), (2, 0.12345678901234568)]
    assert sum("beside the rows" in note.message for note in found.notes) == (name == "m.json")


def test_lines_with_a_key_twice_are_set_aside(tmp_path: Path) -> None:
    (tmp_path / "m.ndjson").write_text('{"id":1}\n{"id":2,"id":3}\n{"id":0.1234567890123456789}\n')
    load(tmp_path / "new.db", tmp_path / "m.ndjson", create=True, skip_bad=tmp_path / "bad")
    assert rows(tmp_path / "new.db", "SELECT * FROM m") == [(1,)]
    told = [json.loads(line) for line in (tmp_path / "bad").read_text().splitlines()]
    assert [(one["line"], one["row"]) for one in told] == [
        (2, '{"id":2,"id":3}'),
        (3, '{"id":0.1234567890123456789}'),
    ]


def test_the_service_takes_the_same_choices(report: Path, tmp_path: Path) -> None:
    service = ImportService(tmp_path / "new.db")
    options = {**CHOICES, "pk": ["id"], "create": True, "continue_on_error": True}
    found = service.import_table("sold", report.read_text(), options)
    assert found.success and rows(tmp_path / "new.db", "SELECT price FROM sold") == [(1234.56,), (7.5,)]
    with pytest.raises(RequestError, match="names no table"):  # no table is called as a file that has no name
        service.import_full_database([{"a": 1}], {"create": True})
    both = {"sold": [{"Id": 9, "price": 1, "Flag": 0}], "clients": [{"id": 1}]}
    alone = service.import_clients(both, {"create": True}, include_related=False)
    assert alone.success and rows(tmp_path / "new.db", "SELECT count(*) FROM clients") == [(1,)]
