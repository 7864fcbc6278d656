"""A Datasette with permissions: who may do what, and asking as somebody."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from datasette_program_export.plugin.host import V1
from tests.support.databases.building import database
from tests.support.sites.server import make_datasette


def lines(log: Path) -> list[dict]:
    text = log.read_text("utf-8") if log.exists() else ""
    assert text == "" or text.endswith("\n")
    return [json.loads(line) for line in text.splitlines()]


PLUGIN = "datasette-program-export"


HOUSE = (
    "CREATE TABLE artists (id INTEGER PRIMARY KEY, name TEXT)",
    "CREATE TABLE backers (id INTEGER PRIMARY KEY, name TEXT, api_key TEXT)",
    "CREATE TABLE albums (id INTEGER PRIMARY KEY, artist_id REFERENCES artists, backer_id REFERENCES backers, title)",
    "CREATE TABLE tracks (id INTEGER PRIMARY KEY, album_id REFERENCES albums, title)",
    "CREATE TABLE memos (id INTEGER PRIMARY KEY, artist_id REFERENCES artists, body TEXT)",
    "CREATE TABLE scans (id INTEGER PRIMARY KEY, memo_id REFERENCES memos, page TEXT)",
    "CREATE VIEW v_albums AS SELECT id, title FROM albums",
    "CREATE VIEW v_memos AS SELECT id, body FROM memos",
    "CREATE VIRTUAL TABLE memos_fts USING fts5(body, content='memos', content_rowid='id')",
    "CREATE VIRTUAL TABLE diaries USING fts5(body)",
    "INSERT INTO artists VALUES (1, 'ada'), (2, 'bea')",
    "INSERT INTO backers VALUES (1, 'rich', 's3cret-canary')",
    "INSERT INTO albums VALUES (1, 1, 1, 'air'), (2, 2, 1, 'bay')",
    "INSERT INTO tracks VALUES (1, 1, 'one'), (2, 2, 'two')",
    "INSERT INTO memos VALUES (1, 1, 'private-canary'), (2, 2, 'private-canary')",
    "INSERT INTO scans VALUES (1, 1, 'first'), (2, 2, 'second')",
    "INSERT INTO diaries VALUES ('diary-canary')",
    "INSERT INTO memos_fts(memos_fts) VALUES ('rebuild')",
)


ALL = {"artists", "backers", "albums", "tracks", "memos", "scans", "diaries"}


def house(folder: Path, name: str = "house") -> Path:
    path = folder / f"{name}.db"
    database(path, *HOUSE).close()
    return path


def site(*files: Path, root: bool = False, plugin: dict | None = None, here: dict | None = None, **how: Any) -> Any:
    """A site; ``here`` is said of the database house, other words of the whole site."""
    options = {"default_deny": how.pop("default_deny")} if "default_deny" in how else {}
    said = {**how, **({"plugins": {PLUGIN: plugin}} if plugin else {}), "databases": {"house": here or {}}}
    ds = make_datasette(*files, **{"config" if V1 else "metadata": said}, **options)
    if V1:
        ds.root_enabled = root
    return ds


def signed_in(ds: Any, who: str | dict | None) -> dict:
    """The cookies of somebody: an actor, or an actor's id."""
    actor = {"id": who} if isinstance(who, str) else who
    return {"ds_actor": ds.sign({"a": actor}, "actor")} if actor else {}


async def get(ds: Any, path: str, who: str | dict | None = None, **options: Any) -> Any:
    await ds.invoke_startup()
    return await ds.client.get(path, cookies=signed_in(ds, who), **options)


def only(*names: str) -> dict:
    return {"id": list(names)}


def allowed(**tables: Any) -> dict:
    return {"tables": {table: {"allow": block} for table, block in tables.items()}}


QUERIES = {
    "queries": {
        "titles": {"sql": "select title from albums"},
        "bodies": {"sql": "select body from memos", "allow": only("anna")},
        "counted": {"sql": "select count(*) as n from memos"},
    }
}


EXPORT = {"program-export": only("anna")}


VIEWS = {"view-instance": True, "view-database": True, "view-table": only("anna", "bob")}


DENY = {"default_deny": True, "permissions": VIEWS}


SITES: dict[str, dict[str, Any]] = {
    "open": {},
    "tables": {"here": allowed(memos=only("anna", "root"), backers=only("root"), diaries=False, v_albums=only("anna"))},
    "children": {"here": allowed(memos=False, scans=False, memos_fts=False)},
    "closed": {"here": {"allow": only("anna", "root")}},
    "private": {"allow": only("anna")},
    "exception": {"here": {"allow": only("anna"), **allowed(albums=True)}},
    "plugin": {"plugin": {"allow": only("anna")}},
    "plugin-here": {"plugin": {"allow": only("anna")}, "here": {"plugins": {PLUGIN: {"allow": only("bob")}}}},
    "plugin-reopened": {"plugin": {"allow": False}, "here": {"plugins": {PLUGIN: {"allow": True}}}},
    "secrets": {"plugin": {"allow_secrets": only("anna")}},
    "secrets-here": {"here": {"plugins": {PLUGIN: {"allow_secrets": only("anna")}}}},
    "sql": {"here": {"allow_sql": only("anna"), **QUERIES}},
    "no-sql": {"allow_sql": False, "here": QUERIES},
    "queries": {"here": {**QUERIES, **allowed(memos=only("root"))}},
    "deny": DENY,
    "deny-export": {**DENY, "permissions": {**VIEWS, **EXPORT}},
    "deny-block": {**DENY, "plugin": {"allow": only("bob")}},
    "deny-root": {"default_deny": True, "root": True},
    "by-site": {"permissions": EXPORT},
    "by-database": {"here": {"permissions": EXPORT}},
    "by-table": {"here": {"tables": {"memos": {"permissions": EXPORT}, "backers": {"permissions": EXPORT}}}},
    "by-site-of-some": {
        "permissions": EXPORT,
        "here": {**allowed(memos=only("bob"), albums=True), "permissions": {"view-table": only("anna", "bob")}},
    },
    "root": {"root": True, "here": allowed(memos=only("root"))},
}


RECORD = "/house/artists/1.programjson"


PLAN = "/house/artists/1/-/program-export.json"


PAGE = "/house/artists/1/-/program-export"


SQL = "/house/-/query.programjson?sql=select+title+from+albums"
