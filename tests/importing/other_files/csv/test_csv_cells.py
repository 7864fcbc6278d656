"""What a cell of another program's CSV means in its column: read and told, or asked about; never guessed."""

from __future__ import annotations

import pytest

from tests.importing.other_files.conftest import Importing


def one(column: str) -> str:
    return f"id INTEGER PRIMARY KEY, c {column}"


def lines(*cells: str) -> str:
    """A file with these cells, in a form that is not this program's."""
    return "id,c\n" + "".join(f"{n},{cell}\n" for n, cell in enumerate(cells, 1))


@pytest.mark.parametrize("column", ["BOOLEAN", "bool", "BIT", "BIT(1)", "INTEGER", "TINYINT(1)"])
def test_words_for_truth_values_become_numbers_and_it_is_told(column: str, importing: Importing) -> None:
    found = importing(one(column), lines("TRUE", "false", "True", "1", "0", ""))
    assert [value for _, value in found.rows] == [1, 0, 1, 1, 0, None]
    assert "3 word(s) for true and false in t.c are read as 1 and 0" in found.notes


def test_more_words_are_truth_values_in_a_column_of_them_alone(importing: Importing) -> None:
    assert [v for _, v in importing(one("BOOLEAN"), lines("yes", "No", "t", "F", "on")).rows] == [1, 0, 1, 0, 1]
    assert "is no number" in importing(one("INTEGER"), lines("yes")).refused
    for column in ("TEXT", "STRING", "DECIMAL", "DATE", ""):
        assert importing(one(column), lines("true")).rows == [(1, "true")]
    assert importing(one("BOOLEAN"), lines("true"), cells={"c": "text"}).rows == [(1, "true")]
    assert importing(one("TEXT"), lines("yes"), cells={"C": "boolean"}).rows == [(1, "1")]


@pytest.mark.parametrize("column", ["BIGINT", "INTEGER", "NUMERIC", "REAL"])
@pytest.mark.parametrize(
    "cell", ["10203040506070809010", "9007199254740993.0", "1e400", "3.14159265358979323846", "1e-400"]
)
def test_a_number_that_would_become_another_one_is_refused(cell: str, column: str, importing: Importing) -> None:
    said = importing(one(column), lines("5", cell)).refused
    assert "Line 3 of t: c has more digits than SQLite stores" in said
    rounded = importing(one(column), lines("5", cell), cells={"c": "number"})
    assert rounded.rows[1] == (2, float(cell)) and "rounded" in rounded.notes


@pytest.mark.parametrize(
    "cell",
    ["9223372036854775807", "-9223372036854775808", "0.1", "0.10000000000000001", "1.50", "007", "-0", "1E5", "+5",
     "0.1000000000000000055511151231257827", "1e308", " 5 ", ".5", "5."],
)  # fmt: skip
def test_a_number_that_stays_the_same_is_none(cell: str, importing: Importing) -> None:
    ((_, value),) = importing(one("NUMERIC"), lines(cell)).rows
    assert value == (int(cell) if cell.strip("+- ").isdigit() else float(cell))


def test_beyond_the_whole_numbers_that_a_double_holds(importing: Importing) -> None:
    assert importing(one("INTEGER"), lines("9007199254740993")).rows == [(1, 2**53 + 1)]
    assert "more digits" in importing(one("REAL"), lines("9007199254740993")).refused


def test_zeros_in_front_are_lost_in_a_column_for_numbers_and_it_is_told(importing: Importing) -> None:
    for column in ("INTEGER", "NUMERIC", "STRING"):
        found = importing(one(column), lines("07867", "5"))
        assert found.rows == [(1, 7867), (2, 5)] and "1 number(s) in t.c are changed in their spelling" in found.notes
    assert importing(one("TEXT"), lines("07867")).rows == [(1, "07867")]
    assert "changed" in importing(one("INTEGER"), lines("+41791234567")).notes
    for cell in ("1E5", "1.10"):  # SQLite takes STRING for a type of numbers
        assert "changed in their spelling" in importing(one("STRING"), lines(cell)).notes
        assert "changed" not in importing(one("REAL"), lines(cell)).notes


@pytest.mark.parametrize("column", ["REAL", "INTEGER", "DECIMAL(10,2)", "NUMERIC"])
@pytest.mark.parametrize("cell", ['"1.234,56"', '"12,5"', "1 234", "1'234", '"1,234"', "1.234.567", "1\u202f234"])
def test_thousands_and_decimal_commas_are_asked_about(cell: str, column: str, importing: Importing) -> None:
    said = importing(one(column), lines("5", cell)).refused
    assert "Line 3 of t: c is a number with a decimal comma or thousands" in said and "the argument decimal" in said


def test_decimal_commas_and_points_are_read_as_told(importing: Importing) -> None:
    cells = ['"1.234,56"', '"12,5"', '"-1 234,5"', "7", "1.234.567", "1'234"]
    found = importing(one("REAL"), lines(*cells), decimal="comma")
    assert [v for _, v in found.rows] == [1234.56, 12.5, -1234.5, 7, 1234567, 1234]
    assert "read with a decimal comma" in found.notes
    found = importing(one("REAL"), lines('"1,234.56"', "12.5", '"1,234"'), decimal="point")
    assert [v for _, v in found.rows] == [1234.56, 12.5, 1234]
    for cell, wish in (('"1,234.56"', "comma"), ("12.5", "comma"), ('"12,5"', "point"), ('"1.234,56"', "point")):
        assert f"is no number with a decimal {wish}" in importing(one("REAL"), lines(cell), decimal=wish).refused
    assert importing(one("REAL"), lines("1.234"), decimal="comma").rows == [(1, 1234)]
    assert importing(one("REAL"), lines("1.234")).rows == [(1, 1.234)]
    assert "the argument decimal" in importing(one("INTEGER"), lines("1.234")).refused
    assert importing(one("INTEGER"), lines("1.234", "5"), decimal="comma").rows == [(1, 1234), (2, 5)]
    assert importing(one("INTEGER"), lines("1.234", "0.125"), decimal="point").rows == [(1, 1.234), (2, 0.125)]
    assert importing(one("TEXT"), lines('"1.234,56"'), decimal="comma").rows == [(1, "1.234,56")]


@pytest.mark.parametrize("column", ["DATE", "DATETIME", "TIMESTAMP"])
@pytest.mark.parametrize("cell", ["01/02/2024", "1.2.2024", "31-12-2024", "01/02/24", "1/2/2024 10:30"])
def test_a_date_that_could_be_two_is_asked_about(cell: str, column: str, importing: Importing) -> None:
    said = importing(one(column), lines("2024-01-31", cell)).refused
    assert "Line 3 of t: c is a date that is not year-month-day" in said and "the argument dates" in said
    assert importing(one(column), lines(cell), dates="text").rows == [(1, cell)]


def test_dates_are_read_as_told(importing: Importing) -> None:
    found = importing(one("DATE"), lines("01/02/2024", "31.12.2024 10:30", "2024-05-06", "5"), dates="day-first")
    assert [v for _, v in found.rows] == ["2024-02-01", "2024-12-31 10:30", "2024-05-06", 5]
    assert "2 date(s) in t.c are read day-first" in found.notes
    assert importing(one("DATE"), lines("01/02/2024"), dates="month-first").rows == [(1, "2024-01-02")]
    assert "no date" in importing(one("DATE"), lines("31/12/2024"), dates="month-first").refused
    assert "no date" in importing(one("DATE"), lines("30/02/2024"), dates="day-first").refused
    assert "four digits" in importing(one("DATE"), lines("01/02/24"), dates="day-first").refused
    assert importing(one("TEXT"), lines("01/02/2024"), dates="day-first").rows == [(1, "01/02/2024")]


def test_what_is_no_base64_is_no_binary_data(importing: Importing) -> None:
    said = importing(one("BLOB"), lines("hello world!", "abcd", "0xFF00")).refused
    for cell in ("0xFF", "0xdeadbe", "DEADBEEF", "00ff00ff"):
        assert "could be hexadecimal or base64" in importing(one("BLOB"), lines(cell)).refused
    assert "Line 2 of t: c is no base64" in said and "the argument cells with c=hex" in said
    found = importing(one("BLOB"), lines("abcd", "AP8="))
    assert found.rows == [(1, b"i\xb7\x1d"), (2, b"\0\xff")] and "2 value(s) of t.c are read as binary" in found.notes
    found = importing(one("BLOB"), lines("0xFF00", "x'00ff'", "\\x00FF", "ff"), cells={"c": "hex"})
    assert [v for _, v in found.rows] == [b"\xff\0", b"\0\xff", b"\0\xff", b"\xff"]
    assert importing(one("BLOB"), lines("hello", "abcd"), cells={"*": "text"}).rows == [(1, "hello"), (2, "abcd")]


def test_binary_data_in_any_column_if_it_is_said(importing: Importing) -> None:
    for column in ("POINT", "MULTIPOINT", "LINESTRING", "TEXT", "REAL", ""):
        assert importing(one(column), lines("R1A="), cells={"c": "base64"}).rows == [(1, b"GP")]
    for column in ("POINT", "LINESTRING"):
        assert "could be binary data (base64) or a text" in importing(one(column), lines("R1A=")).refused
        assert importing(one(column), lines("R1A="), cells={"c": "text"}).rows == [(1, "R1A=")]


def test_a_column_without_a_type_gets_texts_and_it_is_told(importing: Importing) -> None:
    found = importing(one(""), lines("5", "x"))
    assert found.rows == [(1, "5"), (2, "x")] and "1 number(s) in t.c stay texts" in found.notes
    found = importing(one(""), lines("5", "1.5", "x"), cells={"c": "number"})
    assert [v for _, v in found.rows] == [5, 1.5, "x"]


def test_a_formula_that_shows_a_text_is_this_text(importing: Importing) -> None:
    found = importing(one("TEXT"), lines('"=""00123"""', "='x'", '="7"'))
    assert [v for _, v in found.rows] == ["00123", "='x'", "7"] and "2 cell(s) of t.c" in found.notes


def test_texts_in_a_column_for_numbers_are_refused_or_told(importing: Importing) -> None:
    assert "c is no number" in importing(one("INTEGER"), lines("abc")).refused
    assert importing(one("INTEGER"), lines("abc"), cells={"c": "text"}).rows == [(1, "abc")]
    assert "1 value(s) of t.c are texts" in importing(one("DECIMAL"), lines("n/a")).notes


def test_a_text_with_a_zero_byte_is_one(importing: Importing) -> None:
    assert importing(one("TEXT"), lines("a\0b", "\0")).rows == [(1, "a\0b"), (2, "\0")]


def test_a_cell_may_be_as_large_as_any_row(importing: Importing) -> None:
    text = "x" * 3_000_000 + "\n" + "é" * 1_000_000
    assert importing(one("TEXT"), f'id,c\n1,"{text}"\n').rows == [(1, text)]


@pytest.mark.parametrize("column", ["NUMERIC", "DECIMAL", "BLOB", "DATE", "TEXT", ""])
@pytest.mark.parametrize("cell", ["1" * 300_000 + "x", ",1" * 150_000, "1 " * 150_000 + "x", '="' + '""' * 150_000])
def test_no_cell_takes_long_to_look_at(cell: str, column: str, importing: Importing) -> None:
    """Patterns that try each way to divide a text would need hours for these."""
    quoted = '"' + cell.replace('"', '""') + '"'
    assert importing(one(column), lines(quoted)).report.status in ("preview", "refused")
