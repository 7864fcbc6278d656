"""What the form of the export page means: options, dates, rows that are picked."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from datasette_program_export.demo import ANNA, BOB, NOBODY
from datasette_program_export.plugin.request.form import FIND, FROM, MARK, PAGE, SAMPLE, UNTIL
from tests.support.databases.building import database
from tests.support.sites.export_page import ANNAS, meant, opened, said
from tests.support.sites.server import make_datasette


async def test_fields_that_say_nothing_are_not_in_the_address(demo_file: Path) -> None:
    ds = make_datasette(demo_file)
    fields = [("_export_format", "csv"), ("_export_layout", "pretty"), ("_export_compress", ""), (FIND, "")]
    assert await meant(ds, ANNAS, fields) == [("_export_format", "csv")]
    assert await meant(ds, ANNAS, [("_export_format", "package"), ("_export_compress", "gzip")]) == [
        ("_export_format", "package")
    ]
    alone = [("_export_cascade", "0"), ("_export_parents", "none"), ("_export_stop", "charts.client_id")]
    without = [("_export_without", "charts"), ("_export_without", "clients.phone")]
    assert await meant(ds, ANNAS, [*alone, *without]) == [alone[0], without[1]]
    assert await meant(ds, ANNAS, without) == without


async def test_an_address_that_somebody_wrote_is_taken_at_its_word(demo_file: Path) -> None:
    ds = make_datasette(demo_file)
    assert (await opened(ds, ANNAS, [("_export_parents", "")])).status_code == 400
    assert (await opened(ds, "/practice/clients/-/program-export", [("last_name__gte", "")])).status_code == 200
    for name in (MARK, FIND, PAGE, SAMPLE, f"{FROM}created_at"):
        answer = await opened(ds, "/practice/clients.programjson", [(name, "1")])
        assert answer.status_code == 400 and name in answer.json()["error"]


async def test_the_form_downloads_what_it_shows(demo_file: Path) -> None:
    ds = make_datasette(demo_file)
    fields = [(MARK, "1"), ("_export_layout", "pretty"), ("_export_format", "csv"), ("_export_parents", "")]
    assert (await opened(ds, f"{ANNAS}/download", fields)).headers["content-type"] == "application/zip"


RANGES = [
    ("seen_at", "2024-05-31", "2024-05-31", [2, 3]),
    ("seen_at", "", "2024-05-31", [1, 2, 3]),
    ("seen_at", "2024-05-31", "", [2, 3, 4]),
    ("day", "2024-05-31", "2024-06-01", [2, 3]),
    ("day", "2024-05-30", "9999-12-31", [1, 2, 3]),
    ("seen_at", "", "", [1, 2, 3, 4, 5]),
]


@pytest.mark.parametrize(("column", "first", "last", "expected"), RANGES)
async def test_a_date_range_holds_both_days_with_all_their_times(
    dated: Path, column: str, first: str, last: str, expected: list[int]
) -> None:
    ds = make_datasette(dated)
    fields = [(FROM + column, first), (UNTIL + column, last)]
    kept = await meant(ds, "/d/visits/-/program-export", fields)
    found = (await opened(ds, "/d/visits.programjson", kept)).json()  # the filters are Datasette's own
    assert [row["id"] for row in found["tables"]["visits"]] == expected
    page = (await opened(ds, "/d/visits/-/program-export", kept)).text
    last = "" if last == "9999-12-31" else last  # no bound at all
    assert f'name="{FROM}{column}" value="{first}"' in page and f'name="{UNTIL}{column}" value="{last}"' in page
    assert 'name="seen_at__lt"' not in page  # not carried twice


async def test_dates_are_asked_for_only_where_dates_stand(dated: Path) -> None:
    page = (await opened(make_datasette(dated), "/d/visits/-/program-export")).text
    assert re.findall(rf'name="{re.escape(FROM)}(\w+)"', page) == ["seen_at", "day"]  # not edate, paid_date


@pytest.mark.parametrize("wrong", ["31.5.2024", "2024-02-30", "x"])
async def test_what_is_no_date_is_refused(dated: Path, wrong: str) -> None:
    answer = await opened(make_datasette(dated), "/d/visits/-/program-export", [(MARK, "1"), (FROM + "day", wrong)])
    assert answer.status_code == 400 and "a date is written like 2024-05-31" in answer.text


async def test_filters_of_another_kind_are_carried_on(dated: Path) -> None:
    page = (await opened(make_datasette(dated), "/d/visits/-/program-export?seen_at__gte=2024&name__not=a")).text
    assert 'type="hidden" name="seen_at__gte" value="2024"' in page
    assert 'type="hidden" name="name__not" value="a"' in page


async def test_rows_are_found_by_a_part_of_their_name_page_by_page(demo_file: Path) -> None:
    ds = make_datasette(demo_file)
    base = "/practice/charts/-/program-export"
    offered = re.compile(r'name="_export_record" value="([^"]+)">')
    first = offered.findall((await opened(ds, base)).text)
    second = offered.findall((await opened(ds, base, [(PAGE, "2")])).text)
    assert len(first) == 50 and len(second) == 47 and not set(first) & set(second)
    clients = "/practice/clients/-/program-export"
    found = (await opened(ds, clients, [(FIND, "ascendant ann")])).text
    assert offered.findall(found) == [ANNA]
    assert offered.findall((await opened(ds, clients, [(FIND, "%")])).text) == []  # no wildcard
    assert "No other matches." in (await opened(ds, clients, [(FIND, "nobody at all")])).text
    filtered = (await opened(ds, clients, [("last_name", "Silva"), (FIND, "maria")])).text
    assert len(offered.findall(filtered)) == 2


async def test_picked_rows_stay_picked_and_are_named(demo_file: Path) -> None:
    ds = make_datasette(demo_file)
    picks = [("_export_record", ANNA), ("_export_record", BOB)]
    page = (
        await opened(ds, "/practice/clients/-/program-export", [*picks, (FIND, "nadja"), ("last_name__not", "x")])
    ).text
    for record, name in ((ANNA, "Anna Ascendant"), (BOB, "Bob Bicoastal")):
        assert re.search(rf'name="_export_record" value="{record}" checked> {name}', page)
    assert f'name="_export_record" value="{NOBODY}">' in page
    assert 'name="last_name__not" value="x"' in page  # the rest can still be picked from
    assert "2 clients" in said(page)


async def test_the_names_to_pick_from_hold_no_secret(tmp_path: Path) -> None:
    database(
        tmp_path / "x.db",
        "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT)",
        "INSERT INTO t VALUES (1, 'hushed'), (2, 'hidden')",
    ).close()
    ds = make_datasette(tmp_path / "x.db", settings={"secrets": {"t": ["name"]}})
    for find in ("", "hush"):
        page = (await opened(ds, "/x/t/-/program-export", [(FIND, find)])).text
        assert "hushed" not in page and "hidden<" not in page
    assert 'value="1"> 1' not in page  # nor does a search tell


@pytest.mark.parametrize("page", ["0", "-1", "x", "9999999999"])
async def test_a_page_is_a_number(demo_file: Path, page: str) -> None:
    assert (
        await opened(make_datasette(demo_file), "/practice/clients/-/program-export", [(PAGE, page)])
    ).status_code == 400


async def test_options_of_csv_are_shown_with_a_sentence_each(demo_file: Path) -> None:
    shown = (await opened(make_datasette(demo_file), ANNAS)).text
    assert '<option value="spreadsheet">spreadsheet: to open in Excel or LibreOffice, ' in shown
    assert '<option value=";">semicolon</option>' in shown
    fields = [("_export_dialect", "spreadsheet"), ("_export_delimiter", ";"), ("_export_members", "tsv")]
    ds = make_datasette(demo_file)
    assert await meant(ds, ANNAS, [("_export_format", "csv"), *fields]) == [("_export_format", "csv"), *fields[:2]]
    assert await meant(ds, ANNAS, [("_export_format", "tsv"), *fields]) == [("_export_format", "tsv"), fields[0]]
    assert await meant(ds, ANNAS, [("_export_format", "ndjson"), *fields]) == [("_export_format", "ndjson")]


async def test_a_purpose_stands_chosen_that_fits_the_rows_or_the_address(demo_file: Path) -> None:
    ds = make_datasette(demo_file)

    async def chosen(path: str, *pairs: tuple[str, str]) -> list[str]:
        page = (await opened(ds, path, list(pairs))).text
        return re.findall(r'name="_export_kind" value="([\w.]+)" checked', page)

    assert await chosen(ANNAS) == await chosen("/practice/clients/-/program-export") == ["keep"]
    assert await chosen(ANNAS, ("_export_format", "programjson")) == ["load"]
    assert await chosen(ANNAS, ("_export_format", "package")) == ["keep"]
    assert await chosen(ANNAS, ("_export_format", "xlsx")) == ["spreadsheet"]
    assert await chosen(ANNAS, ("_export_format", "csv"), ("_export_dialect", "spreadsheet")) == [".csv"]
    assert await chosen(ANNAS, ("_export_format", "csv")) == [".csv"]  # exact: other bytes than a spreadsheet's
    assert await chosen(ANNAS, ("_export_format", "sqlite")) == [".sqlite"]
    assert await chosen("/practice/clients/-/program-export", ("last_name", "Silva")) == ["spreadsheet"]
    assert await chosen("/practice/-/program-export", ("sql", "select 1 as a")) == ["spreadsheet"]
