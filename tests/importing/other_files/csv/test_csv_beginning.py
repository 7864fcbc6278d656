"""Where the rows of a CSV file begin: no header is stored as a row, and no row is taken for a header."""

from __future__ import annotations

import pytest

from datasette_program_export.errors import RequestError
from tests.importing.other_files.conftest import Importing

PEOPLE = "first_name TEXT, last_name TEXT"


@pytest.mark.parametrize(
    "first",
    ["First Name,Last Name", "Name,Mail", "Anna,Roth", "2019,2020", "1.5,2024-01-31", ",Mail", "name,name"],
)
def test_a_first_line_that_could_be_either_is_asked_about(first: str, importing: Importing) -> None:
    said = importing(PEOPLE, f"{first}\nBob,Frei\n").refused
    assert "names no column of t" in said and "the argument header=False" in said


def test_without_a_header_the_first_line_is_a_row(importing: Importing) -> None:
    assert importing(PEOPLE, "Anna,Roth\nBob,Frei\n", header=False).rows == [("Anna", "Roth"), ("Bob", "Frei")]


def test_a_header_in_other_letters_is_one(importing: Importing) -> None:
    assert importing(PEOPLE, "LAST_NAME,First_Name\nRoth,Anna\n").rows == [("Anna", "Roth")]


def test_the_header_is_no_row_even_if_somebody_says_so(importing: Importing) -> None:
    assert (
        "leave out the argument header=False"
        in importing(PEOPLE, "first_name,last_name\nAnna,Roth\n", header=False).refused
    )


@pytest.mark.parametrize(
    "columns", ["id INTEGER PRIMARY KEY, name TEXT, n INT", "id INT, name TEXT, n INT, PRIMARY KEY (id)"]
)
def test_a_number_where_the_key_is_begins_a_row(columns: str, importing: Importing) -> None:
    found = importing(columns, "1,Anna,5\n2,Bob,6\n")
    assert found.rows == [(1, "Anna", 5), (2, "Bob", 6)]
    assert found.report.layout is not None and found.report.layout.endswith("without a header")


def test_numbers_elsewhere_could_be_a_header_of_years(importing: Importing) -> None:
    assert "the argument header=False" in importing("name TEXT, a INT, b INT", "Person,2019,2020\nAnna,1,2\n").refused


@pytest.mark.parametrize(
    ("line", "sign"), [("sep=;", ";"), ("SEP=|", "|"), ('"sep=;"', ";"), ("\ufeffsep=\t", "\t"), ("sep=~", "~")]
)
def test_a_line_that_tells_the_delimiter_is_no_row(line: str, sign: str, importing: Importing) -> None:
    found = importing("a TEXT, b TEXT", f"{line}\r\na{sign}b\r\n1{sign}2,5\r\n")
    assert found.rows == [("1", "2,5")]
    assert "sep=" in found.notes


@pytest.mark.parametrize(
    "above",
    ["Report of 2024\n", "Report of 2024\n\n", "Report,,\n,,\n", "Made by,Anna,\n\nOn,2024-01-01,\n", "\n\n"],
)
def test_lines_above_the_header_are_passed_over_and_told(above: str, importing: Importing) -> None:
    found = importing("a TEXT, b TEXT, c TEXT", above + "a,b,c\n1,2,3\n")
    assert found.rows == [("1", "2", "3")]
    assert ("above the header" in found.notes) is bool(above.strip())


def test_a_line_above_the_header_that_could_be_a_row_is_asked_about(importing: Importing) -> None:
    rows = "x,y\nz,w\na,b\n1,2\n"
    assert "the argument skip_lines" in importing("a TEXT, b TEXT", rows).refused
    assert importing("a TEXT, b TEXT", rows, skip_lines=2).rows == [("1", "2")]


def test_lines_are_counted_with_those_above(importing: Importing) -> None:
    assert "Line 5 has 1 fields" in importing("a TEXT, b TEXT", "x\ny\na,b\n1,2\n3\n", skip_lines=2).refused
    assert "Line 4 has 1 fields" in importing("a TEXT, b TEXT", "Title\na,b\n1,2\n3\n").refused


@pytest.mark.parametrize(
    "data", ["a,b,\n1,2,\n", "a,b,,\n1,2,,\n3,4\n", "a,b, \n1,2,\n3,4,\n", "a,b\n1,2,,\n", ",a,b\n,1,2\n"]
)
def test_columns_without_name_and_value_are_passed_over(data: str, importing: Importing) -> None:
    assert importing("a TEXT, b TEXT", data).rows[0] == ("1", "2")


def test_a_value_without_a_name_is_not_lost(importing: Importing) -> None:
    assert "Line 3 has a value in a column without a name" in importing("a TEXT, b TEXT", "a,b,\n1,2,\n3,4,x\n").refused
    assert "Line 3 has 4 fields, not 2" in importing("a TEXT, b TEXT", "a,b\n1,2\n3,4,,x\n").refused


def test_lines_of_delimiters_alone_are_no_rows(importing: Importing) -> None:
    found = importing("id INTEGER PRIMARY KEY, a TEXT", "id,a\n3,z\n,\n\n,\n")
    assert found.rows == [(3, "z")]
    assert "2 line(s) without any value are passed over" in found.notes


def test_a_name_with_blanks_is_taken_exactly_first(importing: Importing) -> None:
    assert importing('id INTEGER, " Amount " TEXT', "id, Amount \n1,5\n").rows == [(1, "5")]
    assert importing('id INTEGER, " a " TEXT, a TEXT', "id,a, a \n1,x,y\n").rows == [(1, "y", "x")]
    assert importing("id INTEGER, amount TEXT", "id, Amount \n1,5\n").rows == [(1, "5")]


def test_what_cannot_be_asked_is_told(importing: Importing) -> None:
    with pytest.raises(RequestError, match="skip_lines"):
        importing("a TEXT", "a\n1\n", skip_lines=-1)
    with pytest.raises(RequestError, match="t has no column z"):
        importing("a TEXT", "a\n1\n", cells={"z": "text"})
    with pytest.raises(RequestError, match="decimal"):
        importing("a TEXT", "a\n1\n", decimal="dot")
