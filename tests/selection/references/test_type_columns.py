"""References that a type column decides (``owner_type``, ``owner_id``): followed for rows of that type only."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from datasette_program_export import Request, export, load, plan, verify
from datasette_program_export.errors import RequestError, SettingsError
from datasette_program_export.options.settings import Settings, parse_settings
from tests.support.databases.house import made

TABLES = (
    "CREATE TABLE clients (id INTEGER PRIMARY KEY, name TEXT)",
    "CREATE TABLE rooms (id INTEGER PRIMARY KEY, name TEXT)",
    "CREATE TABLE notes (id INTEGER PRIMARY KEY, owner_type TEXT, owner_id INT, body TEXT)",
    "CREATE TABLE replies (id INTEGER PRIMARY KEY, note INT REFERENCES notes)",
    "INSERT INTO clients VALUES (1, 'Ann'), (2, 'Bob')",
    "INSERT INTO rooms VALUES (1, 'Red'), (7, 'Blue')",
    "INSERT INTO notes VALUES (1, 'Client', 1, 'ann'), (2, 'Room', 1, 'red'), (3, 'Client', 2, 'bob')",
    "INSERT INTO notes VALUES (4, NULL, 1, '')",
    "INSERT INTO replies VALUES (10, 1), (20, 2)",
)
CLIENTS = {"table": "notes", "columns": ["owner_id"], "other_table": "clients", "other_columns": ["id"]}
ROOMS = {**CLIENTS, "other_table": "rooms"}
BOTH = [{**CLIENTS, "where": {"owner_type": "Client"}}, {**ROOMS, "where": {"owner_type": ["Room", "Hall"]}}]


def knowing(*keys: dict[str, Any], **more: Any) -> Settings:
    return parse_settings({"virtual_foreign_keys": list(keys), **more})


def document(source: Path, settings: Settings, **asked: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(b"".join(export(source, Request(**asked), settings=settings)))
    return found


def ids(found: dict[str, Any]) -> dict[str, list[int]]:
    return {name: sorted(row["id"] for row in rows) for name, rows in found["tables"].items() if rows}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return made(tmp_path / "a.db", *TABLES)


@pytest.mark.parametrize(
    "where", [{"owner_type": "Client"}, {"owner_type": ["Client"]}, "owner_type='Client'", "\"owner_type\" = 'Client'"]
)
def test_only_children_of_that_type_come_along(source: Path, where: Any) -> None:
    found = document(source, knowing({**CLIENTS, "where": where}), table="clients", records=(("1",),))
    assert ids(found) == {"clients": [1], "notes": [1], "replies": [10]}


def test_a_row_needs_the_parent_of_its_type_alone(source: Path) -> None:
    settings = knowing(*BOTH)
    found = document(source, settings, table="notes", records=(("2",),), parents="needed", others="include")
    assert ids(found) == {"rooms": [1], "notes": [2], "replies": [20]}
    found = document(source, settings, table="notes", records=(("4",),), parents="needed", others="include")
    assert ids(found) == {"notes": [4]}


@pytest.mark.parametrize("index", ["notes (owner_type, owner_id)", "notes (owner_id)"])
def test_an_index_of_type_and_key_serves(source: Path, index: str) -> None:
    made(source, f"CREATE INDEX i ON {index}")
    found = plan(source, Request(table="clients", records=(("1",),)), settings=knowing(*BOTH))
    assert not [note for note in found.notes if note.startswith("notes.owner_id")]
    assert {t.table: t.rows for t in found.tables} == {"clients": 1, "notes": 1, "replies": 1}
    assert [(r.name, r.where) for r in found.references if r.where] == [
        ("notes.owner_id[Client]", {"owner_type": ["Client"]}),
        ("notes.owner_id[Room,Hall]", {"owner_type": ["Room", "Hall"]}),
    ]


def test_types_that_are_numbers_and_compare_as_the_column_does(tmp_path: Path) -> None:
    source = made(
        tmp_path / "b.db",
        "CREATE TABLE a (id INTEGER PRIMARY KEY)",
        "CREATE TABLE tag (id INTEGER PRIMARY KEY, kind INT, word TEXT COLLATE NOCASE, a INT)",
        "INSERT INTO a VALUES (1)",
        "INSERT INTO tag VALUES (1, 7, 'a', 1), (2, 8, 'a', 1), (3, 7, 'B', 1), (4, 7, 'A', 1)",
    )
    key = {"table": "tag", "columns": ["a"], "other_table": "a", "other_columns": ["id"]}
    found = document(source, knowing({**key, "where": {"kind": 7, "word": "A"}}), table="a", records=(("1",),))
    assert ids(found) == {"a": [1], "tag": [1, 4]}


def test_a_circle_through_a_type_column_ends(tmp_path: Path) -> None:
    source = made(
        tmp_path / "c.db",
        "CREATE TABLE n (id INTEGER PRIMARY KEY, up_type TEXT, up INT)",
        "INSERT INTO n VALUES (1, 'n', 2), (2, 'n', 1), (3, 'other', 1), (4, 'n', 1)",
    )
    key = {"table": "n", "columns": ["up"], "other_table": "n", "other_columns": ["id"], "where": {"up_type": "n"}}
    assert ids(document(source, knowing(key), table="n", records=(("1",),))) == {"n": [1, 2, 4]}


def test_what_leads_nowhere_is_counted_by_type_and_checked_by_verify(source: Path, tmp_path: Path) -> None:
    made(source, "INSERT INTO notes VALUES (5, 'Room', 99, ''), (6, 'Hall', 1, ''), (7, 'Boat', 99, '')")
    for form in ("programjson", "package", "sqlite"):
        file = tmp_path / f"whole.{form}"
        file.write_bytes(b"".join(export(source, Request(format=form), settings=knowing(*BOTH))))
        report = verify(file)
        assert report.complete and report.references_checked
        assert [(d.other_table, d.rows, d.announced) for d in report.dangling] == [("rooms", 1, 1)]


def test_other_peoples_rows_stay_by_type(source: Path) -> None:
    settings = knowing(*BOTH, subjects={"clients": {"person": True}})
    found = document(source, settings, table="notes", cascade=True, records=(("1",), ("3",)), person=("clients",))
    assert ids(found)["notes"] == [1, 3]
    found = document(source, settings, table="clients", records=(("1",),))
    assert ids(found)["notes"] == [1]


def test_one_of_the_references_can_be_stopped(source: Path) -> None:
    settings = knowing(*BOTH)
    found = document(source, settings, table="clients", records=(("1",),), stop=("notes.owner_id[Client]",))
    assert ids(found) == {"clients": [1]}
    found = document(source, settings, table="clients", records=(("1",),), stop=("notes.owner_id[Room,Hall]",))
    assert ids(found)["notes"] == [1]
    assert ids(document(source, settings, table="rooms", records=(("1",),), stop=("notes.owner_id",))) == {"rooms": [1]}
    with pytest.raises(RequestError, match="There is no reference notes.owner_id.Boat."):
        document(source, settings, table="clients", records=(("1",),), stop=("notes.owner_id[Boat]",))


def test_a_secret_type_column_hides_the_reference(source: Path) -> None:
    settings = knowing(*BOTH, secrets={"notes": ["owner_type"]})
    found = document(source, settings, table="clients", records=(("1",),))
    assert ids(found) == {"clients": [1]}
    left_out = {(part.get("reference"), part.get("why")) for part in found["coverage"]["left_out"]}
    assert ("notes.owner_id[Client]", "its column is left out as secret") not in left_out  # notes were not reached
    found = document(source, settings, table="notes", records=(("1",),))
    left_out = {(part.get("reference"), part.get("why")) for part in found["coverage"]["left_out"]}
    assert ("notes.owner_id[Client]", "its column is left out as secret") in left_out


@pytest.mark.parametrize(
    "where, message",
    [
        ("owner_type = 'a' OR 1", "write {column: value}"),
        ({"owner_type": []}, "owner_type has no value"),
        (["Client"], "must name columns"),
        ({"kind": "Client"}, "notes has no column kind"),
    ],
)
def test_a_condition_is_a_column_and_values(source: Path, where: Any, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        document(source, knowing({**CLIENTS, "where": where}), table="clients", records=(("1",),))


def test_the_same_reference_twice_is_refused(source: Path) -> None:
    keys = [{**CLIENTS, "where": {"owner_type": kind}} for kind in ("Client", "Customer")]
    with pytest.raises(SettingsError, match="list all values of where in one"):
        document(source, knowing(*keys), table="clients", records=(("1",),))


def test_a_value_is_never_taken_for_sql(source: Path) -> None:
    odd = "O'Brien') OR ('1'='1"
    made(source, f"INSERT INTO notes VALUES (8, '{odd.replace(chr(39), chr(39) * 2)}', 1, 'x')")
    found = document(source, knowing({**CLIENTS, "where": {"owner_type": odd}}), table="clients", records=(("1",),))
    assert ids(found) == {"clients": [1], "notes": [8]}


def test_an_import_tells_of_rows_that_refer_to_nothing_by_their_type(source: Path, tmp_path: Path) -> None:
    (tmp_path / "n.csv").write_text("id,owner_type,owner_id\n10,Client,7\n11,Room,7\n12,Boat,99\n", "utf-8")
    report = load(source, tmp_path / "n.csv", table="notes", settings=knowing(*BOTH), preview=True)
    assert [n.message for n in report.notes] == [
        "1 row of notes refers by owner_id to no row (a reference that settings declare: notes.owner_id[Client])."
    ]


def test_a_file_with_such_references_comes_back(source: Path, tmp_path: Path) -> None:
    (tmp_path / "r.json").write_bytes(
        b"".join(export(source, Request(table="clients", records=(("1",),)), settings=knowing(*BOTH)))
    )
    assert load(tmp_path / "new.db", tmp_path / "r.json", settings=knowing(*BOTH)).tables["notes"].insert == 1
