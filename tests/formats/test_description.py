"""The typed parts of a document's description: what they parse, and what they write."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from datasette_program_export import Plan, Request, plan
from datasette_program_export.errors import UnreadableError
from datasette_program_export.formats.description.coverage import EMPTY, Coverage, Dangling, LeftOut, parsed_coverage
from datasette_program_export.formats.description.coverage_text import coverage_sentences
from datasette_program_export.formats.description.integrity import Announced, AnnouncedTable, parsed_integrity
from datasette_program_export.formats.description.parsing import dumped
from datasette_program_export.formats.description.schema import (
    DatabaseFacts,
    DocumentColumn,
    DocumentSchema,
    DocumentTable,
    parsed_schema,
)
from datasette_program_export.formats.description.schema_text import schema_sentences

COVERAGE: dict[str, Any] = {
    "tables": {"p": {"belongs": 1, "needed": 0}},
    "withheld": [{"table": "p", "along": "c.p", "direction": "up", "rows": 2, "why": "a person"}],
    "no_permission": [{"table": "hidden", "along": "c.hidden"}],
    "secret": [{"table": "p", "column": "password", "why": "a secret"}],
    "left_out": [{"table": "v", "why": "is a view"}, {"table": "p", "column": "x"}, {"reference": "c.q"}],
    "dangling": [
        {"table": "c", "columns": ["a", "b"], "other_table": "p", "other_columns": ["x", "y"], "rows": 3}
        | {"missing_in_source": 0, "virtual": True},
        {"table": "c", "columns": ["q"], "other_table": "q", "other_columns": ["id"], "rows": 1},
    ],
    "warnings": ["Something."],
}


def test_a_coverage_is_written_as_it_was_read() -> None:
    assert json.dumps(dumped(parsed_coverage(COVERAGE))) == json.dumps(COVERAGE)
    assert list(dumped(EMPTY)) == list(COVERAGE)


def test_dangling_references_are_found_by_their_columns_and_tables() -> None:
    found = parsed_coverage(COVERAGE).dangling_by_reference
    assert found == {("c", ("a", "b"), "p"): 3, ("c", ("q",), "q"): 1}


@pytest.mark.parametrize(
    "changed",
    [
        {"more": []},
        {"tables": []},
        {"dangling": [{**COVERAGE["dangling"][0], "rows": "many"}]},
        {"withheld": [{**COVERAGE["withheld"][0], "direction": "sideways"}]},
        {"left_out": [{"view": "v"}]},
    ],
    ids=str,
)
def test_a_coverage_that_is_formed_otherwise_is_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(UnreadableError):
        parsed_coverage(COVERAGE | changed)


SCHEMA: dict[str, Any] = {
    "tables": {
        "p": {
            "columns": [{"name": "id", "type": "INTEGER"}, {"name": "x", "type": "TEXT", "collation": "NOCASE"}],
            "primary_key": ["id"],
            "foreign_keys": [],
            "strict": True,
            "unique_keys": [["x"]],
            "sql": "CREATE TABLE p (...)",
        },
        "v": {
            "columns": [{"name": "j", "type": "", "json": True, "generated": True}],
            "primary_key": [],
            "foreign_keys": [{"columns": ["j"], "table": "p", "other_columns": ["id"]}],
            "kind": "view",
            "sql": "CREATE TABLE v (...)",
        },
    },
    "deferred": ["v.j"],
    "objects": [{"type": "index", "name": "i", "table": "p", "sql": "CREATE INDEX i ON p (x)"}],
    "not_carried": [
        {"type": "constraints", "table": "p", "why": "a reason"},
        {"type": "trigger", "name": "t", "table": "p", "why": "another"},
    ],
    "database": {"encoding": "UTF-16le", "user_version": 7, "sequences": {}},
}


def test_a_schema_is_written_as_it_was_read() -> None:
    assert json.dumps(dumped(parsed_schema(SCHEMA))) == json.dumps(SCHEMA)
    bare = {**SCHEMA, "database": {"encoding": "UTF-8"}}
    assert json.dumps(dumped(parsed_schema(bare))) == json.dumps(bare)


@pytest.mark.parametrize(
    "changed",
    [
        {"tables": {"p": {**SCHEMA["tables"]["p"], "columns": []}}},
        {"tables": {"p": {**SCHEMA["tables"]["p"], "kind": "table"}}},
        {"objects": [{**SCHEMA["objects"][0], "type": "table"}]},
        {"database": {"encoding": "EBCDIC"}},
        {"more": 1},
    ],
    ids=["no column", "kind", "object", "encoding", "more"],
)
def test_a_schema_that_is_formed_otherwise_is_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(UnreadableError):
        parsed_schema(SCHEMA | changed)


def test_what_is_announced_is_written_as_it_was_read() -> None:
    found = {"rows": 3, "tables": {"p": {"rows": 1, "sha256": "a"}, "c": {"rows": 2, "sha256": "b"}}}
    assert json.dumps(dumped(parsed_integrity(found))) == json.dumps(found)
    sorted_otherwise = Announced(1, {"p": AnnouncedTable(1, "a", "b")})
    assert dumped(sorted_otherwise)["tables"] == {"p": {"rows": 1, "sha256": "a", "sha256_as_exported": "b"}}


@pytest.mark.parametrize("rows", ["3", 3.0, True, None])
def test_a_number_of_rows_is_a_whole_number(rows: Any) -> None:
    with pytest.raises(UnreadableError):
        parsed_integrity({"rows": rows, "tables": {}})
    with pytest.raises(UnreadableError):
        parsed_integrity({"rows": 3, "tables": {"t": {"rows": rows, "sha256": "a"}}})


def test_names_that_are_not_utf_8_stand_in_a_coverage() -> None:
    """An export to csv has no place for it, so it is not written, but told."""
    odd = Dangling("t\udcff", ("c\udcff",), "p", ("id",), 1)
    assert (
        replace(EMPTY, dangling=(odd,), left_out=(LeftOut(table="v\udcff"),)).dangling_by_reference[odd.reference] == 1
    )


def test_a_plan_is_read_back_from_its_json(demo_file: Path) -> None:
    made = plan(demo_file, Request())
    assert isinstance(made.coverage, Coverage) and made.coverage != EMPTY
    assert Plan.model_validate_json(made.model_dump_json()) == made
    unfinished = made.model_copy(update={"complete": False, "coverage": EMPTY})
    assert json.loads(unfinished.model_dump_json())["coverage"] == {}
    assert Plan.model_validate_json(unfinished.model_dump_json()) == unfinished


def test_virtual_tables_that_became_plain_are_told() -> None:
    column = DocumentColumn("id", "")
    tables = {
        name: DocumentTable(columns=(column,), primary_key=(), foreign_keys=(), kind=kind, sql="CREATE TABLE x (id)")
        for name, kind in (("t", None), ("box", "virtual"), ("words", "virtual"))
    }
    schema = DocumentSchema(tables, (), (), (), DatabaseFacts("UTF-8"))
    assert schema_sentences(schema) == [
        "2 tables were virtual tables, or parts of them: here they are plain tables with their rows (box, words)."
    ]


def test_a_reference_to_a_row_that_does_not_exist_is_told_apart_from_one_that_is_not_included() -> None:
    edges = [Dangling("t", ("c",), "p", ("id",), 3, missing_in_source=gone) for gone in (None, 0, 1, 3)]
    assert [coverage_sentences(replace(EMPTY, dangling=(edge,))) for edge in edges] == [
        ["3 rows of t refer to a row of p that is not included (c)."],
        ["3 rows of t refer to a row of p that is not included (c)."],
        [
            "2 rows of t refer to a row of p that is not included (c).",
            "1 row of t refers to a row of p that does not exist in the database (c).",
        ],
        ["3 rows of t refer to a row of p that does not exist in the database (c)."],
    ]
