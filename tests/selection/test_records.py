"""The closure against its oracle, on random schemas; then rule by rule, on small ones."""

from __future__ import annotations

from collections import Counter
from contextlib import closing

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from datasette_program_export import Settings
from datasette_program_export.database.snapshot import Snapshot
from datasette_program_export.database.source import Source
from datasette_program_export.errors import NotFoundError, RequestError, TooLargeError, UnsupportedError
from datasette_program_export.selection.annotated_schema import annotate
from datasette_program_export.selection.key_tables import KeyTable
from datasette_program_export.selection.walk import Walk
from tests.support.databases.building import database, definitions, document, exported, load, violations
from tests.support.databases.oracle import Oracle, keys
from tests.support.databases.strategies import Built, databases
from tests.support.runs.thorough import examples

often = settings(max_examples=examples(300), deadline=None, suppress_health_check=list(HealthCheck))


@often
@given(databases(), st.data())
def test_the_walk_finds_what_the_oracle_finds(built: Built, data: st.DataObject) -> None:
    """Belongs, needed, and withheld per reference: with cycles, compound keys, mixed affinities and collations."""
    withhold, up = data.draw(st.booleans()), data.draw(st.booleans())
    persons = {name: {"person": True} for name in built.persons}
    with closing(built.open()) as connection, closing(Snapshot(Source.of(connection))) as snapshot:
        known = annotate(snapshot.schema, Settings(subjects=persons))
        subject = snapshot.schema[data.draw(st.sampled_from(sorted(snapshot.schema)))]
        rows = connection.execute(f"SELECT {keys(subject, 'r')} FROM {subject.name} r").fetchall()
        chosen = data.draw(st.sets(st.sampled_from(rows), max_size=3)) if rows else set()

        walk = Walk(snapshot, known, known.graph(), withhold=withhold)
        asked = KeyTable(snapshot, subject)
        for key in chosen:
            where = " AND ".join(f"r.{part.name} IS ?" for part in subject.key)
            snapshot.execute(
                f"INSERT INTO {asked.name} SELECT {asked.key_of('r')} FROM main.{subject.name} r WHERE {where}", key
            )
        walk.start(asked)
        walk.down()
        if up:
            walk.up()
        found: dict[str, set] = {"belongs": set(), "needed": set()}
        for name, reached in walk.reached.items():
            in_all = {
                (name, key)
                for key in snapshot.execute(f"SELECT {', '.join(reached.keys.columns)} FROM {reached.keys.name}")
            }
            assert len(in_all) == sum(reached.counts.values())
            found["belongs"] |= in_all
        oracle = Oracle(connection, snapshot.schema, known.graph().edges, known.people)
        belongs, needed, withheld = oracle.closure({(subject.name, k) for k in chosen}, withhold, up)
        assert found["belongs"] == belongs | needed
        assert walk.total == len(belongs) + len(needed)
        assert sum(r.counts["needed"] for r in walk.reached.values()) == len(needed)
        assert {(e, d): n for e, d, n in walk.withheld()} == withheld


@often
@given(databases(), st.data())
def test_what_dangles_after_loading_is_what_was_announced(built: Built, data: st.DataObject) -> None:
    """PRAGMA foreign_key_check on a loaded export finds exactly ``coverage.dangling``."""
    persons = {name: {"person": True} for name in built.persons}
    with closing(built.open()) as connection, closing(Snapshot(Source.of(connection))) as snapshot:
        table = data.draw(st.sampled_from(sorted(snapshot.schema)))
        request = data.draw(
            st.sampled_from(
                [{"cascade": False}, {"cascade": True, "parents": "none"}, {"cascade": True, "parents": "needed"}]
            )
        )
        condition = data.draw(st.sampled_from([(), ("f0 IS NOT NULL",), ("id > 1",)]))
        found = document(connection, table, where=condition, settings=Settings(subjects=persons), **request)
        with closing(database(None)) as copy:
            load(copy, found, definitions(connection))
            after = violations(copy)
        announced: Counter = Counter()
        for entry in found["coverage"]["dangling"]:
            parent = snapshot.schema[entry["other_table"]]
            for key in snapshot.schema[entry["table"]].foreign_keys:  # one declared twice is counted twice by SQLite
                same = (list(key.columns), list(key.other_columns)) == (entry["columns"], entry["other_columns"])
                if same and key.other_table == parent.name and parent.is_unique(key.other_columns):
                    announced[entry["table"], parent.name] += entry["rows"]
        assert announced == after


TREE = (
    "CREATE TABLE node (id INTEGER PRIMARY KEY, parent INTEGER REFERENCES node, label TEXT)",
    "CREATE TABLE leaf (id INTEGER PRIMARY KEY, node INTEGER REFERENCES Node(ID), note TEXT)",
)


def test_a_long_chain_in_a_table_that_refers_to_itself_is_walked_to_its_end() -> None:
    """Without an index on the reference, 20,000 links deep: the table is walked once, not once a link."""
    connection = database(None, *TREE)
    connection.executemany("INSERT INTO node VALUES (?, ?, 'x')", ((i, i - 1 or None) for i in range(1, 20_001)))
    found = document(connection, "node", "1")
    assert found["coverage"]["tables"]["node"] == {"belongs": 20_000, "needed": 0}


def test_a_cycle_ends() -> None:
    connection = database(None, *TREE, "INSERT INTO node VALUES (1, 3, 'a'), (2, 1, 'b'), (3, 2, 'c'), (4, 4, 'd')")
    assert [r["id"] for r in document(connection, "node", "2")["tables"]["node"]] == [1, 2, 3]
    assert [r["id"] for r in document(connection, "node", "4")["tables"]["node"]] == [4]


def test_parents_come_up_but_their_other_children_do_not_come_down() -> None:
    rows = "INSERT INTO node VALUES (1, NULL, 'root'), (2, 1, 'mine'), (3, 1, 'sister'), (4, 2, 'child')"
    connection = database(None, *TREE, rows, "INSERT INTO leaf VALUES (7, 2, 'of mine'), (8, 3, 'of sister')")
    found = document(connection, "node", "2", parents="needed")
    assert [r["id"] for r in found["tables"]["node"]] == [1, 2, 4]
    assert found["coverage"]["tables"]["node"] == {"belongs": 2, "needed": 1}
    assert [r["id"] for r in found["tables"]["leaf"]] == [7]
    assert found["coverage"]["dangling"] == []


def test_without_knowledge_of_people_parents_stay_out_and_are_told_as_dangling() -> None:
    connection = database(None, *TREE, "INSERT INTO node VALUES (1, NULL, 'root'), (2, 1, 'mine')")
    found = document(connection, "node", "2")
    assert [r["id"] for r in found["tables"]["node"]] == [2]
    assert found["coverage"]["dangling"] == [
        {
            "table": "node",
            "columns": ["parent"],
            "other_table": "node",
            "other_columns": ["id"],
            "rows": 1,
            "missing_in_source": 0,
        }
    ]


def test_what_is_left_out_is_not_followed_either_and_is_named() -> None:
    rows = "INSERT INTO node VALUES (1, NULL, 'a'), (2, 1, 'b')"
    connection = database(None, *TREE, rows, "INSERT INTO leaf VALUES (7, 2, 'x')")
    found = document(connection, "node", "1", without=["leaf", "node.label"], stop=["node.parent"])
    assert found["tables"] == {"node": [{"id": 1, "parent": None}]}
    assert found["coverage"]["left_out"] == [
        {"table": "leaf"},
        {"table": "node", "column": "label"},
        {"reference": "node.parent"},
    ]


@pytest.mark.parametrize("wrong", [{"without": ["node"]}, {"without": ["nix"]}, {"stop": ["leaf.nix"]}])
def test_what_cannot_be_left_out_is_named(wrong: dict) -> None:
    with pytest.raises(ValueError, match="nix|node"):
        exported(database(None, *TREE, "INSERT INTO node VALUES (1, NULL, 'a')"), "node", "1", **wrong)


def test_a_missing_record_among_several_is_named() -> None:
    with pytest.raises(NotFoundError, match="no row 99 in node"):
        exported(database(None, *TREE, "INSERT INTO node VALUES (1, NULL, 'a')"), "node", "1", "99")


def test_two_records_share_what_they_share() -> None:
    rows = "INSERT INTO node VALUES (1, NULL, 'a'), (2, 1, 'b'), (3, 2, 'c')"
    found = document(database(None, *TREE, rows), "node", "2", "1", "2")
    assert [r["id"] for r in found["tables"]["node"]] == [1, 2, 3]


def test_the_guard_refuses_before_the_first_byte_and_names_the_reference() -> None:
    connection = database(None, *TREE, "INSERT INTO node VALUES (1, NULL, 'a')")
    connection.executemany("INSERT INTO leaf VALUES (?, 1, 'x')", ((i,) for i in range(50)))
    with pytest.raises(TooLargeError, match=r"51 rows or more after following leaf\.node; max_rows allows 50"):
        exported(connection, "node", "1", settings=Settings(max_rows=50))
    assert document(connection, "node", "1", settings=Settings(max_rows=51))["integrity"]["rows"] == 51


def test_a_view_is_rows_only() -> None:
    connection = database(None, *TREE, "CREATE VIEW v AS SELECT id FROM node", "INSERT INTO node VALUES (1, NULL, '')")
    assert document(connection, "v")["tables"] == {"v": [{"id": 1}]}
    with pytest.raises(UnsupportedError, match="it is a view"):
        exported(connection, "v", cascade=True)


def test_a_table_whose_rows_cannot_be_told_apart_has_rows_but_no_closure() -> None:
    connection = database(None, "CREATE TABLE t (rowid, _rowid_, oid)", "INSERT INTO t VALUES (1, 2, 3), (1, 2, 3)")
    assert document(connection, "t")["integrity"]["rows"] == 2
    with pytest.raises(UnsupportedError, match="cannot be told apart"):
        exported(connection, "t", cascade=True)


def test_a_row_is_found_by_the_spelling_of_its_key_where_types_are_kept_apart() -> None:
    connection = database(None, "CREATE TABLE t (id PRIMARY KEY, n)", "INSERT INTO t VALUES (1, 'int'), ('2', 'text')")
    assert document(connection, "t", "1")["tables"]["t"][0]["n"] == "int"
    assert document(connection, "t", "2")["tables"]["t"][0]["n"] == "text"
    connection.execute("INSERT INTO t VALUES (2, 'int too')")
    assert document(connection, "t", "2")["tables"]["t"][0]["n"] == "text"
    with pytest.raises(ValueError, match=r"named by its id"):
        exported(connection, "t", ("1", "2"))


def test_the_order_is_parents_first_and_a_loader_with_checks_on_can_follow_it() -> None:
    connection = database(
        None,
        "CREATE TABLE a (id INTEGER PRIMARY KEY, b REFERENCES b)",
        "CREATE TABLE b (id INTEGER PRIMARY KEY, c REFERENCES c)",
        "CREATE TABLE c (id INTEGER PRIMARY KEY, b REFERENCES b, c REFERENCES c)",
        "INSERT INTO c VALUES (1, NULL, 1)",
        "INSERT INTO b VALUES (1, 1)",
        "INSERT INTO a VALUES (1, 1)",
        "UPDATE c SET b = 1",
    )
    found = document(connection, "c", "1")
    assert list(found["tables"]) == ["b", "c", "a"]
    assert found["schema"]["deferred"] == ["b.c", "c.c"]


def test_a_filtered_table_can_be_followed_too() -> None:
    rows = "INSERT INTO node VALUES (1, NULL, 'a'), (2, NULL, 'b'), (3, NULL, 'c')"
    connection = database(None, *TREE, rows, "INSERT INTO leaf VALUES (7, 1, ''), (8, 3, '')")
    found = document(connection, "node", where=["label > :x"], params={"x": "a"}, cascade=True)
    assert {t: [r["id"] for r in rs] for t, rs in found["tables"].items()} == {"node": [2, 3], "leaf": [8]}


def test_a_virtual_reference_is_followed_and_is_no_business_of_sqlite() -> None:
    connection = database(
        None,
        "CREATE TABLE a (id INTEGER PRIMARY KEY)",
        "CREATE TABLE b (id INTEGER PRIMARY KEY, of_a INTEGER)",
        "INSERT INTO a VALUES (1), (2)",
        "INSERT INTO b VALUES (5, 1), (6, 2)",
    )
    virtual = {"table": "b", "columns": ["of_a"], "other_table": "a", "other_columns": ["id"]}
    settings = Settings.model_validate({"virtual_foreign_keys": [virtual]})
    assert [r["id"] for r in document(connection, "a", "1", settings=settings)["tables"]["b"]] == [5]
    alone = document(connection, "b", "5", settings=settings)
    assert alone["coverage"]["dangling"][0]["virtual"] is True


def test_the_walk_stops_at_a_table_that_may_not_be_seen() -> None:
    connection = database(
        None,
        "CREATE TABLE mine (id INTEGER PRIMARY KEY, above REFERENCES hidden_parent)",
        "CREATE TABLE hidden_parent (id INTEGER PRIMARY KEY)",
        "CREATE TABLE hidden_child (id INTEGER PRIMARY KEY, mine REFERENCES mine)",
        "CREATE TABLE below (id INTEGER PRIMARY KEY, child REFERENCES hidden_child)",
        "INSERT INTO hidden_parent VALUES (1)",
        "INSERT INTO mine VALUES (1, 1)",
        "INSERT INTO hidden_child VALUES (1, 1)",
        "INSERT INTO below VALUES (1, 1)",
    )
    found = document(connection, "mine", "1", visible={"mine", "below"}, parents="needed")
    assert list(found["tables"]) == ["mine"]
    assert found["coverage"]["no_permission"] == [{"table": "hidden_parent", "along": "mine.above"}]
    assert "missing_in_source" not in found["coverage"]["dangling"][0]
    assert "hidden_child" not in str(found)
    with pytest.raises(LookupError, match="or you may not see it"):
        exported(connection, "HIDDEN_child", visible={"mine"})


def test_a_path_that_could_be_two_rows_names_none() -> None:
    rows = "INSERT INTO t VALUES (1, 'number'), ('1', 'text'), (2, 'number'), (X'32', 'blob')"
    connection = database(None, "CREATE TABLE t (id PRIMARY KEY, n)", rows)
    assert [r["n"] for r in document(connection, "t", "1")["tables"]["t"]] == ["text"]
    with pytest.raises(RequestError, match=r"^2 names 2 rows of t, not one\.$"):
        exported(connection, "t", "2")
    for name in ("number", "blob"):  # both are there, by another way
        assert len(document(connection, "t", where=[f"n = '{name}' AND CAST(id AS TEXT) = '2'"])["tables"]["t"]) == 1
