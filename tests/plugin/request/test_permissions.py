"""Who gets what: actor by scope by setting, and that permissions are asked anew at every request."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from datasette_program_export.plugin.host import V1
from tests.support.databases.building import database
from tests.support.sites.permissions import ALL, PAGE, PLAN, PLUGIN, RECORD, SITES, SQL, allowed, get, house, only, site

# What the tables' own foreign keys name; whoever sees the child may read that
PARENTS = {"albums": {"artists", "backers"}, "tracks": {"albums"}, "memos": {"artists"}, "scans": {"memos"}}
OTHERS = "Only tables that you may see and export were looked at; there are others in this database."


QUERIES_READ = {"titles": {"albums"}, "bodies": {"memos"}, "counted": {"memos"}}  # their SQL is in the document


class Case(NamedTuple):
    site: str
    who: str | dict | None
    path: str
    status: int
    tables: str = ""
    without_permission: str = ""  # what coverage names: table by reference
    others: bool = False  # whether coverage warns that there are others

    def __str__(self) -> str:
        who = "token-" + json.dumps(self.who["_r"]) if isinstance(self.who, dict) else self.who or "anonymous"
        return re.sub(r"[^\w./?=-]+", "_", f"{self.site}:{who}:{self.path}")


def token(**may: Any) -> dict:
    return {"id": "anna", "_r": may}


ALBUM = "/house/albums/1.programjson?_export_parents=needed"
WHOLE, WHOLE_PLAN = "/house.programjson", "/house/-/program-export.json"
MEMOS, BACKERS = "/house/memos.programjson", "/house/backers.programjson"
SQL_MEMOS = "/house/-/query.programjson?sql=select+body+from+memos"
WITH_SECRETS = BACKERS + "?_export_secrets=include"
NO_BACKERS = "backers albums.backer_id"
NO_PARENTS = f"artists albums.artist_id, {NO_BACKERS}"
DOWN = "artists albums tracks memos scans"
CASES = [
    Case("open", None, RECORD, 200, DOWN),
    Case("open", None, ALBUM, 200, "artists backers albums tracks"),
    Case("open", "bob", PLAN, 200, DOWN),
    Case("open", "anna", PAGE, 200, DOWN),
    Case("open", None, MEMOS, 200, "memos"),
    Case("open", "bob", "/house/v_memos.programjson", 200, "v_memos"),
    Case("open", None, WHOLE, 200, " ".join(ALL)),
    Case("open", "root", WHOLE_PLAN, 200, " ".join(ALL)),
    Case("open", None, SQL_MEMOS, 200, "query"),
    Case("open", None, "/house/memos_fts.programjson", 200, "memos_fts"),
    Case("open", None, WITH_SECRETS, 403),
    Case("open", "anna", WITH_SECRETS, 403),
    Case("tables", "anna", RECORD, 200, DOWN, NO_BACKERS, True),
    Case("tables", "bob", RECORD, 200, "artists albums tracks", NO_BACKERS, True),
    Case("tables", None, RECORD, 200, "artists albums tracks", NO_BACKERS, True),
    Case("tables", None, PLAN, 200, "artists albums tracks", NO_BACKERS, True),
    Case("tables", "bob", PAGE, 200, "artists albums tracks"),
    Case("tables", "bob", ALBUM, 200, "artists albums tracks", NO_BACKERS, True),
    Case("tables", "root", ALBUM, 200, "artists backers albums tracks", others=True),
    Case("tables", "bob", "/house/scans/1.programjson", 200, "scans", "memos scans.memo_id", True),
    Case("tables", "bob", MEMOS, 404),
    Case("tables", "anna", MEMOS, 200, "memos"),
    Case("tables", "bob", "/house/memos/1.programjson", 404),
    Case("tables", "bob", "/house/memos/1/-/program-export.json", 404),
    Case("tables", "bob", "/house/memos/-/program-export", 404),
    Case("tables", "bob", "/house/memos/-/program-export/download", 404),
    Case("tables", "bob", "/house/MEMOS.programcsv", 404),
    Case("tables", "bob", "/house/memos_fts.programjson", 404 if V1 else 403),
    Case("tables", "bob", "/house/memos_fts_data.programjson", 404 if V1 else 403),
    Case("tables", "bob", "/house/diaries_content.programjson", 404 if V1 else 403),
    Case("tables", "bob", "/house/-/query.programjson?sql=select+c0+from+diaries_content", 400),
    Case("tables", "bob", "/house/v_memos.programjson", 200, "v_memos"),
    Case("tables", "bob", "/house/v_albums.programjson", 404),
    Case("tables", "anna", "/house/v_albums.programjson", 200, "v_albums"),
    Case("tables", "bob", SQL, 200, "query"),
    Case("tables", "bob", SQL_MEMOS, 400),
    Case("tables", "anna", SQL_MEMOS, 200, "query"),
    Case("tables", "bob", "/house/albums.programjson?_where=id+in+(select+id+from+memos)", 400),
    Case(
        "tables",
        None,
        "/house/albums.programjson?_export_cascade=1",
        200,
        "albums tracks",
        "backers albums.backer_id",
        True,
    ),
    Case(
        "tables",
        "bob",
        WHOLE,
        200,
        "artists albums tracks scans",
        f"{NO_BACKERS}, memos scans.memo_id",
        True,
    ),
    Case("tables", "anna", WHOLE_PLAN, 200, DOWN, NO_BACKERS, True),
    Case("tables", "root", WHOLE, 200, DOWN + " backers", others=True),
    Case("tables", "bob", WHOLE + "?_export_table=memos", 404),
    Case("children", "bob", RECORD, 200, "artists albums tracks", others=True),
    Case("children", None, WHOLE, 200, "artists albums tracks backers diaries", others=True),
    *(Case("closed", "bob", path, 404) for path in (RECORD, PLAN, PAGE, MEMOS, WHOLE, SQL)),
    Case("closed", None, "/house/nix.programjson", 404),
    Case("closed", "anna", RECORD, 200, DOWN),
    Case("closed", "root", WHOLE, 200, " ".join(ALL)),
    Case("private", "root", WHOLE, 403),
    Case("private", "anna", WHOLE, 200, " ".join(ALL)),
    Case("exception", "bob", "/house/albums/1.programjson", 200, "albums", NO_PARENTS, True),
    Case("exception", "bob", RECORD, 403),
    Case("exception", "bob", WHOLE, 200, "albums", NO_PARENTS, True),
    *(Case("plugin", "bob", path, 403) for path in (RECORD, PLAN, PAGE, MEMOS, WHOLE, SQL)),
    Case("plugin", None, RECORD, 403),
    Case("plugin", "anna", RECORD, 200, DOWN),
    Case("plugin", "anna", SQL, 200, "query"),
    Case("plugin-here", "anna", RECORD, 403),
    Case("plugin-here", "anna", SQL, 403),
    Case("plugin-here", "bob", RECORD, 200, DOWN),
    Case("plugin-reopened", None, WHOLE, 200, " ".join(ALL)),
    Case("secrets", "anna", WITH_SECRETS, 200, "backers"),
    Case("secrets", "bob", WITH_SECRETS, 403),
    Case("secrets", "root", WITH_SECRETS, 403),
    Case("secrets-here", "anna", WITH_SECRETS, 200, "backers"),
    Case("secrets-here", None, WITH_SECRETS, 403),
    Case("sql", "anna", SQL, 200, "query"),
    Case("sql", "bob", SQL, 403),
    Case("sql", "bob", "/house/albums.programjson?_where=id=1", 403),
    Case("sql", "bob", "/house/titles.programjson", 200, "titles"),
    Case("sql", "bob", RECORD, 200, DOWN),
    Case("no-sql", "anna", SQL, 403),
    Case("no-sql", "anna", "/house/titles/-/program-export.json", 200, "titles"),
    Case("queries", "bob", "/house/titles.programjson", 200, "titles"),
    Case("queries", "bob", "/house/bodies.programjson", 404),
    Case("queries", "anna", "/house/bodies.programjson", 200, "bodies"),
    Case("queries", "bob", "/house/counted.programjson", 200, "counted"),
    Case("queries", "bob", SQL_MEMOS, 400),
]
CASES_V1 = [
    *(Case("deny", "anna", path, 403) for path in (RECORD, PLAN, WHOLE, MEMOS)),
    Case("deny", None, RECORD, 404),
    Case("deny-export", "anna", RECORD, 200, DOWN),
    Case("deny-export", "bob", RECORD, 403),
    Case("deny-block", "bob", RECORD, 200, DOWN),
    Case("deny-block", "anna", RECORD, 403),
    Case("deny-root", "root", WHOLE, 200, " ".join(ALL)),
    Case("deny-root", "root", WITH_SECRETS, 200, "backers"),
    Case("deny-root", "anna", WHOLE, 403),
    Case("by-site", "anna", RECORD, 200, DOWN),
    *(Case("by-site", "bob", path, 403) for path in (RECORD, PLAN, PAGE, WHOLE, SQL)),
    Case("by-site-of-some", "bob", RECORD, 403),
    Case("by-site-of-some", "bob", WHOLE, 403),
    Case("by-site-of-some", "anna", RECORD, 200, "artists albums tracks", others=True),
    Case("by-database", "anna", WHOLE, 200, " ".join(ALL)),
    *(Case("by-database", "bob", path, 403) for path in (RECORD, WHOLE_PLAN, SQL)),
    Case("by-table", "anna", RECORD, 200, DOWN),
    Case("by-table", "bob", RECORD, 200, "artists albums tracks", NO_BACKERS, True),
    Case("by-table", "bob", ALBUM, 200, "artists albums tracks", NO_BACKERS, True),
    Case("by-table", "bob", MEMOS, 403),
    Case("by-table", "bob", SQL_MEMOS, 400),
    Case("by-table", "bob", "/house/memos_fts.programjson", 403),
    Case("open", token(a=["vi", "vd", "vt", "es"]), RECORD, 403),
    Case("open", token(a=["vi", "vd", "vt", "es"]), SQL, 403),
    Case("open", token(a=["vi", "vd", "vt", "es", "pe"]), RECORD, 200, DOWN),
    Case("open", token(a=["vi", "vd", "vt", "pe"]), SQL, 403),
    Case("open", token(a=["vi", "vd", "vt", "es", "pe"]), SQL, 200, "query"),
    Case("open", token(a=["pe"]), RECORD, 403),
    Case("open", token(a=["vi", "vd"], d={"house": ["vt", "pe"]}), WHOLE, 200, " ".join(ALL)),
    Case("open", token(a=["vi", "vd"], d={"other": ["vt", "pe"]}), WHOLE, 422),
    Case(
        "open", token(a=["vi", "vd"], r={"house": {t: ["vt", "pe"] for t in ("albums", "tracks")}}), ALBUM, 200,
        "albums tracks", NO_PARENTS, True,
    ),
    Case("open", token(a=["vi", "vd"], r={"house": {"albums": ["vt", "pe"]}}), RECORD, 404),
    Case("open", {**token(a=["vi", "vd", "vt", "pe"]), "id": "root"}, WITH_SECRETS, 403),
    Case("root", "root", WITH_SECRETS, 200, "backers"),
    Case("root", {**token(a=["vi", "vd", "vt", "pe"]), "id": "root"}, WITH_SECRETS, 403),
    Case("root", {**token(a=["vi", "vd", "vt", "pe", "pes"]), "id": "root"}, WITH_SECRETS, 200, "backers"),
    Case("root", "bob", RECORD, 200, "artists albums tracks", others=True),
    Case("open", "root", WITH_SECRETS, 403),
]  # fmt: skip
CASES_0X = [Case("open", "root", WITH_SECRETS, 200, "backers")]


@pytest.mark.parametrize("case", CASES + (CASES_V1 if V1 else CASES_0X), ids=str)
async def test_everybody_gets_what_they_may_have_and_no_more(house_file: Path, case: Case) -> None:
    response = await get(site(house_file, **SITES[case.site]), case.path, case.who)
    assert response.status_code == case.status, response.text
    text, expected = response.text, set(case.tables.split())
    if case.status != 200:
        assert not expected and response.json()["ok"] is False
        assert named_in(text) <= named_in(case.path.lower())
        return
    allowed_words = (
        expected
        | set().union(*(PARENTS.get(t, set()) for t in expected))
        | named_in(case.path)
        | QUERIES_READ.get(case.tables, set())
    )
    if case.path == PAGE:
        assert named_in(text) == allowed_words | ({"backers"} & named_in(text))
        return
    found = response.json()
    plan = isinstance(found["tables"], list)
    assert {t["table"] if plan else t for t in found["tables"]} == expected
    coverage = found["coverage"]
    told = {f"{n['table']} {n['along']}" for n in coverage["no_permission"]}
    assert told == set(filter(None, case.without_permission.split(", ")))
    assert (OTHERS in coverage["warnings"]) is case.others
    left_out = {part["table"] for part in coverage["left_out"] if "why" in part}
    assert named_in(text) <= allowed_words | left_out
    assert ("s3cret-canary" in text) is ("_export_secrets=include" in case.path and not plan)
    assert "private-canary" not in text or {"memos", "v_memos", "bodies", "query", "memos_fts"} & expected


def named_in(text: str) -> set[str]:
    """The tables whose names stand in a text, as words of their own."""
    return {name for name in ALL if re.search(rf"(?<![\w]){name}(?![\w])", text)}


def test_the_table_of_cases_is_long_enough() -> None:
    assert len(CASES) >= 60 and len(set(map(str, CASES))) == len(CASES)


async def test_permissions_are_asked_anew_at_every_request(house_file: Path) -> None:
    ds = site(house_file, here=allowed(memos=only("anna")))
    said = ds.config if V1 else ds._metadata_local
    first = await get(ds, RECORD, "anna")
    assert "memos" in first.json()["tables"]
    assert "memos" not in (await get(ds, RECORD, "bob")).json()["tables"]
    said["databases"]["house"]["tables"]["memos"]["allow"] = only("bob")
    assert "memos" not in (await get(ds, RECORD, "anna")).json()["tables"]
    assert (await get(ds, MEMOS, "anna")).status_code == 404
    assert "memos" in (await get(ds, RECORD, "bob")).json()["tables"]
    said["databases"]["house"]["allow"] = False
    said["databases"]["house"]["tables"] = {}
    assert (await get(ds, RECORD, "bob")).status_code == 404


async def test_our_own_block_is_asked_anew_too(house_file: Path) -> None:
    ds = site(house_file, plugin={"allow": only("anna")})
    assert (await get(ds, RECORD, "anna")).status_code == 200
    (ds.config if V1 else ds._metadata_local)["plugins"][PLUGIN]["allow"] = only("bob")
    assert (await get(ds, RECORD, "anna")).status_code == 403
    assert (await get(ds, RECORD, "bob")).status_code == 200


async def test_a_table_made_after_the_start_is_under_the_same_rules(tmp_path: Path) -> None:
    path = house(tmp_path)
    ds = site(path, here=allowed(late=only("anna")))
    assert (await get(ds, "/house/late.programjson", "anna")).status_code == 404
    database(path, "CREATE TABLE late (id INTEGER PRIMARY KEY, artist_id REFERENCES artists)").close()
    if V1:
        await ds.refresh_schemas(force=True)  # it looks once a second
    assert "late" in (await get(ds, RECORD, "anna")).json()["tables"]
    assert "late" not in (await get(ds, RECORD, "bob")).text


@pytest.mark.skipif(not V1, reason="0.x asks for each table; there is no list to ask for")
async def test_many_tables_are_not_asked_for_one_by_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = {}
    for many in (3, 300):
        path = tmp_path / f"of{many}.db"
        database(path, *(f"CREATE TABLE t{i} (a)" for i in range(many))).close()
        ds = site(path)
        await ds.invoke_startup()
        calls = asked[many] = {"allowed": 0, "allowed_resources": 0}
        for name in calls:
            monkeypatch.setattr(ds, name, counting(calls, name, getattr(ds, name)))
        for ending in (".programjson", "/-/program-export.json", "/-/program-export"):
            assert (await get(ds, f"/of{many}{ending}")).status_code == 200
        assert len((await get(ds, f"/of{many}.programjson")).json()["tables"]) == many
    assert asked[3] == asked[300] and 0 < asked[300]["allowed_resources"] <= 8


def counting(calls: dict, name: str, method: Any) -> Any:
    def called(*args: Any, **kwargs: Any) -> Any:
        calls[name] += 1
        return method(*args, **kwargs)

    return called


VOCABULARIES = (
    "CREATE TABLE d (id INTEGER PRIMARY KEY, t TEXT)",
    "CREATE VIRTUAL TABLE f USING fts5(t, content=d, content_rowid=id)",
    "CREATE VIRTUAL TABLE v USING fts5vocab(f, row)",
    "CREATE VIRTUAL TABLE g USING fts4(t)",
    "CREATE VIRTUAL TABLE a USING fts4aux(g)",
)


@pytest.mark.parametrize("who", [None, "root"])
async def test_lists_of_words_are_no_others(tmp_path: Path, who: str | None) -> None:
    """Datasette 1.0 allows nobody to see them; they show what is in an index, and that what is in a table."""
    database(tmp_path / "house.db", *VOCABULARIES).close()
    ds = site(tmp_path / "house.db", root=True)
    for path in ("/house.programjson", "/house/d.programjson"):
        answer = await get(ds, path, who)
        assert answer.status_code == 200 and OTHERS not in answer.json()["coverage"]["warnings"]


@pytest.mark.parametrize("hidden", ["d", "f"])
async def test_lists_of_words_of_what_is_hidden_are(tmp_path: Path, hidden: str) -> None:
    database(tmp_path / "house.db", *VOCABULARIES, "CREATE TABLE other (id INTEGER PRIMARY KEY)").close()
    ds = site(tmp_path / "house.db", here={"tables": {hidden: {"allow": False}}})
    warnings = (await get(ds, "/house.programjson", None)).json()["coverage"]["warnings"]
    assert warnings == [OTHERS]


async def test_lists_of_words_cost_no_trigger(tmp_path: Path) -> None:
    trigger = "CREATE TRIGGER fills AFTER INSERT ON d BEGIN UPDATE d SET t = upper(t) WHERE id = new.id; END"
    naming = "CREATE TRIGGER reads AFTER INSERT ON d BEGIN UPDATE d SET t = (SELECT term FROM v) WHERE id = new.id; END"
    database(tmp_path / "house.db", *VOCABULARIES, trigger, naming).close()
    schema = (await get(site(tmp_path / "house.db", root=True), "/house.programjson", "root")).json()["schema"]
    assert [(o["type"], o["name"]) for o in schema["objects"]] == [("virtual", "f"), ("trigger", "fills")]
    (lost,) = schema["not_carried"]
    assert lost["name"] == "reads" and (lost["why"] == "it needs what is not here") is V1
