"""From Datasette's pages to the export page: links, what it says of a record, the plan as data."""

from __future__ import annotations

import html
import re
from pathlib import Path

from datasette_program_export.demo import ANNA, C1, NOBODY
from datasette_program_export.plugin.host import V1
from tests.support.sites.server import get, make_datasette


async def test_the_row_page_leads_to_the_export_page(demo_file: Path) -> None:
    ds = make_datasette(demo_file)
    page = (await get(ds, f"/practice/clients/{ANNA}")).text
    rel = "" if V1 else ' rel="nofollow"'  # 1.0 writes the link itself
    assert f'href="/practice/clients/{ANNA}/-/program-export"{rel}' in page and "Export this record" in page


async def test_robots_are_told_to_follow_no_link_to_a_file_or_data(demo_file: Path) -> None:
    shown = await get(make_datasette(demo_file), f"/practice/clients/{ANNA}/-/program-export")
    assert shown.status_code == 200 and shown.headers["x-robots-tag"] == "noindex, nofollow"
    links = re.findall(r'<a [^>]*href="[^"]*\.(?:programjson|json)[^"]*"[^>]*>', shown.text)
    assert len(links) == 2 and all('rel="nofollow"' in link for link in links), links


async def test_pages_link_to_their_data(demo_file: Path) -> None:
    ds = make_datasette(demo_file)
    table = (await get(ds, "/practice/clients?last_name__startswith=O")).text
    link = re.search(r'href="(/practice/clients\.programjson\?[^"]*)"', table).group(1).replace("&amp;", "&")
    found = (await get(ds, link)).json()["tables"]["clients"]
    assert sorted(row["last_name"] for row in found) == ["O'Brien", "Okafor", "Ødegård"][:2]
    assert f'href="/practice/clients/{ANNA}.programjson"' in (await get(ds, f"/practice/clients/{ANNA}")).text


async def test_a_querys_page_links_to_its_rows(demo_file: Path) -> None:
    ds = make_datasette(demo_file)
    page = (await get(ds, "/practice/-/query?sql=select+1+as+a" if V1 else "/practice?sql=select+1+as+a")).text
    link = re.search(r'href="(/practice[^"]*\.programjson\?sql=[^"]*)"', page).group(1).replace("&amp;", "&")
    assert (await get(ds, link)).json()["tables"] == {"query": [{"a": 1}]}


async def test_the_links_keep_a_base_url(demo_file: Path) -> None:
    ds = make_datasette(demo_file)
    ds._settings["base_url"] = "/pre/"
    assert f'href="/pre/practice/clients/{ANNA}/-/program-export"' in (await get(ds, f"/practice/clients/{ANNA}")).text
    page = (await get(ds, f"/practice/clients/{ANNA}/-/program-export")).text
    assert f'formaction="/pre/practice/clients/{ANNA}/-/program-export/download"' in page


async def test_the_export_page_says_what_will_be_in_the_file(demo_file: Path) -> None:
    page = (await get(make_datasette(demo_file), f"/practice/clients/{ANNA}/-/program-export")).text
    text = html.unescape(" ".join(re.sub(r"<[^>]+>", " ", page).split()))
    for words in (
        "Export client: Anna Ascendant",
        "28 records: 1 client, 1 birth record, 3 charts, 6 readings, 2 aspect patterns, 12 transits, 3 session notes.",
        "Kept back, as they are other people's: 1 chart, 1 birth record, 1 client.",
        "To load it again here programjson, about 29 kB",
        "All of it is read from practice at the same moment.",
        "It was recognised as a database of The Program.",
        "1 birth record because birth_data.client_id = this client about 440 bytes",
        "because charts.client_id = this client",
        "because chart_interpretations.chart_id = one of these charts",
        "1 chart of a person not asked for: not included (charts.birth_data_id).",
        "1 chart refers to one birth record that is not included (birth_data_id).",
    ):
        assert words in text, text
    assert "Bicoastal" not in page  # the other person's name


async def test_the_export_page_of_a_chart_has_two_groups(demo_file: Path) -> None:
    page = (await get(make_datasette(demo_file), f"/practice/charts/{C1}/-/program-export")).text
    text = " ".join(re.sub(r"<[^>]+>", " ", page).split())
    assert "Size as JSON Choose columns 1 chart" in text
    assert (
        "Added, so that it can be loaded elsewhere 1 client" in text
        and "because charts.birth_data_id points to it" in text
    )


async def test_the_export_page_keeps_what_was_chosen(demo_file: Path) -> None:
    query = "_export_format=csv&_export_without=session_notes&_export_parents=none&_export_stop=charts.client_id"
    page = (await get(make_datasette(demo_file), f"/practice/clients/{ANNA}/-/program-export?{query}")).text
    assert re.search(r'name="_export_kind" value="\.csv" checked', page)
    assert re.search(r'value="session_notes"><label><input type="checkbox" [^>]*"session_notes">', page)
    assert re.search(r'name="_export_parents">.*<option value="none" selected>', page)
    assert 'name="_export_follow" value="charts.client_id">' in page


async def test_the_plan_is_data_too(demo_file: Path) -> None:
    plan = (await get(make_datasette(demo_file), f"/practice/clients/{NOBODY}/-/program-export.json")).json()
    assert plan["rows"] == 1 and plan["complete"] is True and plan["title"] == "Nadja Nothing-Yet"


async def test_a_plan_that_takes_too_long_says_at_least(demo_file: Path) -> None:
    ds = make_datasette(demo_file, settings={"plan_seconds": 0.000001})
    plan = (await get(ds, f"/practice/clients/{ANNA}/-/program-export.json")).json()
    assert plan["complete"] is False and plan["coverage"] == {} and plan["bytes"] is None
    page = (await get(ds, f"/practice/clients/{ANNA}/-/program-export")).text
    assert "At least 0 records." in page and "The export itself is not cut." in page
    assert "Nothing is left out." not in page and "Not all of this is known" in page
    assert "This may be a large file." in page and "This will be" not in page
    assert (await get(ds, f"/practice/clients/{ANNA}.programjson")).json()["integrity"]["rows"] == 28
