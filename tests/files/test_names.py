"""Names that every system takes."""

from __future__ import annotations

from datetime import datetime, timezone
from unicodedata import category

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from datasette_program_export.files.names import export_name, member_names, safe


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("O'Brien", "O'Brien"),
        ("José 李 Müller", "José-李-Müller"),
        ('a/b\\c:d*e?"<>|', "a-b-c-d-e"),
        ("..", "unnamed"),
        ("", "unnamed"),
        (".hidden.", "hidden"),
        ("CON", "CON-"),
        ("lpt1.txt", "lpt1-.txt"),
        ("x" * 100, "x" * 60),
        ("line\nbreak\0", "line-break"),
        ("annual\u202efdp.exe", "annualfdp.exe"),  # seen as annualexe.pdf
        ("\ufeffa\u200b\u2066b\u2069\u00adc", "abc"),
        ("\u202e\u200f", "unnamed"),
        ("C\u200bON", "CON-"),
        ("a\x9bb", "a-b"),
        (".\u200b.a", "a"),
    ],
)
def test_a_text_as_a_part_of_a_name(text: str, expected: str) -> None:
    assert safe(text) == expected


@given(st.text(max_size=80))
@example("\u202ea\u2069")
def test_any_text_is_made_safe(text: str) -> None:
    name = safe(text)
    assert not [c for c in name if category(c) == "Cf"]
    assert name and len(name) <= 61 and not set(name) & set('<>:"/\\|?*\0\n') and name[0] not in "-." and name.encode()


def test_the_name_of_an_export() -> None:
    moment = datetime(2026, 11, 23, 4, 5, 6, tzinfo=timezone.utc)
    assert (
        export_name("practice", "clients", "Anna A", moment, "json") == "practice_clients_Anna-A_20261123T040506Z.json"
    )
    assert export_name("practice", "charts", "", moment, "csv") == "practice_charts_20261123T040506Z.csv"


def test_members_are_unique_also_where_case_does_not_count() -> None:
    assert member_names(["a", "A", "a/", "b"], "csv") == {"a": "a.csv", "A": "A_2.csv", "a/": "a_3.csv", "b": "b.csv"}
