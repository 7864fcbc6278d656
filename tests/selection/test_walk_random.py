"""The owner rule on random small databases whose references mostly hold; and what long chains cost."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from datasette_program_export import Settings
from datasette_program_export.database.schema import ForeignKey
from datasette_program_export.database.snapshot import Snapshot
from datasette_program_export.database.source import Source
from datasette_program_export.selection.annotated_schema import annotate
from datasette_program_export.selection.key_tables import KeyTable
from datasette_program_export.selection.walk import Walk
from tests.support.databases.building import database
from tests.support.databases.oracle import Oracle, Row, keys
from tests.support.runs.thorough import examples

PERSON = Settings.model_validate({"subjects": {"person": {"person": True}}})


@dataclass(frozen=True)
class Drawn:
    """Statements of a database, and the tables of people: ``t0``, and sometimes ``t1``."""

    statements: tuple[str, ...]
    persons: tuple[str, ...]


@st.composite
def tangles(draw: Any) -> Drawn:
    """Two to four tables with whole or compound keys, and references anywhere, to themselves too: one type only,
    so that references hold, and chains and cycles of several rows come about."""
    count = draw(st.integers(2, 4))
    compound = [draw(st.booleans()) for _ in range(count)]
    made, filled = [], []
    for t in range(count):
        parents = draw(st.lists(st.integers(0, count - 1), min_size=1, max_size=3))
        parts = ["a INTEGER NOT NULL, b INTEGER" if compound[t] else "a INTEGER PRIMARY KEY, b INTEGER"]
        parts += [f"x{i} INTEGER, y{i} INTEGER" for i in range(len(parents))]
        parts += ["PRIMARY KEY (a, b)"] if compound[t] else []
        for i, p in enumerate(parents):
            mine, theirs = (f"x{i}, y{i}", "a, b") if compound[p] else (f"x{i}", "a")
            parts.append(f"FOREIGN KEY ({mine}) REFERENCES t{p} ({theirs})")
        without = " WITHOUT ROWID" if compound[t] and draw(st.booleans()) else ""
        made.append(f"CREATE TABLE t{t} ({', '.join(parts)}){without}")
        made += [f"CREATE INDEX i{t} ON t{t} (x0)"] if draw(st.booleans()) else []
        for a in range(1, draw(st.integers(1, 6)) + 1):
            row: list[str] = [str(a), str(a % 2)]
            for _ in parents:
                x = draw(st.sampled_from([None, None, 1, 2, 3, 4, 5, 6, 9]))
                half = draw(st.integers(0, 9)) == 0  # half of a compound reference points nowhere
                row += ["NULL", "NULL"] if x is None else [str(x), "NULL" if half else str(x % 2)]
            filled.append(f"INSERT INTO t{t} VALUES ({', '.join(row)})")
    persons = ("t0", "t1") if count > 2 and draw(st.booleans()) else ("t0",)
    return Drawn((*made, *filled), persons)


class Stopping(Oracle):
    """The oracle where some references are not followed: rows are owned along these, too."""

    def __init__(self, rule: Oracle, stopped: set[ForeignKey]) -> None:
        self.rule, self.people, self.persons, self.adopted = rule, rule.people, rule.persons, set()
        self.up = {row: [(e, p) for e, p in pairs if e not in stopped] for row, pairs in rule.up.items()}
        self.down = {row: [(e, c) for e, c in pairs if e not in stopped] for row, pairs in rule.down.items()}

    def owners(self, row: Row) -> set[Row]:
        self.rule.adopted = self.adopted
        return self.rule.owners(row)

    def naming(self, row: Row, table: str) -> set[Row]:
        return self.rule.naming(row, table)

    def same(self, rows: set[Row]) -> set[Row]:
        return self.rule.same(rows)


@settings(max_examples=examples(400), deadline=None, suppress_health_check=list(HealthCheck))
@given(tangles(), st.data())
def test_the_owner_rule_holds_in_tangles_also_along_references_not_followed(drawn: Drawn, data: st.DataObject) -> None:
    source = database(None, "PRAGMA foreign_keys=OFF", *drawn.statements)
    with closing(source) as connection, closing(Snapshot(Source.of(source))) as snapshot:
        edges = sorted({e.name for t in snapshot.schema.values() for e in t.foreign_keys})
        roles = {edge: data.draw(st.sampled_from(["", "", "owns", "mentions", "same_person"])) for edge in edges}
        said: dict[str, list[str]] = {"persons": data.draw(st.permutations(drawn.persons))}
        for edge, role in roles.items():
            said.setdefault(role, []).append(edge)
        said.pop("", None)
        known = annotate(snapshot.schema, Settings.model_validate(said))
        stopped = data.draw(st.sets(st.sampled_from(known.edges), max_size=2))
        subject = snapshot.schema[data.draw(st.sampled_from(sorted(snapshot.schema)))]
        rows = connection.execute(f"SELECT {keys(subject, 'r')} FROM {subject.name} r").fetchall()
        chosen = data.draw(st.sets(st.sampled_from(rows), min_size=1, max_size=2))
        walk = Walk(snapshot, known, known.graph(stopped=stopped), withhold=True)
        asked = KeyTable(snapshot, subject)
        slots = ", ".join("?" * len(asked.columns))
        for key in chosen:
            snapshot.execute(f"INSERT INTO {asked.name} VALUES ({slots})", key)
        walk.start(asked)
        walk.down()
        walk.up()
        found = {
            (name, key)
            for name, reached in walk.reached.items()
            for key in snapshot.execute(f"SELECT {', '.join(reached.keys.columns)} FROM {reached.keys.name}")
        }
        rule = Oracle(connection, snapshot.schema, known.edges, known.people)
        belongs, needed, left = Stopping(rule, stopped).closure({(subject.name, k) for k in chosen}, True, True)
        assert found == belongs | needed
        assert sum(r.counts["needed"] for r in walk.reached.values()) == len(needed)
        assert {(e, d): n for e, d, n in walk.withheld()} == left


PEOPLE = (
    "CREATE TABLE person (id INTEGER PRIMARY KEY)",
    "CREATE TABLE tag (id INTEGER PRIMARY KEY)",
    "CREATE TABLE note (id INTEGER PRIMARY KEY, person INTEGER REFERENCES person, tag INTEGER REFERENCES tag, "
    "about INTEGER REFERENCES note)",
    "INSERT INTO person VALUES (1), (2)",
    "INSERT INTO tag VALUES (1)",
)


def walked(connection: sqlite3.Connection, table: str, key: int, known: Settings) -> tuple[int, int]:
    """How many rows are in after a whole walk from one; how many hundreds of steps SQLite's virtual machine took."""
    with closing(Snapshot(Source.of(connection))) as snapshot:
        ticks: list[None] = []
        snapshot.connection.set_progress_handler(lambda: ticks.append(None), 100)
        made = annotate(snapshot.schema, known)
        walk = Walk(snapshot, made, made.graph(), withhold=True)
        asked = KeyTable(snapshot, snapshot.schema[table])
        snapshot.execute(f"INSERT INTO {asked.name} VALUES ({key})")
        walk.start(asked)
        walk.down()
        walk.up()
        walk.withheld()
        return walk.total, len(ticks)


@pytest.mark.parametrize(
    ("few", "known", "index"),
    [
        (300, Settings(), ()),
        (300, Settings(), ("CREATE INDEX i ON note (about)",)),
        (100, PERSON, ("CREATE INDEX i ON note (about)",)),
    ],
    ids=["nobody known", "nobody known, indexed", "people known"],
)
@pytest.mark.parametrize("down", [True, False], ids=["down", "up"])
def test_a_long_chain_costs_what_it_is_long(few: int, known: Settings, index: tuple[str, ...], down: bool) -> None:
    """From its first row all hang on it, from its last all are needed;
    of five times the rows some five times the work."""
    steps = {}
    for rows in (few, 5 * few):
        connection = database(None, *PEOPLE, *index)
        chain = ((i, i - 1 or None) for i in range(1, rows + 1))
        connection.executemany("INSERT INTO note VALUES (?, NULL, NULL, ?)", chain)
        total, steps[rows] = walked(connection, "note", 1 if down else rows, known)
        assert total == rows
    assert steps[5 * few] < 8 * steps[few]


@pytest.mark.parametrize("withheld", ["the chain is somebody's", "the chain is behind somebody"])
@pytest.mark.parametrize("rising", [True, False], ids=["rising keys", "falling keys"])
def test_a_long_chain_that_is_not_for_the_asker_costs_what_it_is_long(rising: bool, withheld: str) -> None:
    """From a tag to its one note, whose owner is told at the other end of the chain; or to one note by a person."""
    steps = {}
    for rows in (100, 500):
        connection = database(None, *PEOPLE, "ALTER TABLE person ADD COLUMN note INTEGER REFERENCES note")
        chain = list(range(1, rows + 1)) if rising else list(range(rows, 0, -1))
        connection.executemany("INSERT INTO note VALUES (?, NULL, NULL, ?)", zip(chain, [*chain[1:], None]))
        if withheld == "the chain is somebody's":
            connection.execute("UPDATE note SET person = 2 WHERE about IS NULL")
            connection.execute("UPDATE note SET tag = 1 WHERE id = ?", [chain[0]])
            subject = "tag"
        else:  # person 1 needs a note that is person 2's; behind it lies the chain
            connection.execute("INSERT INTO note VALUES (?, 2, NULL, ?)", [rows + 1, chain[0]])
            connection.execute("UPDATE person SET note = ? WHERE id = 1", [rows + 1])
            subject = "person"
        total, steps[rows] = walked(connection, subject, 1, PERSON)
        assert total == 1
    assert steps[500] < 8 * steps[100]
