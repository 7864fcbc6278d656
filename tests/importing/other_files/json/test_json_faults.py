"""Faults of a JSON text are told with line and column, and what to do."""

from __future__ import annotations

import pytest

from ..conftest import Importing

T = "id INTEGER PRIMARY KEY, a"
PAD = "".join(f'{{"id": {n}, "a": "ä"}},\n' for n in range(2, 9000))  # more than a block of the parser


@pytest.mark.parametrize("pad", ["", PAD])
@pytest.mark.parametrize(
    ("row", "column", "words"),
    [
        ('{"id": 1, "a": NaN}', 16, 'not JSON|the argument nan="null"'),
        ('{"id": 1, "a": "é" "b"}', 22, "not JSON"),
        ('{"é": 1, "a": 2,}', 17, "not JSON|a comma"),
        ("{'id': 1}", 2, "not JSON|double quotes"),
        ('{"id": 1} // no', 11, "not JSON|comments"),
        ('{"id": 1, "a": True}', 16, "not JSON|true"),
        ('{"id": 1, "a": 2, "id": 3}', 22, "id twice"),
        ('{"id": 1, "a": {"b": 1, "b": 2}}', 27, "b twice"),
        ('{"id": 1, "a": 1e9999999999999999999}', 37, "too large or too small"),
    ],
)
def test_a_fault_is_told_with_its_place(row: str, column: int, words: str, pad: str, importing: Importing) -> None:
    said = importing(T, f"[\n{pad}{row}\n]", "f.json").refused
    line = 2 + pad.count("\n")
    assert f"line {line:,}, column {column:,})" in said, said
    assert all(word in said for word in words.split("|")), said


@pytest.mark.parametrize("pad", ["", PAD])
def test_a_byte_of_another_encoding_too(pad: str, importing: Importing) -> None:
    said = importing(T, f'[\n{pad}{{"id": 1,\n"a": "'.encode() + b'\xe9"}]', "f.json").refused
    assert f"not utf-8, as JSON is (line {3 + pad.count(chr(10)):,}, column 7): use the argument encoding" in said


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ('{"id": 2, "a": NaN}', 'Line 2 is no row|column 16|the argument nan="null"'),
        ('{"id": 2, "é": 1, }', "Line 2 is no row|column 19"),
        ('{"id": 2, "a": 1, "id": 3}', "Line 2 has id twice in one object (column 19)"),
        ('{"id": 2, "\\u0061": 1, "a": 3}', "Line 2 has a twice"),
        ('{"id": 2, "a": 1e9999999999999999999}', "Line 2 of t: a holds a value that SQLite cannot"),
        ('{"id": 2, "a": 3.14159265358979323846}', "Line 2 of t: a holds a number of more digits"),
        ('{"id": 2, "a": 99999999999999999999}', "Line 2 of t: a holds a value that SQLite cannot"),
    ],
)
def test_a_line_that_is_no_row_is_told_with_its_place(row: str, words: str, importing: Importing) -> None:
    said = importing(T, f'{{"id": 1, "a": "é"}}\n{row}\n', "f.ndjson").refused
    assert all(word in said for word in words.split("|")), said


def test_a_key_twice_within_a_value_is_kept_as_it_stands(importing: Importing) -> None:
    rows = importing(T, '{"id":1,"a":{"b":1,"b":2}}\n{"id":2,"a":"\\"x\\":"}\n', "f.ndjson").rows
    assert rows == [(1, '{"b":1,"b":2}'), (2, '"x":')]


def test_digits_of_a_number_are_kept_or_it_is_refused(importing: Importing) -> None:
    for digits in ("0.1", "0.10000000000000001", "1e308", "1E5", "123456789.123"):
        assert importing(T, f'[{{"id": 1, "a": {digits}}}]', "f.json").rows == [(1, float(digits))]
    for digits in ("3.14159265358979323846", "9007199254740993.0", "1e-400"):
        assert "more digits" in importing(T, f'[{{"id": 1, "a": {digits}}}]', "f.json").refused
        rounded = importing(T, f'[{{"id": 1, "a": {digits}}}]', "f.json", cells={"a": "number"})
        assert rounded.rows == [(1, float(digits))]
