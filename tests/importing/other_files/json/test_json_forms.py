"""JSON in loose forms: one object, several, rows under a key, other encodings, NaN if it was asked for."""

from __future__ import annotations

import json

import pytest

from datasette_program_export.errors import RequestError

from ..conftest import Importing

T = "id INTEGER PRIMARY KEY, a TEXT"
ROWS = [(1, "x"), (2, "y")]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("f.json", '{"id":1,"a":"x"}{"id":2,"a":"y"}'),
        ("f.json", '{\n  "id": 1,\n  "a": "x"\n}\n{\n  "id": 2,\n  "a": "y"\n}\n'),
        ("f.ndjson", '{\n  "id": 1,\n  "a": "x"\n}\n{\n  "id": 2,\n  "a": "y"\n}\n'),
        ("f.ndjson", '{"id":1,"a":"x"} {"id":2,"a":"y"}\n'),
        ("f.json", '[{"id":1,"a":"x"}]\n[{"id":2,"a":"y"}]'),
        ("f.json", '{"id":1,"a":"x"}\n\n{"id":2,"a":"y"}\n'),
        ("f.json", '{"data": [{"id":1,"a":"x"},{"id":2,"a":"y"}], "count": 2}'),
        ("f.json", '{"count": 2, "result": {"items": [{"id":1,"a":"x"},{"id":2,"a":"y"}], "next": null}}'),
        ("f.json", '\ufeff[{"id":1,"a":"x"},{"id":2,"a":"y"}]'),
        ("f.ndjson", '\ufeff{"id":1,"a":"x"}\n{"id":2,"a":"y"}\n'),
    ],
)
def test_rows_in_any_form_go_into_the_table_that_is_named(name: str, text: str, importing: Importing) -> None:
    assert importing(T, text, name).rows == ROWS


def test_one_object_is_one_row(importing: Importing) -> None:
    found = importing(T, '{"id": 1, "a": "x"}', "f.json")
    assert found.rows == [(1, "x")] and found.report.layout == "one row, into t"
    assert importing(T, '{"id": 1, "a": {"b": [1.50]}}', "f.json").rows == [(1, '{"b":[1.50]}')]
    assert importing(T, '{"id": 1, "a": [{"b": 1}]}', "f.json").rows == [(1, '[{"b":1}]')]
    assert "t has no column z" in importing(T, '{"id": 1, "z": 2}', "f.json").refused
    assert "none of its keys is a column of t" in importing(T, '{"y": 1, "z": {"id": 2}}', "f.json").refused


def test_what_stands_beside_the_rows_is_named(importing: Importing) -> None:
    found = importing(T, '{"count": 1, "data": [{"id": 1}], "links": {"next": null}}', "f.json")
    assert found.rows == [(1, None)] and "is not read: count, links" in found.notes
    assert found.report.layout == "rows under data, into t"


def test_of_several_lists_one_is_asked_for(importing: Importing) -> None:
    text = '{"old": [{"id": 1, "a": "x"}], "new": {"rows": [{"id": 2, "a": "y"}], "one": {"id": 3}}}'
    assert (
        "several lists of rows (old, new.rows): name one of them with the argument rows_at"
        in importing(T, text, "f.json").refused
    )
    assert importing(T, text, "f.json", rows_at="old").rows == [(1, "x")]
    assert importing(T, text, "f.json", rows_at="new.rows").rows == [(2, "y")]
    assert importing(T, text, "f.json", rows_at="new.one").rows == [(3, None)]
    with pytest.raises(RequestError, match="no rows at new.x in the file. It has some at: old, new.rows"):
        importing(T, text, "f.json", rows_at="new.x")


def test_a_table_is_never_named_in_vain(importing: Importing) -> None:
    """Where the file names its tables, another one that is named contradicts it."""
    assert importing(T, '{"t": [{"id": 1}]}', "f.json").rows == [(1, None)]
    assert importing(T, '{"t": []}', "f.json").rows == []
    with pytest.raises(RequestError, match="rows of u, not of t"):
        importing(T, '{"table": "u", "records": [{"id": 1}]}', "f.json")
    with pytest.raises(RequestError, match=r"names its tables itself \(u\)"):
        importing(f"{T}); CREATE TABLE u (id", '{"u": [{"id": 1}]}', "f.json")


def test_without_a_table_loose_rows_ask_for_one(importing: Importing) -> None:
    for text in ('{"id":1}{"id":2}', '{"id": 1}\n{"id": 2}\n'):
        with pytest.raises(RequestError, match="table"):
            importing(T, text, "f.json", table=None, find_table=False)


@pytest.mark.parametrize("name", ["f.json", "f.ndjson"])
def test_nan_is_no_value_if_that_is_asked_for(name: str, importing: Importing) -> None:
    lines = ['{"id": 1, "a": NaN}', '{"id":2,"a":"NaN, \\"Infinity\\" "}', '{"id": 3, "a": [1,-Infinity]}']
    text = f"[{','.join(lines)}]" if name == "f.json" else "\n".join(lines)
    assert 'the argument nan="null"' in importing(T, text, name).refused
    found = importing(T, text, name, nan="null")
    assert found.rows == [(1, None), (2, 'NaN, "Infinity" '), (3, "[1,null]")]


def test_nan_at_every_place_of_a_block(importing: Importing) -> None:
    for shift in range(65520, 65540):
        text = f'[{{"id": 1, "a": "{"x" * (shift - 30)}"}}, {{"id": -0, "a": -Infinity}}]'
        assert importing(T, text, "f.json", nan="null").rows[0] == (0, None)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32", "cp1252"])
def test_another_encoding_is_read_if_it_is_seen_or_said(encoding: str, importing: Importing) -> None:
    said = {"encoding": encoding} if encoding == "cp1252" else {}
    rows = [{"id": 1, "a": "é"}, {"id": 2, "a": "ü"}]
    found = importing(T, json.dumps(rows, ensure_ascii=False).encode(encoding), "f.json", **said)
    assert found.rows == [(1, "é"), (2, "ü")] and "which JSON is not" in found.notes
    lines = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    assert importing(T, lines.encode(encoding), "f.ndjson", **said).rows == [(1, "é"), (2, "ü")]
