"""The plugin inside Datasette, in process: paths, parameters, errors, the page, who may see what."""

from __future__ import annotations

import json
import re
from pathlib import Path
from urllib.parse import urlencode

import pytest
from datasette.utils import tilde_encode

from datasette_program_export.demo import ANNA, BOB, C1, NOBODY, PASSWORD_HASH
from datasette_program_export.plugin.host import V1
from tests.support.databases.building import database
from tests.support.sites.server import make_datasette

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


async def get(ds, path: str, **options):
    return await ds.client.get(path, **options)


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
    ("/practice/clients.programjson?_export_format=xml", 400, "no format xml"),
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
    text = " ".join(re.sub(r"<[^>]+>", " ", page).split())
    for words in (
        "Export client: Anna Ascendant",
        "28 rows , about 29 kB as programjson, all read from practice at the same moment.",
        "It was recognised as a database of The Program.",
        "1 birth record about 440 bytes because birth_data.client_id = this client",
        "because charts.client_id = this client",
        "because chart_interpretations.chart_id = one of these charts",
        "1 chart of a person not asked for: not included (charts.birth_data_id).",
        "1 chart refers to a birth record that is not included (birth_data_id).",
    ):
        assert words in text, text
    assert "Bicoastal" not in page  # the other person's name


async def test_the_export_page_of_a_chart_has_two_groups(demo_file: Path) -> None:
    page = (await get(make_datasette(demo_file), f"/practice/charts/{C1}/-/program-export")).text
    text = " ".join(re.sub(r"<[^>]+>", " ", page).split())
    assert "What belongs to it 1 chart" in text
    assert (
        "Added, so that it can be loaded elsewhere 1 client" in text
        and "because charts.birth_data_id points to it" in text
    )


async def test_the_export_page_keeps_what_was_chosen(demo_file: Path) -> None:
    query = "_export_format=csv&_export_without=session_notes&_export_parents=none&_export_stop=charts.client_id"
    page = (await get(make_datasette(demo_file), f"/practice/clients/{ANNA}/-/program-export?{query}")).text
    assert re.search(r'value="csv" checked', page) and re.search(r'value="session_notes" checked', page)
    assert re.search(r'name="_export_parents">.*<option value="none" selected>', page)
    assert 'name="_export_stop" value="charts.client_id" checked' in page


async def test_the_plan_is_data_too(demo_file: Path) -> None:
    plan = (await get(make_datasette(demo_file), f"/practice/clients/{NOBODY}/-/program-export.json")).json()
    assert plan["rows"] == 1 and plan["complete"] is True and plan["title"] == "Nadja Nothing-Yet"


async def test_a_plan_that_takes_too_long_says_at_least(demo_file: Path) -> None:
    ds = make_datasette(demo_file, settings={"plan_seconds": 0.000001})
    plan = (await get(ds, f"/practice/clients/{ANNA}/-/program-export.json")).json()
    assert plan["complete"] is False and plan["coverage"] == {} and plan["bytes"] is None
    page = (await get(ds, f"/practice/clients/{ANNA}/-/program-export")).text
    assert "at least <strong>0 rows</strong>" in page and "The export itself is not cut." in page
    assert (await get(ds, f"/practice/clients/{ANNA}.programjson")).json()["integrity"]["rows"] == 28


async def test_a_database_in_memory(demo_file: Path) -> None:
    ds = make_datasette(demo_file)
    memory = ds.add_memory_database("shared_by_name")
    await memory.execute_write("CREATE TABLE t (id INTEGER PRIMARY KEY, x TEXT)")
    await memory.execute_write("INSERT INTO t VALUES (1, 'a')")
    assert (await get(ds, "/shared_by_name/t/1.programjson")).json()["tables"] == {"t": [{"id": 1, "x": "a"}]}
    await memory.execute_write("INSERT INTO t VALUES (2, 'b')")  # nothing was left locked
    assert len((await get(ds, "/shared_by_name/t.programjson")).json()["tables"]["t"]) == 2
    tracked = getattr(memory, "_all_connections", [])
    assert len(tracked) < 10


async def test_an_immutable_database(tmp_path: Path, demo_file: Path) -> None:
    from datasette.app import Datasette

    ds = Datasette([], immutables=[str(demo_file)])
    found = await get(ds, f"/practice/clients/{ANNA}.programjson")
    assert found.json()["integrity"]["rows"] == 28


async def test_two_databases_with_tables_of_one_name(tmp_path: Path) -> None:
    for name in ("one", "two"):
        database(tmp_path / f"{name}.db", "CREATE TABLE t (a)", f"INSERT INTO t VALUES ('{name}')").close()
    ds = make_datasette(tmp_path / "one.db", tmp_path / "two.db", crossdb=True)
    assert (await get(ds, "/two/t.programjson")).json()["tables"]["t"] == [{"a": "two"}]


async def test_views_may_use_functions_of_other_plugins(tmp_path: Path, demo_file: Path) -> None:
    """A function that a plugin gives to Datasette's connections is there for ours."""
    from datasette import hookimpl
    from datasette.plugins import pm

    class Plugin:
        __name__ = "shout"

        @hookimpl
        def prepare_connection(self, conn):
            conn.create_function("shout", 1, str.upper)

    database(tmp_path / "x.db", "CREATE VIEW v AS SELECT shout('moon') AS said").close()
    pm.register(Plugin(), "shout")
    try:
        found = await get(make_datasette(tmp_path / "x.db"), "/x/v.programjson")
        assert found.json()["tables"]["v"] == [{"said": "MOON"}]
    finally:
        pm.unregister(name="shout")
    gone = await get(make_datasette(tmp_path / "x.db"), "/x/v.programjson")
    assert (gone.status_code, gone.json()["error"]) == (422, "v cannot be read: no such function: shout.")


async def test_a_damaged_file_is_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    database(path, "CREATE TABLE t (a)", journal="delete").close()
    ds = make_datasette(path)
    assert (await get(ds, "/x/t.programjson")).status_code == 200
    path.write_bytes(b"this is not a database any more " * 200)
    response = await get(ds, "/x/t.programjson")
    assert response.status_code == 422 and "x cannot be read: file is not a database" in response.json()["error"]


async def test_cross_origin_readers_where_the_site_allows_them(demo_file: Path) -> None:
    for cors in (True, False):
        ds = make_datasette(demo_file, cors=cors)
        for path in (f"/practice/clients/{ANNA}.programjson", "/practice/clients/nix.programjson"):
            assert ((await get(ds, path)).headers.get("access-control-allow-origin") == "*") is cors


async def test_a_wrong_setting_stops_the_start(demo_file: Path) -> None:
    from datasette.utils import StartupError

    ds = make_datasette(demo_file, settings={"max_rowz": 5})
    with pytest.raises(StartupError, match=r"datasette-program-export: unknown key max_rowz"):
        await ds.invoke_startup()


async def test_settings_of_one_database_lie_on_those_for_all(demo_file: Path) -> None:
    own = {"plugins": {"datasette-program-export": {"secrets": {"clients": ["email"]}}}}
    ds = make_datasette(
        demo_file, settings={"secrets": {"clients": ["phone"]}}, metadata={"databases": {"practice": own}}
    )
    row = (await get(ds, f"/practice/clients/{ANNA}.programjson")).json()["tables"]["clients"][0]
    assert "email" not in row and "phone" in row  # a table's list for one database replaces that for all


async def test_no_secret_leaves(demo_file: Path) -> None:
    ds = make_datasette(demo_file)
    for path in ("/practice/app_config.programjson", "/practice/app_config/1.programjson?_export_format=csv"):
        assert PASSWORD_HASH not in (await get(ds, path)).text


def who(ds, actor: str) -> dict:
    return {"ds_actor": ds.sign({"a": {"id": actor}}, "actor")}


ALLOWED = {
    "databases": {
        "practice": {
            "tables": {
                "session_notes": {"allow": {"id": "anna"}},
                "birth_data": {"allow": {"id": "anna"}},
                "app_config": {"allow": False},
            }
        }
    }
}


async def test_the_walk_stops_where_this_person_may_not_see(demo_file: Path) -> None:
    ds = make_datasette(demo_file, metadata=ALLOWED)
    await ds.invoke_startup()
    path = f"/practice/clients/{ANNA}.programjson"
    full = (await get(ds, path, cookies=who(ds, "anna"))).json()
    assert {"session_notes", "birth_data"} <= full["tables"].keys()
    less = (await get(ds, path, cookies=who(ds, "bob"))).json()
    assert not {"session_notes", "birth_data"} & less["tables"].keys()
    assert less["coverage"]["no_permission"] == [{"table": "birth_data", "along": "charts.birth_data_id"}]
    assert "session_notes" not in json.dumps(less)
    assert less["coverage"]["warnings"] == [
        "Only tables that you may see and export were looked at; there are others in this database."
    ]
    assert len(less["tables"]["charts"]) == 2  # by the client only: the other way was closed


DENIED = [
    ("/practice/app_config.programjson", "anna"),
    ("/practice/APP_CONFIG.programjson", "anna"),
    ("/practice/session_notes.programjson", "bob"),
    ("/practice/birth_data/x.programjson", None),
    ("/practice/birth_data/x/-/program-export", None),
    ("/practice/birth_data/x/-/program-export.json", None),
    ("/practice/birth_data/x/-/program-export/download", None),
]


@pytest.mark.parametrize(("path", "actor"), DENIED)
async def test_what_may_not_be_seen_is_not_exported(demo_file: Path, path: str, actor: str | None) -> None:
    ds = make_datasette(demo_file, metadata=ALLOWED)
    await ds.invoke_startup()
    response = await get(ds, path, cookies=who(ds, actor) if actor else None)
    table = path.split("/")[2].partition(".")[0]
    assert response.status_code == 404
    assert response.json()["error"] == f"There is no table {table} in practice, or you may not see it."


async def test_a_closed_site_gives_nothing(demo_file: Path) -> None:
    ds = make_datasette(demo_file, metadata={"allow": {"id": "owner"}})
    await ds.invoke_startup()
    path = f"/practice/clients/{BOB}.programjson"
    assert (await get(ds, path)).status_code == 403
    assert (await get(ds, path, cookies=who(ds, "owner"))).status_code == 200


async def test_settings_in_a_place_without_a_meaning_stop_the_start(demo_file: Path) -> None:
    from datasette.utils import StartupError

    def said_of(**settings) -> dict:
        return {"plugins": {"datasette-program-export": settings}}

    ours = said_of(secrets={"clients": ["phone"]})
    for databases, said in (
        ({"practise": ours}, "the database practise, which is not served"),
        ({"practice": {"tables": {"clients": ours}}}, "under the table clients; they go under its database, practice"),
        (
            {"practice": {"plugins": {"datasette-program-export": {"profiles": {"x": {"format": "cvs"}}}}}},
            "no format cvs",
        ),
        (
            {"practice": {"plugins": {"datasette-program-export": {"secrets": {"client": ["phone"]}}}}},
            "client, a table",
        ),
        ({"practice": said_of(secrets={"clients": ["fone"]})}, "no column fone"),
    ):
        ds = make_datasette(demo_file, metadata={"databases": databases})
        with pytest.raises(StartupError, match=said):
            await ds.invoke_startup()


async def test_rows_picked_on_the_page_go_before_its_filters(demo_file: Path) -> None:
    ds = make_datasette(demo_file)
    base = f"/practice/clients/-/program-export/download?last_name=Silva&_export_record={ANNA}"
    assert [row["id"] for row in (await get(ds, base)).json()["tables"]["clients"]] == [ANNA]
    strict = await get(ds, f"/practice/clients.programjson?last_name=Silva&_export_record={ANNA}")
    assert strict.status_code == 400 and "A filter (where) does not go" in strict.json()["error"]


async def test_a_secret_column_that_is_asked_for_is_refused(demo_file: Path) -> None:
    ds = make_datasette(demo_file)
    asked = await get(ds, "/practice/app_config.programcsv?_col=password_hash")
    assert asked.status_code == 403 and "app_config.password_hash was asked for" in asked.json()["error"]
    without = await get(ds, "/practice/app_config.programjson?_nocol=app_version")
    assert without.status_code == 200 and "password_hash" not in without.json()["tables"]["app_config"][0]


async def test_the_plan_does_not_tell_of_a_hidden_child(tmp_path: Path) -> None:
    database(tmp_path / "x.db", "CREATE TABLE p (id INTEGER PRIMARY KEY)", "CREATE TABLE c (p REFERENCES p)").close()
    for allow, expected in (({"id": "anna"}, False), (True, True)):
        ds = make_datasette(tmp_path / "x.db", metadata={"databases": {"x": {"tables": {"c": {"allow": allow}}}}})
        await ds.invoke_startup()
        assert (await get(ds, "/x/p/-/program-export.json")).json()["can_cascade"] is expected
        page = (await get(ds, "/x/p/-/program-export")).text
        assert ("with everything that belongs to these rows" in page) is expected


async def test_the_page_of_a_stored_query_shows_no_cookie(demo_file: Path) -> None:
    queries = {"databases": {"practice": {"queries": {"mine": {"sql": "select :_header_x_secret as a, :b as b"}}}}}
    ds = make_datasette(demo_file, **{"config" if V1 else "metadata": queries})
    page = await get(ds, "/practice/mine/-/program-export?b=seen", headers={"x-secret": "hushed"})
    assert page.status_code == 200 and "seen" in page.text and "hushed" not in page.text
