"""Into LibreOffice and back: what a person changes there is what the preview shows, and nothing else."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from datasette_program_export import Request, export, load
from datasette_program_export.demo import ANNA
from tests.support.workbooks.libreoffice import MISSING, SORTED, saved, typed

pytestmark = pytest.mark.skipif(MISSING, reason="LibreOffice (soffice) is not installed")
Change = tuple[str, Any, Any]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder, so that each locale's profile is made once."""
    return tmp_path_factory.mktemp("libreoffice")


@pytest.fixture(scope="module")
def workbook(demo_file: Path, folder: Path) -> Path:
    return written(demo_file, folder / "practice.xlsx", Request(format="xlsx"))


def written(database: Path, path: Path, request: Request) -> Path:
    path.write_bytes(b"".join(export(database, request)))
    return path


def changes(database: Path, file: Path, **how: Any) -> list[Change]:
    """What a preview shows: of each row that is there with other values, and how many rows are new."""
    report = load(database, file, on_conflict="update", preview=True, **how)
    assert report.findings == []
    found = [
        (difference.column, difference.target, difference.file)
        for table in report.tables.values()
        for one in table.samples
        for difference in one.differences
    ]
    assert len(found) >= report.total("update")
    return found + [("new", None, row) for table in report.tables.values() for row in table.new_rows]


@pytest.mark.parametrize("locale", ["en-US", "de-DE"])
@pytest.mark.parametrize("phone", ["+49 30 1234567", "030 1234567", "00123", "+49301234567"])
def test_one_phone_number_is_one_change(demo_file: Path, workbook: Path, folder: Path, phone: str, locale: str) -> None:
    again = saved(workbook, folder / f"{phone}-{locale}.xlsx", typed("E2", phone), sheet="clients", locale=locale)
    assert changes(demo_file, again) == [("phone", "+1-555-0001", phone)]


@pytest.mark.parametrize("locale", ["en-US", "de-DE"])
@pytest.mark.parametrize(
    "table, how, delimiter, cell, change",
    [
        ("clients", {"dialect": "spreadsheet", "delimiter": ";"}, ";", "E2", ("phone", "+1-555-0001", "+49 30 12345")),
        ("birth_data", {"dialect": "spreadsheet", "delimiter": ";"}, ";", "J2", ("city", "Reykjavík", "Hafnarfjörður")),
        ("birth_data", {}, ",", "J2", ("city", "Reykjavík", "Hafnarfjörður")),
    ],
)
def test_one_change_in_a_csv_is_one_change(
    demo_file: Path, folder: Path, table: str, how: dict, delimiter: str, cell: str, change: Change, locale: str
) -> None:
    """LibreOffice rounds coordinates to 15 digits, writes nothing for an empty text, and cuts parts of a second."""
    name = f"{table}-{locale}-{len(how)}"
    made = written(demo_file, folder / f"{name}.csv", Request(table=table, format="csv", **how))
    step = typed(cell, change[2])
    again = saved(made, folder / f"{name}-saved.csv", step, delimiter=delimiter, locale=locale)
    assert changes(demo_file, again, table=table) == [change]


@pytest.mark.parametrize(
    "locale, day, number",
    [("de-DE", "3.5.1987", "64,5"), ("de-DE", "3. Mai 1987", "64,5"), ("en-US", "5/3/1987", "64.5")],
)
def test_dates_and_numbers_as_people_type_them(
    demo_file: Path, workbook: Path, folder: Path, locale: str, day: str, number: str
) -> None:
    name = f"typed-{locale}-{len(day)}.xlsx"
    row = dict(zip("ABCDEFGHOP", ["new-1", ANNA, day, "'07:30", "0", number, number, "Etc/UTC", day, day]))
    steps = [typed("C2", day), typed("F2", number), *(typed(f"{at}57", value) for at, value in row.items())]
    found = changes(demo_file, saved(workbook, folder / name, *steps, sheet="birth_data", locale=locale))
    assert found[:2] == [("birth_date", "1984-07-13", "1987-05-03"), ("latitude", 64.18659577713633, 64.5)]
    ((_, _, new),) = found[2:]
    assert [new[c] for c in ("id", "birth_date", "birth_time", "latitude")] == ["new-1", "1987-05-03", "07:30", 64.5]


@pytest.mark.parametrize(
    "step",
    [
        SORTED.format(column=2, area="A1:H51"),
        "sheet.Columns.getByIndex(1).IsVisible = False",
        "sheet.Rows.getByIndex(7).IsVisible = False",
        "sheet.Rows.removeByIndex(3, 1)",
    ],
    ids=["sorted", "column hidden", "row hidden", "row deleted"],
)
def test_what_changes_no_value_is_no_change(
    demo_file: Path, workbook: Path, folder: Path, step: str, request: pytest.FixtureRequest
) -> None:
    again = saved(workbook, folder / f"{request.node.callspec.id}.xlsx", step, sheet="clients")
    assert changes(demo_file, again) == []


def test_a_column_that_was_deleted_is_refused_with_its_sheet(demo_file: Path, workbook: Path, folder: Path) -> None:
    again = saved(workbook, folder / "deleted.xlsx", "sheet.Columns.removeByIndex(5, 1)", sheet="clients")
    (finding,) = load(demo_file, again, on_conflict="update", preview=True).findings
    assert "first line of the sheet clients" in finding.message


def test_the_change_is_imported(demo_file: Path, workbook: Path, folder: Path) -> None:
    target = Path(shutil.copy(demo_file, folder / "target.db"))
    again = saved(workbook, folder / "imported.xlsx", typed("E2", "'0301234"), sheet="clients")
    assert changes(target, again) == [("phone", "+1-555-0001", "0301234")]
    assert load(target, again, on_conflict="update", backup=False).total("update") == 1
    assert changes(target, again) == []
