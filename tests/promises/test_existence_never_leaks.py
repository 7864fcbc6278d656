"""Existence never leaks: what may not be seen is answered like what was never there, at every door."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from datasette_program_export.plugin.host import V1
from tests.support.databases.building import database
from tests.support.sites.permissions import ALL, HOUSE, PAGE, PLAN, allowed, get, house, only, site

HIDDEN, NEVER = "memos", "nemos"  # of one length, as an answer's length tells too
# hidden with all that is made from it; its reader may run SQL
MEMOS_HIDDEN = allowed(memos=only("anna"), memos_fts=only("anna"), scans=only("anna"), v_memos=only("anna"))
HERE = {
    **MEMOS_HIDDEN,
    "queries": {"memos_query": {"sql": "select body from memos", "allow": only("anna")}},
}


@pytest.fixture(scope="module")
def house_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Not to be written to."""
    return house(tmp_path_factory.mktemp("existence"))


@pytest.fixture(scope="module")
def vault_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Another database, which is hidden as a whole."""
    return house(tmp_path_factory.mktemp("existence"), "vault")


def sql(statement: str) -> str:
    return "/house/-/query.programjson?sql=" + quote(statement, safe="{}")


def where(condition: str) -> str:
    return "/house/albums.programjson?_where=" + quote(condition, safe="{}")


def through(**value: Any) -> str:
    return "/house/artists.programjson?_through=" + quote(json.dumps(value), safe="{}")


ADDRESSES = [
    f"/house/{{}}{ending}"
    for ending in (
        ".programjson",
        ".programcsv",
        ".programzip",
        ".programjson?_export_cascade=1",
        ".programjson?_export_nix=1",
        ".programjson?_sort=nix",
        ".programjson?_where=nix",
        ".programjson?_export_record=1",
        "/1.programjson",
        "/999.programjson",
        "/1,2.programjson",
        "/1.programjson?nix=1",
        "/1.programjson?_export_limit=1",
        "/-/program-export",
        "/-/program-export.json",
        "/-/program-export/download",
        "/1/-/program-export",
        "/1/-/program-export.json",
        "/1/-/program-export/download?_export_format=csv",
        "_fts.programjson",
        *(("_fts_data.programjson", "_fts_data/1.programjson") if V1 else ()),  # 0.x shows them itself
        "_query.programjson",
        "_query/-/program-export.json",
    )
] + ["/house/v_{}.programjson", "/house/v_{}/-/program-export", "/house/{}.programjson?_fts_table={}_fts&_search=x"]
OPTIONS = [
    f"{door}?_export_{option}"
    for door in ("/house/artists/1.programjson", "/house/artists/1/-/program-export.json", "/house.programjson")
    for option in ("without={}", "without={}.body", "without={}.nix", "without={}_fts", "without=v_{}")
] + [
    "/house/artists.programjson?_export_cascade=1&_export_without={}",
    "/house/artists.programjson?_export_without={}",
    "/house/artists/1.programjson?_export_stop={}.artist_id",
    "/house/artists/1.programjson?_export_stop={}.nix",
    "/house/artists.programjson?_export_cascade=1&_export_stop={}.artist_id",
    "/house.programjson?_export_table={}",
    "/house.programjson?_export_table={}_fts",
    *(["/house.programjson?_export_table={}_fts_data"] if V1 else []),
    "/house.programjson?_export_table=v_{}",
    "/house.programjson?_export_table=artists&_export_table={}",
    "/house/-/program-export.json?_export_table={}",
    "/house/albums.programjson?_search=x&_fts_table={}_fts",
    "/house/albums.programjson?_fts_table={}",
    "/house/albums.programjson?_fts_table={}_fts&_fts_pk=id",
    through(table="{}", column="artist_id", value="1"),
    through(table="{}", column="nix", value="1"),
    through(table="{}"),
    through(table="{}_fts", column="body", value="1"),
    through(table="v_{}", column="id", value="1"),
]
STATEMENTS = [
    "select * from {}",
    "select count(*) from {}",
    "select 1 from {} where 0",
    "select body from {}",
    "select nix from {}",
    "select {}.body from albums, {}",
    "select id from albums, {}",  # ambiguous, where it exists
    "select body from albums, {}",
    "select nix(1) from {}",
    "select 1 from {} order by 7",
    "select 1 from {} limit nix",
    "select 1 from {} indexed by nix",
    "select * from {}(1)",
    "select 1 from {} group by 9",
    "select sum(count(*)) from {}",
    "select (select 1, 2 from {})",
    "select 1 from {} union select 1, 2",
    "select * from {} union select 1",
    "select * from {} union select 1, 2, 3",
    "select 1 where 1 in {}",
    "select 1 where (1, 2) in (select 1 from {})",
    "with x as (select * from {}) select 1",
    "with x(a) as (select * from {}) select a from x",
    "with x as (select * from {}) select * from x",
    "with v_albums as (select * from {}) select * from v_albums",
    "with {} as (select * from {}) select * from {}",
    "with x as (select 1 from v_{}) select * from x",
    "select * from main.{}",
    "select rowid from {}",
    "select * from albums join {} using (id)",
    "select * from albums natural join {}",
    "select * from albums left join {} on {}.id = albums.id",
    "select * from {}_fts",
    "select * from {}_fts where {}_fts match 'x'",
    "select highlight({}_fts, 0, 'a', 'b') from {}_fts",
    "select * from {}_fts_data",
    "select * from v_{}",
    "select count(*) from v_{}",
    "select name from pragma_table_info('{}')",
    "select * from pragma_foreign_key_list('{}')",
    "select * from pragma_index_list('{}')",
    "select sql from sqlite_master where name = '{}'",
    "select sql from sqlite_schema where name = '{}'",
    'select "{}"',
    "select 1 from albums where {}",
    "explain select * from {}",
    "select * from {} as m, {} as m",
    "select body over () from {}",
    "select max(body, 1, *) from {}",
    "select 1 from {} where body match 'x'",
    "select 1 from {} collate nix",
    "select body collate nix from {} order by 1 collate nix",
    "select json_each.value from {}, json_each({}.body)",
]
HARMLESS = ['select "{}"', "with x as (select * from {}) select 1"]  # they read nothing of it
CONDITIONS = [
    "id in (select artist_id from {})",
    "exists (select 1 from {})",
    "exists (select nix from {})",
    "exists (select nix(1) from {})",
    "id in {}",
    "exists (with x as (select id from {}) select 1 from x)",
    "(select count(*) from {}) > 0",
    "{}.id = 1",
    "exists (select 1 from {}_fts_data)",
    "exists (select 1 from v_{})",
    "exists (select id from albums as b, {} where id)",
    "exists (select 1 from {} order by 7)",
    "exists (select 1 from {} union select 1, 2)",
]
DATABASES = [
    "/{}.programjson",
    "/{}.programzip",
    "/{}/artists.programjson",
    "/{}/artists/1.programjson",
    "/{}/nix.programjson",
    "/{}/artists/-/program-export.json",
    "/{}/-/query.programjson?sql=select+1",
    "/{}/-/query.programjson?sql=nix",
    "/{}/-/query.programjson",
    "/{}/-/program-export",
    "/{}/-/program-export.json",
    "/{}/-/program-export/download",
    "/{}.programjson?_export_nix=1",
]


async def answers(ds: Any, path: str, hidden: str, never: str, **options: Any) -> list[tuple[int, str, str | None]]:
    """The two answers, with the name taken out of them."""
    found = []
    for name in (hidden, never):
        got = await get(ds, path.replace("{}", name), "bob", **options)
        length = got.headers.get("content-length")
        text = re.sub(r'[0-9a-f]{64}|"created_at":"[^"]*"|Queries took [0-9.]+ms|csrftoken" value="[^"]*', "", got.text)
        found.append((got.status_code, text.replace(name, "…"), length))
    return found


@pytest.mark.parametrize("path", ADDRESSES + OPTIONS, ids=str)
async def test_a_hidden_table_is_answered_as_if_it_had_never_been(house_file: Path, path: str) -> None:
    hidden, never = await answers(site(house_file, here=HERE), path, HIDDEN, NEVER)
    assert hidden == never
    assert 400 <= hidden[0] < 500


@pytest.mark.parametrize(
    "path", ["/house/{}.programjson", "/house/{}/1.programjson", "/house.programjson?_export_table={}"]
)
async def test_nor_by_another_case_nor_to_a_browser(house_file: Path, path: str) -> None:
    ds = site(house_file, here=HERE)
    for names in (("MEMOS", "NEMOS"), ("Memos", "Nemos")):
        hidden, never = await answers(ds, path, *names)
        assert hidden == never and hidden[0] == 404
    hidden, never = await answers(ds, path, HIDDEN, NEVER, headers={"accept": "text/html"})
    assert hidden == never and hidden[0] == 404


@pytest.mark.parametrize("statement", STATEMENTS)
async def test_no_query_tells_what_else_there_is(house_file: Path, statement: str) -> None:
    hidden, never = await answers(site(house_file, here=HERE), sql(statement), HIDDEN, NEVER)
    assert hidden == never
    assert hidden[0] in (400, 403) or statement in HARMLESS


@pytest.mark.parametrize("condition", CONDITIONS)
async def test_no_condition_tells_what_else_there_is(house_file: Path, condition: str) -> None:
    hidden, never = await answers(site(house_file, here=HERE), where(condition), HIDDEN, NEVER)
    assert hidden == never and 400 <= hidden[0] < 500


@pytest.mark.parametrize(
    "form", ["select {} from memos", "select memos.{} from memos", "select 1 from memos order by {}"]
)
async def test_no_query_tells_the_columns_of_a_hidden_table(house_file: Path, form: str) -> None:
    hidden, never = await answers(site(house_file, here=HERE), sql(form), "body", "bodx")
    assert hidden == never and hidden[0] == 400


@pytest.mark.parametrize("path", DATABASES)
async def test_a_hidden_database_is_answered_as_if_it_had_never_been(
    house_file: Path, vault_file: Path, path: str
) -> None:
    ds = site(house_file, vault_file)
    said = ds.config if V1 else ds._metadata_local
    said["databases"]["vault"] = {"allow": only("anna")}
    hidden, never = await answers(ds, path, "vault", "wault")
    assert hidden == never and 400 <= hidden[0] < 500
    assert (await get(ds, "/vault.programjson", "anna")).status_code == 200  # it is there


SETTINGS = {
    "subjects": {"memos": {"label": "memo-label", "plural": "memo-plural"}, "scans": {"label": "scans-label"}},
    "stop": ["scans.memo_id"],
    "secrets": {"memos": ["body"]},
    "caches": ["scans"],
}


@pytest.mark.parametrize(
    "path",
    [PLAN, PAGE, "/house/-/program-export.json", "/house/-/program-export", "/house/albums/-/program-export.json"],
)
@pytest.mark.parametrize("plugin", [{}, SETTINGS], ids=["plain", "with-settings"])
async def test_the_plan_and_the_page_are_those_of_a_database_without_it(
    tmp_path: Path, house_file: Path, path: str, plugin: dict
) -> None:
    """Only that there is something else is said, in one sentence."""
    (tmp_path / "twin").mkdir()
    twin = tmp_path / "twin" / "house.db"
    database(twin, *(s for s in HOUSE if "memo" not in s and "scans" not in s)).close()
    texts = []
    for file in (house_file, twin):
        ds = site(file, here=HERE if file == house_file else {}, plugin=plugin if file == house_file else {})
        text = (await get(ds, path, "bob")).text
        for word in ("memo", "scans", "private-canary"):
            assert word not in text
        texts.append(text)
    if path.endswith(".json"):
        plans = [json.loads(text) for text in texts]
        for plan in plans:
            plan.pop("bytes")
            plan["coverage"]["warnings"] = [w for w in plan["coverage"]["warnings"] if "there are others" not in w]
        assert plans[0] == plans[1]


async def test_a_document_of_the_whole_database_names_nothing_hidden(house_file: Path) -> None:
    """A view, an index and a child of a hidden table are hidden with it, and so are the names in coverage."""
    ds = site(house_file, here=HERE, plugin=SETTINGS)
    for ending in (".programjson", "/-/program-export.json", "/-/program-export"):
        text = (await get(ds, "/house" + ending, "bob")).text
        assert "memo" not in text and "scans" not in text and "artists" in text
    assert set((await get(ds, "/house.programjson", "bob")).json()["tables"]) == ALL - {"memos", "scans"}


async def test_a_reference_that_only_the_settings_know_does_not_tell_a_hidden_table(house_file: Path) -> None:
    """A foreign key of the schema may be read by whoever sees its table; one from the settings may not."""
    key = {"table": "albums", "columns": ["title"], "other_table": "memos", "other_columns": ["id"]}
    ds = site(house_file, here=HERE, plugin={"virtual_foreign_keys": [key]})
    for path in ("/house/albums/1.programjson", "/house/albums/1/-/program-export.json", "/house.programjson"):
        answer = await get(ds, path, "bob")
        assert answer.status_code == 200 and "memos" not in answer.text


@pytest.mark.skipif(not V1, reason="0.x has only queries by the site's owner")
async def test_a_stored_query_of_somebody_reads_as_that_person_may(house_file: Path) -> None:
    ds = site(house_file, here=HERE)
    await ds.invoke_startup()
    for name, table in (("mine", HIDDEN), ("yours", NEVER)):
        await ds.add_query("house", name, f"select body from {table}", is_trusted=False)
    found = [await get(ds, f"/house/{name}.programjson", "bob") for name in ("mine", "yours")]
    assert found[0].status_code == found[1].status_code == 400
    assert found[0].text.replace("mine", "…") == found[1].text.replace("yours", "…")
    assert "private-canary" in (await get(ds, "/house/mine.programjson", "anna")).text
