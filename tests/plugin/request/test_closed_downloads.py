"""Datasette's settings ``allow_csv_stream`` and ``allow_download``: who closed bulk downloads has not opened them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from datasette_program_export.plugin.host import V1
from tests.support.sites.jobs import ask, done, keeping
from tests.support.sites.permissions import PLUGIN, QUERIES, RECORD, SQL, get, only, site

WHOLE = ["/house.programjson", "/house/-/program-export/download?_export_format=sqlite", "/house/-/program-export.json"]
ROWS = [
    "/house/artists.programjson",
    "/house/artists.programcsv?name=ada",
    "/house/v_albums.programjson",
    "/house/artists/-/program-export",
    "/house/artists/-/program-export.json",
    "/house/artists/-/program-export/download?_export_format=sqlite",
    "/house/artists/-/program-export?_export_record=1&_export_record=2",
    SQL,
    "/house/-/program-export?sql=select+name+from+artists",
    "/house/titles.programjson",
]
RECORDS = [RECORD, RECORD.replace(".programjson", "/-/program-export"), RECORD.replace("json", "zip")]
QUERY = "/house/-/query?sql=select+name+from+artists" if V1 else "/house?sql=select+name+from+artists"
PAGES = ["/house", "/house/artists", "/house/v_albums", "/house/titles", QUERY]


def closed(file: Path, *settings: str, here: dict | None = None, **how: Any) -> Any:
    ds = site(file, here={**QUERIES, **(here or {})}, **how)
    for name in settings:
        ds._settings[name] = False
    return ds


@pytest.mark.parametrize("path", [*ROWS, *WHOLE])
@pytest.mark.parametrize("who", [None, "root"])
async def test_no_more_than_a_page_leaves_where_streams_are_closed(
    house_file: Path, path: str, who: str | None
) -> None:
    ds = closed(house_file, "allow_csv_stream", root=True)
    answer = await get(ds, path, who)
    assert answer.status_code == 403 and "Datasette's setting allow_csv_stream is off" in answer.json()["error"]
    assert (await ds.client.head(path)).status_code == 403
    assert (await get(closed(house_file), path, who)).status_code == 200


async def test_a_record_leaves_with_as_many_rows_as_a_page_has(house_file: Path) -> None:
    ds = closed(house_file, "allow_csv_stream")
    for path in RECORDS:
        assert (await get(ds, path)).status_code == 200
    rows = (await get(ds, RECORD)).json()["integrity"]["rows"]
    ds._settings["max_returned_rows"] = rows - 1
    refused = await get(ds, RECORD)
    assert refused.status_code == 422 and f"{rows} rows" in refused.json()["error"]
    assert f"more than the {rows - 1} rows that may be exported" in (await get(ds, RECORDS[1])).text
    ds._settings["max_returned_rows"] = rows
    assert (await get(ds, RECORD)).status_code == 200
    smaller = closed(house_file, "allow_csv_stream", plugin={"max_rows": 1})
    assert "max_rows allows 1." in (await get(smaller, RECORD)).json()["error"]
    larger = closed(house_file, plugin={"max_rows": rows})
    larger._settings["max_returned_rows"] = 1  # without meaning where streams are open
    assert (await get(larger, RECORD)).status_code == 200


@pytest.mark.parametrize("path", WHOLE)
@pytest.mark.parametrize("who", [None, "root"])
async def test_no_whole_database_leaves_where_its_download_is_closed(
    house_file: Path, path: str, who: str | None
) -> None:
    ds = closed(house_file, "allow_download", root=True)
    answer = await get(ds, path, who)
    assert answer.status_code == 403 and "Datasette's setting allow_download is off" in answer.json()["error"]
    for other in (*ROWS, *RECORDS):
        assert (await get(ds, other, who)).status_code == 200, other


BLOCKS = {
    "for the site": {"plugin": {"allow": only("anna")}},
    "for the database": {"here": {"plugins": {PLUGIN: {"allow": only("anna")}}}},
}


@pytest.mark.parametrize("block", BLOCKS)
async def test_the_owner_s_word_about_exports_goes_before(house_file: Path, block: str) -> None:
    ds = closed(house_file, "allow_csv_stream", "allow_download", **BLOCKS[block])
    for path in (*ROWS, *WHOLE, *RECORDS):
        assert (await get(ds, path, "anna")).status_code == 200, path
        answer = await get(ds, path, "bob")
        assert answer.status_code == 403 and "Datasette's setting" not in answer.text
    everybody = closed(house_file, "allow_csv_stream", plugin={"allow": True})
    assert (await get(everybody, ROWS[0])).status_code == 200


async def links(ds: Any, page: str, who: str | None = None) -> list[str]:
    """The links of a page to exports of what it shows."""
    shown = await get(ds, page, who, follow_redirects=True)
    assert shown.status_code == 200
    return re.findall(r'href="(/house[^"]*program(?:json|-export)[^"]*)"', shown.text)


@pytest.mark.parametrize("page", PAGES)
async def test_no_link_leads_to_a_closed_door(house_file: Path, page: str) -> None:
    shown = await links(closed(house_file), page)
    assert shown
    ds = closed(house_file, "allow_csv_stream")
    assert await links(ds, page) == []
    opened = closed(house_file, "allow_csv_stream", **BLOCKS["for the database"])
    assert await links(opened, page, "anna") == shown


async def test_links_of_records_stay_and_those_of_databases_follow_their_own_setting(house_file: Path) -> None:
    ds = closed(house_file, "allow_csv_stream")
    assert await links(ds, "/house/artists/1") == await links(closed(house_file), "/house/artists/1") != []
    ds = closed(house_file, "allow_download")
    assert await links(ds, "/house") == []
    assert await links(ds, "/house/artists") == await links(closed(house_file), "/house/artists") != []


async def test_a_job_and_its_result_are_behind_the_same_door(house_file: Path, tmp_path: Path) -> None:
    with keeping(tmp_path / "jobs", house_file) as ds:
        job = await done(ds, "/house/artists/-/program-export/job")
        ds._settings["allow_csv_stream"] = False
        assert (await ask(ds, "post", "/house/artists/-/program-export/job")).status_code == 403
        assert (await ask(ds, "get", job["links"]["result"])).status_code == 403
        record = await done(ds, "/house/artists/1/-/program-export/job")
        assert (await ask(ds, "get", record["links"]["result"])).status_code == 200
        ds._settings["max_returned_rows"] = record["rows"] - 1
        assert (await ask(ds, "get", record["links"]["result"])).status_code == 403
