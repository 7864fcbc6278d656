"""Addresses of files: a record's, a table's with its filters; what is wrong in one gets a sentence."""

from __future__ import annotations

import json
import re
from pathlib import Path
from urllib.parse import urlencode

import pytest
from datasette.utils import tilde_encode

from datasette_program_export.demo import ANNA, C1
from datasette_program_export.plugin.host import V1
from tests.support.databases.building import database
from tests.support.sites.server import get, make_datasette

ODD = (
    'CREATE TABLE "odd table/with.dots%20 x ~y" (a TEXT, b INTEGER, PRIMARY KEY (a, b))',
    """INSERT INTO "odd table/with.dots%20 x ~y" VALUES ('x/y.z,~é', 1), ('', 2)""",
    'CREATE TABLE "rows only" (word TEXT, n INTEGER)',
    """INSERT INTO "rows only" VALUES ('b', 1), ('a', 2), ('c', 2)""",
)


@pytest.fixture
def odd(tmp_path: Path) -> Path:
    path = tmp_path / "we ird~x%y.db"
    database(path, *ODD).close()
    return path


async def test_a_record_by_its_address(demo_file: Path) -> None:
    response = await get(make_datasette(demo_file), f"/practice/clients/{ANNA}.programjson")
    assert response.status_code == 200
    found = response.json()
    assert found["integrity"]["rows"] == 28 and found["integrity"]["complete"] is True
    assert response.headers["content-type"] == "application/json"
    assert response.headers["cache-control"] == "private, no-store"
    assert response.headers["x-robots-tag"] == "noindex, nofollow"
    assert re.fullmatch(
        r'attachment; filename="(practice_clients_Anna-Ascendant_\d{8}T\d{6}Z\.json)"; filename\*=UTF-8\'\'\1',
        response.headers["content-disposition"],
    )


async def test_a_name_beyond_ascii_in_the_files_name(demo_file: Path) -> None:
    ds = make_datasette(demo_file)
    rows = (await get(ds, "/practice/clients.json?first_name=李&_shape=array")).json()
    response = await get(ds, f"/practice/clients/{rows[0]['id']}.programjson")
    header = response.headers["content-disposition"]
    assert 'filename="practice_clients__-___' in header and "filename*=UTF-8''practice_clients_%E6%9D%8E" in header


async def test_the_options_of_the_grammar(demo_file: Path) -> None:
    ds = make_datasette(demo_file)
    base = f"/practice/clients/{ANNA}.programjson"
    without = (await get(ds, base + "?_export_without=session_notes&_export_without=charts.chart_data")).json()
    assert "session_notes" not in without["tables"] and "chart_data" not in without["tables"]["charts"][0]
    assert (await get(ds, base + "?_export_format=csv")).headers["content-type"] == "application/zip"
    assert len((await get(ds, base + "?_export_others=include")).json()["tables"]["charts"]) == 4
    assert list((await get(ds, base + "?_export_cascade=0")).json()["tables"]) == ["clients"]


FILTERS = [
    {},
    {"word": "a"},
    {"word__contains": "b", "n__gt": "0"},
    {"n__in": "1,3"},
    {"n": ["1", "2"]},
    {"word__not": "a", "_sort_desc": "n"},
    {"_sort": "word"},
    {"_sort": "rowid"},
    {"_sort": "n", "_sort_by_desc": "on"},
    {"_where": ["n = 2", "word > 'a'"]},
    {"_col": ["n"]},
    {"_nocol": ["n"]},
    {"word__isblank": "1"},
    {"n__notnull": "1", "_next": "1", "_size": "1", "_labels": "on", "_facet": "n", "_shape": "array"},
]


@pytest.mark.parametrize("args", FILTERS, ids=lambda a: urlencode(a, doseq=True) or "all")
async def test_a_table_is_exported_as_its_page_shows_it(odd: Path, args: dict) -> None:
    """The same rows in the same order, whatever the page's filters; all of them, not one page."""
    ds = make_datasette(odd)
    path = f"/{tilde_encode(odd.stem)}/{tilde_encode('rows only')}"
    query = urlencode(args, doseq=True)
    ours = await get(ds, f"{path}.programjson?{query}")
    assert ours.status_code == 200, ours.text
    kept = {k: v for k, v in args.items() if k not in ("_next", "_size", "_labels", "_facet", "_shape")}
    if "_sort_by_desc" in kept:  # the page redirects
        kept = {"_sort_desc": kept["_sort"]}
    page = await get(ds, f"{path}.json?{urlencode({**kept, '_shape': 'array'}, doseq=True)}")
    theirs = [{k: v for k, v in row.items() if k != "rowid"} for row in page.json()]
    assert ours.json()["tables"]["rows only"] == theirs


async def test_search_is_the_pages_search(tmp_path: Path) -> None:
    database(
        tmp_path / "s.db",
        "CREATE TABLE docs (id INTEGER PRIMARY KEY, title TEXT, body TEXT)",
        "CREATE VIRTUAL TABLE docs_fts USING fts5(title, body, content=\"docs\", content_rowid='id')",
        "INSERT INTO docs VALUES (1, 'moon', 'sun'), (2, 'sun', 'moon'), (3, 'mars', 'venus')",
        "INSERT INTO docs_fts(docs_fts) VALUES ('rebuild')",
    ).close()
    ds = make_datasette(tmp_path / "s.db")
    for query, expected in (("_search=moon", [1, 2]), ("_search_title=moon", [1]), ("_search=nothing", [])):
        found = (await get(ds, f"/s/docs.programjson?{query}")).json()
        assert [row["id"] for row in found["tables"]["docs"]] == expected


async def test_through_is_the_pages_through(demo_file: Path) -> None:
    through = json.dumps({"table": "charts", "column": "id", "value": C1})
    found = await get(make_datasette(demo_file), "/practice/clients.programjson?" + urlencode({"_through": through}))
    assert [row["id"] for row in found.json()["tables"]["clients"]] == [ANNA]


async def test_all_rows_beyond_every_limit_of_the_page(tmp_path: Path) -> None:
    connection = database(tmp_path / "x.db", "CREATE TABLE t (a)")
    connection.executemany("INSERT INTO t VALUES (?)", ((i,) for i in range(2500)))
    connection.close()
    ds = make_datasette(tmp_path / "x.db", settings={})
    ds._settings["max_returned_rows"] = 10
    ds._settings["sql_time_limit_ms"] = 1
    found = (await get(ds, "/x/t.programjson?_sort_desc=a")).json()
    assert [row["a"] for row in found["tables"]["t"]] == list(range(2500))[::-1]


async def test_odd_names_and_keys(odd: Path) -> None:
    ds = make_datasette(odd)
    table = "odd table/with.dots%20 x ~y"
    base = f"/{tilde_encode(odd.stem)}/{tilde_encode(table)}"
    one = await get(ds, f"{base}/{tilde_encode('x/y.z,~é')},1.programjson")
    assert one.json()["tables"] == {table: [{"a": "x/y.z,~é", "b": 1}]}
    assert (await get(ds, f"{base}/,2.programjson")).json()["tables"] == {table: [{"a": "", "b": 2}]}
    rows = f"/{tilde_encode(odd.stem)}/{tilde_encode('rows only')}"
    assert (await get(ds, f"{rows}/2.programjson")).json()["tables"] == {"rows only": [{"word": "a", "n": 2}]}


WRONG = [
    ("/practice/nix.programjson", 404, "no table nix"),
    ("/nix/clients.programjson", 404, "no database nix"),
    ("/_internal/tables.programjson", 404, "no database _internal"),
    ("/practice/clients/nix.programjson", 404, "no row nix in clients"),
    ("/practice/clients/a,b.programjson", 400, "A row of clients is named by its id"),
    ("/practice/clients.programjson?nix=1", 400, "clients has no column nix to filter by"),
    ("/practice/clients.programjson?last_name__nix=1", 400, "no filter nix"),
    ("/practice/clients.programjson?_sort=nix", 400, "clients cannot be sorted by nix"),
    ("/practice/clients.programjson?_sort=id&_sort_desc=id", 400, "cannot both be given"),
    ("/practice/clients.programjson?_col=nix", 400, "_col: clients has no column nix"),
    ("/practice/clients.programjson?_nocol=id", 400, "_nocol: clients has no column id"),
    ("/practice/clients.programjson?_where=nix(1)", 400, "The condition cannot be run: no such function: nix"),
    ("/practice/clients.programjson?_through=x", 400, "_through must be JSON"),
    ("/practice/clients.programjson?_search=anna", 400, "clients has no search index"),
    ("/practice/clients.programjson?_filter_column=id", 400, "_filter_column is a form's field"),
    ("/practice/clients.programjson?_export_nix=1", 400, "no parameter _export_nix"),
    ("/practice/clients.programjson?_export_format=toml", 400, "no format toml"),
    ("/practice/clients.programjson?_export_layout=pretty&_export_format=csv", 422, "csv has no layout pretty"),
    ("/practice/client_summary.programjson?_export_cascade=1", 422, "it is a view"),
    ("/practice/app_config.programjson?_where=password_hash+is+null", 403, "which is left out as secret"),
    ("/practice/app_config.programjson?password_hash__startswith=x", 403, "which is left out as secret"),
    ("/practice/app_config.programjson?_sort=password_hash", 403, "cannot be sorted by password_hash"),
    ("/practice/clients/nix/-/program-export.json", 404, "no row nix in clients"),
]


@pytest.mark.parametrize(("path", "status", "said"), WRONG)
async def test_what_is_wrong_gets_a_status_and_a_sentence(demo_file: Path, path: str, status: int, said: str) -> None:
    response = await get(make_datasette(demo_file), path)
    body = response.json()
    assert (response.status_code, body["ok"], body["status"]) == (status, False, status), response.text
    assert said in body["error"] and body["errors"] == [body["error"]]
    assert "select" not in body["error"].lower() and response.headers["cache-control"] == "private, no-store"
    assert response.headers["x-robots-tag"] == "noindex, nofollow"


async def test_a_browser_gets_a_page_with_the_sentence(demo_file: Path) -> None:
    response = await get(
        make_datasette(demo_file), "/practice/clients/nix.programjson", headers={"accept": "text/html,*/*"}
    )
    assert response.status_code == 404 and "Nothing was exported" in response.text
    assert "There is no row nix in clients (rows are named by id)." in response.text
    assert response.headers["x-robots-tag"] == "noindex, nofollow"


async def test_only_reading(demo_file: Path) -> None:
    ds = make_datasette(demo_file)
    head = await ds.client.head(f"/practice/clients/{ANNA}.programjson")
    assert (head.status_code, head.content, head.headers["content-type"]) == (200, b"", "application/json")
    assert "content-disposition" not in head.headers
    assert (await ds.client.post(f"/practice/clients/{ANNA}.programjson")).status_code in (403, 405)


async def test_cross_origin_readers_where_the_site_allows_them(demo_file: Path) -> None:
    for cors in (True, False):
        ds = make_datasette(demo_file, cors=cors)
        for path in (f"/practice/clients/{ANNA}.programjson", "/practice/clients/nix.programjson"):
            assert ((await get(ds, path)).headers.get("access-control-allow-origin") == "*") is cors


async def test_rows_picked_on_the_page_go_before_its_filters(demo_file: Path) -> None:
    ds = make_datasette(demo_file)
    base = f"/practice/clients/-/program-export/download?last_name=Silva&_export_record={ANNA}"
    assert [row["id"] for row in (await get(ds, base)).json()["tables"]["clients"]] == [ANNA]
    strict = await get(ds, f"/practice/clients.programjson?last_name=Silva&_export_record={ANNA}")
    assert strict.status_code == 400 and "A filter (where) does not go" in strict.json()["error"]


@pytest.mark.parametrize(
    "parameter",
    ["_where=1=0", "_through={}", "_search=x", "_search_a=x", "_sort=id", "_sort_desc=id", "_col=id", "_nocol=id"]
    + ["id__gt=1", "_x__gt=1", "_fts_table=x", "id=1"],
)
@pytest.mark.parametrize(
    "path",
    [f"clients/{ANNA}.programjson", f"clients/{ANNA}/-/program-export.json", ".programjson", "-/program-export.json"],
)
async def test_a_filter_where_none_can_be_is_named(demo_file: Path, path: str, parameter: str) -> None:
    address = f"/practice{path}" if path.startswith(".") else f"/practice/{path}"
    response = await get(make_datasette(demo_file), f"{address}?{parameter}")
    name = parameter.partition("=")[0]
    assert response.status_code == 400 and f"{name} would be a filter" in response.text


async def test_a_filter_beside_a_query_is_named_but_for_its_own_parameters(demo_file: Path) -> None:
    ds = make_datasette(demo_file)
    query = "/practice/-/query.programjson" if V1 else "/practice.programjson"
    response = await get(ds, f"{query}?{urlencode({'sql': 'select 1', '_where': '1=0'})}")
    assert response.status_code == 400 and "_where would be a filter" in response.text
    response = await get(ds, f"{query}?{urlencode({'sql': 'select :_col', '_col': 'x', 'unused': '1'})}")
    assert response.status_code == 200
