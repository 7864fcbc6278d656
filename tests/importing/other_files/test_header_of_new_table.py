"""No row becomes the names of a new table's columns unasked: a first line that looks like one is asked about."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from datasette_program_export import load
from datasette_program_export.errors import in_words
from tests.support.databases.house import rows


def made(tmp_path: Path, text: str, **choices: Any) -> Any:
    (tmp_path / "people.csv").write_text(text)
    return load(tmp_path / "t.db", tmp_path / "people.csv", create=True, **choices)


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("1,Ann,Ulm", "a number"),
        ("Ann,-1.50,Ulm", "a number"),
        ("Ann,€ 12,Ulm", "a number"),
        ("Ann,2024-01-31,Ulm", "a date"),
        ("Ann,31.1.2024,Ulm", "a date"),
        ("Ann,2024-01-31 12:00,Ulm", "a date"),
        ("Ann,ann@example.org,Ulm", "an address"),
        ("Ann,true,Ulm", "a truth value"),
        ("Ann,,Ulm", "an empty field"),
        ("Ann,Ulm,ulm", "the same twice"),
        ("a0000000-0000-4000-8000-000000000001,Ann,Ulm", "an identifier"),
    ],
)
def test_a_first_line_like_a_row_is_asked_about(tmp_path: Path, line: str, what: str) -> None:
    (finding,) = made(tmp_path, f"{line}\nBob,2,Bonn\n", preview=True).findings
    assert finding.message.startswith(f"The first line has {what}")
    assert "use --header; if it is a row and the file has no header, --no-header." in in_words(
        finding.message, "command"
    )


def test_the_answer_is_taken(tmp_path: Path) -> None:
    assert made(tmp_path, "town,2019,2020\nUlm,1,2\n", header=True, preview=True).tables["people"].insert == 1
    made(tmp_path, "1,Ann\n2,Bob\n", header=False)
    assert rows(tmp_path / "t.db", "SELECT * FROM people") == [(1, "Ann"), (2, "Bob")]


@pytest.mark.parametrize("line", ["id,first name,e-mail", "Name;Straße;PLZ (5)", "id,name,", "a1,q2_2024,x.y"])
def test_names_are_names(tmp_path: Path, line: str) -> None:
    assert made(tmp_path, f"{line}\n1,2,\n".replace(",", ";" if ";" in line else ","), preview=True).ok
