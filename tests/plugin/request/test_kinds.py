"""The kinds of file that the export page offers: purposes by the facts of the formats, options of the chosen kind."""

from __future__ import annotations

from dataclasses import replace

import pytest

from datasette_program_export import Request
from datasette_program_export.formats.registry import PURPOSES, format_for_purpose, get_format, lookup
from datasette_program_export.formats.registry.registered import Registered, registered
from datasette_program_export.plugin.request.form import BOX, EDGE, FOLLOWED, LINKED, TICKED, _meant
from datasette_program_export.plugin.request.kinds import KIND, OF, kind_of, of_kind, other_kinds, purposes

RECORD = {"database": "d", "table": "t", "pks": "1"}


def test_each_purpose_is_a_format_and_each_other_format_is_offered_by_its_name() -> None:
    assert [kind.value for kind in purposes()] == list(PURPOSES)
    assert [kind.form.name for kind in purposes()] == ["package", "xlsx", "programjson", "dossier"]
    assert [kind.value for kind in other_kinds()] == [
        ".ndjson",
        ".csv",
        ".tsv",
        ".parquet",
        ".xml",
        ".yaml",
        ".sqlite",
        ".sql",
    ]


@pytest.mark.parametrize("kind", [*purposes(), *other_kinds()], ids=lambda kind: kind.value)
def test_what_a_kind_says_is_that_kind_again(kind) -> None:
    said = {name.removeprefix("_export_"): value for name, value in kind.pairs()}
    assert kind_of(Request(**said)) == kind


def test_a_better_format_for_a_purpose_takes_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """As one for LibreOffice's own files would: those that were meant before are offered by their names still."""
    better = replace(get_format("sqlite"), name="sheets", purpose="spreadsheet")
    known = Registered({**registered().formats, "sheets": better})
    monkeypatch.setattr(lookup, "registered", lambda: known)
    assert format_for_purpose("spreadsheet") is better
    assert purposes()[1].pairs() == [("_export_format", "sheets")] and purposes()[1].dialect is None


def test_only_the_options_of_the_chosen_kind_are_meant() -> None:
    fields = [(KIND, "load"), (f"{OF}layout.load", "pretty"), (f"{OF}members.keep", "tsv")]
    fields += [(f"{OF}dialect..csv", "exact"), (f"{OF}delimiter..csv", "\t")]
    assert dict(of_kind(fields)) == {"_export_format": "programjson", "_export_layout": "pretty"}
    assert dict(of_kind([(KIND, "spreadsheet"), *fields[1:]])) == {"_export_format": "xlsx"}
    assert dict(of_kind([(KIND, ".csv"), *fields[1:]])) == {
        "_export_format": "csv",
        "_export_dialect": "exact",
        "_export_delimiter": "\t",
    }


def test_a_box_without_a_tick_is_left_out_or_not_followed() -> None:
    boxes = [(BOX, "a"), (TICKED, "a"), (BOX, "b"), (BOX, "c.x"), (EDGE, "c.a"), (FOLLOWED, "c.a"), (EDGE, "c.b")]
    assert _meant([*boxes, (LINKED, "1"), ("_export_cascade", "1")], RECORD) == [
        ("_export_without", "b"),
        ("_export_without", "c.x"),
        ("_export_stop", "c.b"),
    ]
    assert ("_export_cascade", "0") in _meant([(LINKED, "1")], RECORD)
    assert _meant([(LINKED, "0")], {"database": "d", "table": "t"}) == []
    assert _meant([(LINKED, "0"), ("_export_cascade", "1")], {"database": "d", "table": "t"}) == [
        ("_export_cascade", "1")
    ]
