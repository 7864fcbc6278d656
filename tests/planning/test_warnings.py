"""What is said of a file before it is written: each warning with a plan that has it, and a neighbour that has not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from datasette_program_export import Request, Settings, plan
from datasette_program_export.cli.telling.plan_text import as_text
from datasette_program_export.formats.description.phrases import English
from datasette_program_export.planning.plan import PlannedColumn, PlannedTable, Sampled
from datasette_program_export.planning.warnings import cautions
from tests.support.plans import planned


def said(table: dict[str, Any], format: str = "programjson", **more: Any) -> list[str]:
    """What is said of a plan with this table, of 1 row if nothing else is said, and one other row."""
    facts = {"table": "x", "label": "x", "belongs": 1, "needed": 0, **table}
    alone = more.pop("alone", True)
    tables = [PlannedTable(**facts), *([] if alone else [PlannedTable(table="y", label="y", belongs=1, needed=0)])]
    plan = planned("x", labels=more.pop("labels", {})).model_copy(
        update={"tables": tables, "rows": sum(t.rows for t in tables)}
    )
    request = Request(table="x", format=format, **({"members": more.pop("members")} if "members" in more else {}))
    return cautions(plan, request, **more)


def columns(number: int, left_out: int = 0) -> list[PlannedColumn]:
    return [
        PlannedColumn(name=f"c{n}", type="", left_out="as you asked" if n < left_out else None) for n in range(number)
    ]


def test_an_ordinary_file_has_no_warning() -> None:
    for format in ("programjson", "ndjson", "csv", "tsv", "package", "sqlite", "sql"):
        assert said({"sampled": Sampled(rows=1, dates=["c0"]), "columns": columns(3)}, format) == []


def test_more_rows_than_may_be_exported() -> None:
    (sentence,) = said({"belongs": 8, "needed": 3}, max_rows=10)
    assert sentence.startswith("This is more than the 10 rows that may be exported here at once. ")
    assert "leave out a table" in sentence
    assert said({"belongs": 8, "needed": 2}, max_rows=10) == [] == said({"belongs": 11}, max_rows=None)


@pytest.mark.parametrize("group", ["belongs", "needed"])
def test_a_reference_that_brings_most_of_the_rows(group: str) -> None:
    along = {"because" if group == "belongs" else "needed_because": "x.p"}
    other = {"belongs": 0} if group == "needed" else {}
    (sentence,) = said({**other, group: 10_000, **along})
    assert sentence == (
        "Most of this file, 10,000 rows of x, comes along x.p. If that is not meant, leave out x, or do not follow x.p."
    )
    assert said({**other, group: 9_999, **along}) == []  # so few are no matter
    assert said({**other, group: 10_000}) == []  # they were asked for


def test_a_reference_that_brings_many_rows_but_not_most() -> None:
    assert len(said({"belongs": 12_000, "needed": 3_000, "because": "x.p"})) == 1
    assert said({"belongs": 12_000, "needed": 3_001, "because": "x.p"}) == []


def test_binary_data_in_a_format_that_does_not_say_what_they_are() -> None:
    table = {"belongs": 2, "sampled": Sampled(rows=2, binary={"photo": 1})}
    sentence = (
        "x.photo holds binary data (1 value): csv writes it as text (base64) and does not say so; a package does."
    )
    assert said(table, "csv") == [sentence]
    assert said(table, "tsv") == [sentence.replace("csv", "tsv")]
    assert said({**table, "sampled": Sampled(rows=2)}, "csv") == []
    for format in ("programjson", "ndjson", "package", "sqlite", "sql"):
        assert said(table, format) == []


@pytest.mark.parametrize("kind", ["untyped", "texts", "odd", "empty"])
def test_values_that_a_plain_file_does_not_tell_apart(kind: str) -> None:
    table = {"belongs": 2, "sampled": Sampled(rows=2, mistakable={"a": [kind], "b": ["empty", kind]})}
    sentence = next(s for s in said(table, "csv") if "x.a, x.b" in s)
    assert "csv" in sentence and "a package" in sentence and "looked at" not in sentence
    assert said(table, "tsv") == [s.replace("csv", "tsv") for s in said(table, "csv")]
    assert "(in the 2 rows that were looked at)" in said({**table, "belongs": 3}, "csv")[0]
    for format in ("programjson", "ndjson", "package", "sqlite", "sql"):
        assert said(table, format) == []
    assert said(table, "csv", alone=False) == []  # several tables become a package, which describes them


def test_of_many_columns_a_few_are_named() -> None:
    table = {"belongs": 2, "sampled": Sampled(rows=2, mistakable={f"c{n}": ["empty"] for n in range(9)})}
    (sentence,) = said(table, "csv")
    assert "(x.c0, x.c1, x.c2, x.c3, x.c4 and 4 more)" in sentence


def test_binary_data_in_several_tables_that_become_a_package() -> None:
    table = {"belongs": 2, "sampled": Sampled(rows=2, binary={"photo": 1})}
    assert said(table, "csv", alone=False) == []  # a package describes its columns


def test_more_rows_than_a_spreadsheet_shows() -> None:
    """The header is a line, too."""
    for how in ({"format": "csv"}, {"format": "tsv"}, {"format": "package", "members": "csv"}):
        (sentence,) = said({"belongs": 1_048_576}, **how)
        assert sentence.startswith("1,048,576 rows of x: a spreadsheet shows only the first 1,048,575. ")
        assert said({"belongs": 1_048_575}, **how) == []
    for how in ({"format": "programjson"}, {"format": "package", "members": "ndjson"}, {"format": "sqlite"}):
        assert said({"belongs": 1_048_576}, **how) == []


def test_rows_are_called_and_numbers_written_as_the_reader_does() -> None:
    (sentence,) = said({"belongs": 2_000_000}, "csv", labels={"x": ("chart", "charts")}, say=English("{:_}".format))
    assert sentence.startswith("2_000_000 charts: a spreadsheet shows only the first 1_048_575.")


def test_more_columns_than_a_spreadsheet_shows() -> None:
    (sentence,) = said({"columns": columns(16_385)}, "csv")
    assert sentence == "x has 16,385 columns: a spreadsheet shows only the first 16,384."
    assert said({"columns": columns(16_384)}, "csv") == said({"columns": columns(16_385)}, "ndjson") == []
    assert said({"columns": columns(16_385, left_out=1)}, "csv") == []


def test_texts_that_are_too_long_for_a_cell() -> None:
    table = {"belongs": 3, "sampled": Sampled(rows=3, long_texts={"note": 2})}
    (sentence,) = said(table, "csv")
    assert sentence == "x.note holds texts that are too long for a spreadsheet's cell (2 values): it would cut them."
    assert said({**table, "sampled": Sampled(rows=3)}, "csv") == said(table, "ndjson") == []
    assert said({**table, "sampled": None}, "csv") == []  # nothing was looked at


def test_a_workbook_tells_before_what_stands_in_another_place_in_it() -> None:
    sampled = Sampled(rows=3, long_texts={"note": 2}, many_digits={"n": 1}, binary={"photo": 3})
    assert said({"belongs": 1_048_576, "sampled": sampled}, "xlsx") == [
        "1,048,576 rows of x: a sheet holds 1,048,575, so they go on in the next sheet.",
        "x.note holds texts that are too long for a cell (2 of 3 rows that were looked at): they stand on a sheet of "
        "their own.",
        "x.n holds numbers of more than 15 digits (1 of 3 rows that were looked at), which a spreadsheet would round: "
        "they stand as text.",
        "x.photo holds binary data (3 of 3 rows that were looked at), such as pictures: they stand as text (base64), "
        "which nobody can look at there.",
    ]
    assert said({"belongs": 1_048_575, "sampled": Sampled(rows=3)}, "xlsx") == []
    assert len(said({"belongs": 3, "sampled": sampled}, "xlsx", alone=False)) == 3  # of every table in it
    (sentence,) = said({"columns": columns(16_385)}, "xlsx")
    assert sentence.startswith("x has 16,385 columns, and a sheet holds 16,384: the download will be refused.")


def test_of_a_sample_it_is_said_how_many_rows_were_looked_at() -> None:
    table = {"belongs": 500, "sampled": Sampled(rows=40, binary={"photo": 7}, long_texts={"note": 1})}
    binary, long = said(table, "csv")
    assert "(7 of 40 rows that were looked at)" in binary and "(1 of 40 rows that were looked at)" in long


def test_a_plan_whose_counting_was_stopped_tells_what_is_left_out(demo_file: Path) -> None:
    found = plan(demo_file, Request(), settings=Settings(plan_seconds=1e-6))
    told = as_text(found)
    assert not found.complete and "Counting was stopped" in told
    assert "app_config.password_hash: not included, named as secret." in told and "location_cache" in told
