"""Names as words: one and several in English and in the German that databases are full of; else they stay."""

from __future__ import annotations

import pytest

from datasette_program_export.configuring.names import TableNames, label_and_plural
from datasette_program_export.database.schema import Table


@pytest.mark.parametrize(
    ("table", "one", "several"),
    [
        ("Kunden", "kunde", "kunden"), ("kunde", "kunde", "kunden"), ("Rechnungen", "rechnung", "rechnungen"),
        ("Rechnungspositionen", "rechnungsposition", "rechnungspositionen"), ("Artikel", "artikel", "artikel"),
        ("Krankheiten", "krankheit", "krankheiten"), ("Mannschaft", "mannschaft", "mannschaften"),
        ("Sorten", "sorten", "sorten"), ("Bücher", "buch", "bücher"), ("children", "child", "children"),
        ("companies", "company", "companies"), ("person", "person", "people"), ("young", "young", "youngs"),
    ],
)  # fmt: skip
def test_one_row_and_several(table: str, one: str, several: str) -> None:
    assert label_and_plural(named(table)) == (one, several)


def test_a_column_speaks_of_a_german_table() -> None:
    customers = named("Kunden")
    assert TableNames([customers]).meant_by("kunde_id") == (customers, True)


def named(table: str) -> Table:
    return Table(table, "table")
