"""One person's export holds what is theirs and nobody else's: the rule, the four charts, every client of the demo."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from datasette_program_export import Settings
from datasette_program_export.demo import ANNA, ANNA_BIRTH, BOB, BOB_BIRTH, C1, C2, C3, C4, NOBODY
from tests.support.databases.building import database, definitions, document, exported, load, violations


def ids(found: dict, table: str) -> set[str]:
    return {row["id"] for row in found["tables"].get(table, [])}


def test_the_four_charts(demo_file: Path) -> None:
    """Person table clients; charts c1(client Anna, birth data Anna) c2(no client, birth data Anna)
    c3(Anna, birth data Bob) c4(Bob, birth data Anna)."""
    found = document(demo_file, "clients", ANNA)
    # Export Anna: client Anna, birth data Anna, c1, c2, c3 and their readings;
    assert ids(found, "clients") == {ANNA}
    assert ids(found, "birth_data") == {ANNA_BIRTH}
    assert ids(found, "charts") == {C1, C2, C3}
    assert {r["chart_id"] for r in found["tables"]["chart_interpretations"]} == {C1, C2, C3}
    # withheld: chart c4, birth data and client of Bob;
    withheld = [(w["table"], w["along"], w["rows"]) for w in found["coverage"]["withheld"]]
    assert withheld == [
        ("charts", "charts.birth_data_id", 1),
        ("birth_data", "charts.birth_data_id", 1),
        ("clients", "birth_data.client_id", 1),
    ]
    # dangling: c3.birth_data_id (1).
    dangling = [(d["table"], d["columns"], d["rows"]) for d in found["coverage"]["dangling"]]
    assert dangling == [("charts", ["birth_data_id"], 1)]
    # Export chart c1: c1 and its readings; needed: birth data and client Anna.
    chart = document(demo_file, "charts", C1)
    assert ids(chart, "charts") == {C1}
    assert {r["chart_id"] for r in chart["tables"]["chart_interpretations"]} == {C1}
    counts = chart["coverage"]["tables"]
    assert ids(chart, "birth_data") == {ANNA_BIRTH} and counts["birth_data"] == {"belongs": 0, "needed": 1}
    assert ids(chart, "clients") == {ANNA} and counts["clients"] == {"belongs": 0, "needed": 1}


def test_others_can_be_included(demo_file: Path) -> None:
    found = document(demo_file, "clients", ANNA, others="include")
    assert ids(found, "charts") == {C1, C2, C3, C4}
    assert ids(found, "birth_data") == {ANNA_BIRTH, BOB_BIRTH}
    assert ids(found, "clients") == {ANNA, BOB}
    assert found["coverage"]["withheld"] == [] == found["coverage"]["dangling"]


def test_two_clients_at_once_are_the_union(demo_file: Path) -> None:
    both = document(demo_file, "clients", ANNA, BOB)
    assert ids(both, "charts") == {C1, C2, C3, C4}
    assert both["coverage"]["dangling"] == [] == both["coverage"]["withheld"]


def test_a_client_with_nothing_is_a_small_whole_document(demo_file: Path) -> None:
    found = document(demo_file, "clients", NOBODY)
    assert ids(found, "clients") == {NOBODY}
    assert found["tables"]["charts"] == [] == found["tables"]["session_notes"]


# The owner rule of The Program, said as one would in SQL: independent of the package's own.
RULE = {
    "clients": "SELECT id FROM clients WHERE id = :c",
    "birth_data": "SELECT id FROM birth_data WHERE client_id = :c",
    "session_notes": "SELECT id FROM session_notes WHERE client_id = :c",
    "charts": """SELECT k.id FROM charts k JOIN birth_data b ON b.id = k.birth_data_id
                 WHERE k.client_id = :c OR (k.client_id IS NULL AND b.client_id = :c)""",
}
for _table in ("chart_interpretations", "aspect_patterns", "transit_events"):
    RULE[_table] = f"SELECT id FROM {_table} WHERE chart_id IN ({RULE['charts']})"


def test_every_client_of_the_demo(demo_file: Path) -> None:
    """Ids equal those of an independent query; nothing of anybody else occurs; what dangles was announced."""
    with closing(sqlite3.connect(demo_file)) as connection:
        clients = connection.execute("SELECT id, first_name, last_name, email FROM clients").fetchall()
        private = _private_texts(connection)
        schema = definitions(connection)
        for client, first, last, _ in clients:
            text = exported(demo_file, "clients", client).decode()
            found = json.loads(text)
            for table, rule in RULE.items():
                assert ids(found, table) == {i for (i,) in connection.execute(rule, {"c": client})}, (first, table)
            assert set(found["tables"]) == set(RULE)
            for other, secrets in private.items():
                if other != client:
                    for secret in secrets - private[client]:
                        assert secret not in text, f"{first} {last} would be sent {secret!r}"
            with closing(database(None)) as copy:
                load(copy, found, schema)
                loaded = violations(copy)
            assert {(d["table"], d["other_table"]): d["rows"] for d in found["coverage"]["dangling"]} == loaded


def _private_texts(connection: sqlite3.Connection) -> dict[str, set[str]]:
    """What may occur in one client's file only: full name, e-mail, place to seven digits, texts of notes."""
    found: dict[str, set[str]] = {}
    for client, first, last, email, notes in connection.execute(
        "SELECT id, first_name, last_name, email, notes FROM clients"
    ):
        found[client] = {f"{first} {last}", json.dumps(f"{first} {last}"), email} | ({notes} if notes else set())
        if last and len(last) > 4:
            found[client].add(last)
    for client, latitude, longitude in connection.execute("SELECT client_id, latitude, longitude FROM birth_data"):
        found[client] |= {f"{latitude!r}", f"{longitude!r}"}
    for client, note in connection.execute("SELECT client_id, note_content FROM session_notes"):
        found[client].add(json.dumps(note, ensure_ascii=False)[1:-1])
    everybody = [s for texts in found.values() for s in texts]
    shared = {s for s in everybody if everybody.count(s) > 1}  # two people of one name; notes of one wording
    return {client: texts - shared for client, texts in found.items()}


PEOPLE = (
    "CREATE TABLE person (id INTEGER PRIMARY KEY, name TEXT, referred_by REFERENCES person)",
    "CREATE TABLE tag (id INTEGER PRIMARY KEY, word TEXT)",
    "CREATE TABLE note (id INTEGER PRIMARY KEY, person REFERENCES person, tag REFERENCES tag, about REFERENCES note)",
    "CREATE TABLE letter (id INTEGER PRIMARY KEY, sender REFERENCES person, recipient REFERENCES person)",
)
KNOWN = Settings.model_validate({"subjects": {"person": {"person": True}}})


@pytest.mark.parametrize(
    ("rows", "subject", "expected"),
    [
        ("person VALUES (1, 'a', NULL), (2, 'b', 1)", ("person", "1"), {"person": {1}}),
        ("person VALUES (1, 'a', NULL), (2, 'b', 1)", ("person", "2"), {"person": {2}}),
        ("letter VALUES (1, 1, 2), (2, 2, 2), (3, 1, NULL)", ("person", "1"), {"person": {1}, "letter": {1, 3}}),
        (
            "note VALUES (1, 1, 1, NULL), (2, 2, 1, 1), (3, NULL, 1, 1)",
            ("person", "1"),
            {"person": {1}, "note": {1, 3}, "tag": {1}},
        ),
        ("note VALUES (1, 1, 1, NULL), (2, NULL, 1, NULL)", ("tag", "1"), {"tag": {1}, "note": {2}}),
        ("note VALUES (1, 9, 1, NULL), (2, NULL, NULL, 1)", ("note", "1"), {"note": {1, 2}, "tag": {1}}),
    ],
    ids=[
        "a person is owned by themselves, not by who referred them",
        "up: a person not asked for stays out",
        "of two people named, one asked for is enough",
        "a row's own person decides; without one, its parents' people do; shared things come up",
        "from a thing that is nobody's, rows of people stay out",
        "who asks for a row gets what hangs on it, though its owner is not to be found",
    ],
)  # fmt: skip
def test_the_rule_case_by_case(rows: str, subject: tuple[str, str], expected: dict[str, set[int]]) -> None:
    connection = database(None, *PEOPLE, "PRAGMA foreign_keys=OFF", "INSERT INTO tag VALUES (1, 'x')")
    if not rows.startswith("person"):
        connection.execute("INSERT INTO person VALUES (1, 'a', NULL), (2, 'b', NULL)")
    connection.execute(f"INSERT INTO {rows}")
    found = document(connection, *subject, settings=KNOWN)
    assert {t: {r["id"] for r in rs} for t, rs in found["tables"].items() if rs} == expected


def test_no_name_is_told_of_what_is_withheld() -> None:
    connection = database(None, *PEOPLE, "INSERT INTO person VALUES (1, 'Ada', NULL), (2, 'Zacharias', 1)")
    text = exported(connection, "person", "1", settings=KNOWN).decode()
    assert json.loads(text)["coverage"]["withheld"][0]["rows"] == 1
    assert "Zacharias" not in text
