"""Hidden tables stay hidden from whoever may run SQL over HTTP: pages, jobs, stored queries."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from datasette_program_export.plugin.host import V1
from tests.support.databases.building import database
from tests.support.sites.jobs import ask, ended, keeping
from tests.support.sites.permissions import allowed, get, only, site

# over HTTP: bob may run SQL, and may see neither hidden_zz nor v_hidden
PERM = (
    "CREATE TABLE pub (id INTEGER PRIMARY KEY, name TEXT)",
    "CREATE TABLE hidden_zz (name TEXT)",
    "CREATE VIEW v_open AS SELECT name FROM hidden_zz WHERE name <> 'Hcanary'",
    "CREATE VIEW v_hidden AS SELECT name FROM hidden_zz",
    "INSERT INTO pub VALUES (1, 'public')",
    "INSERT INTO hidden_zz VALUES ('Hcanary'), ('shown')",
)
STATEMENTS = [
    "with a as (select * from hidden_zz) select * from a",
    "with recursive a(n) as (select name from hidden_zz union select n from a) select n from a",
    "with a as (select name from v_hidden) select name from a",
    "with a as (select sql from sqlite_master) select sql from a",
    "with v_open as (select * from hidden_zz) select * from v_open",
    "with pub as (select name from hidden_zz) select name from pub",
]
CONDITIONS = [
    "exists(with a as (select name from hidden_zz) select 1 from a where name like 'H%')",
    "exists(with v_open as (select name from hidden_zz) select 1 from v_open where name like 'H%')",
    "name in (with a(n) as materialized (select name from v_hidden) select n from a)",
]


@pytest.fixture(scope="module")
def perm_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Not to be written to."""
    path = tmp_path_factory.mktemp("perm") / "perm.db"
    database(path, *PERM).close()
    return path


@contextmanager
def perm(path: Path, folder: Path | None = None) -> Iterator[Any]:
    """A site with this database; with a folder, jobs are kept in it."""
    with keeping(folder, path) if folder else nullcontext(site(path)) as ds:
        said = ds.config if V1 else ds._metadata_local
        said["databases"]["perm"] = allowed(hidden_zz=only("anna"), v_hidden=only("anna"))
        yield ds


def refused(answer: Any) -> None:
    assert 400 <= answer.status_code < 500 and "canary" not in answer.text and "hidden_zz" not in answer.text


@pytest.mark.parametrize("who", [None, "bob"])
async def test_no_door_leads_through_a_common_table(perm_file: Path, who: str | None) -> None:
    with perm(perm_file) as ds:
        for sql in STATEMENTS:
            for door in ("/perm/-/query.programcsv", "/perm/-/query.programjson", "/perm/-/program-export/download"):
                refused(await get(ds, f"{door}?sql={quote(sql)}", who))
        for condition in CONDITIONS:
            for door in ("/perm/pub.programcsv", "/perm/pub/-/program-export/download", "/perm/pub.programjson"):
                refused(await get(ds, f"{door}?_where={quote(condition)}", who))
                refused(await get(ds, f"{door}?_export_cascade=1&_where={quote(condition)}", who))
        seen = await get(
            ds, f"/perm/-/query.programcsv?sql={quote('with a as (select * from v_open) select * from a')}", who
        )
        assert seen.status_code == 200 and "shown" in seen.text and "canary" not in seen.text
        assert "canary" in (await get(ds, f"/perm/-/query.programcsv?sql={quote(STATEMENTS[0])}", "anna")).text


async def test_nor_a_job(perm_file: Path, tmp_path: Path) -> None:
    with perm(perm_file, tmp_path / "jobs") as ds:
        for sql in STATEMENTS:
            await nothing_comes(ds, f"/perm/-/program-export/job?sql={quote(sql)}")
        for condition in CONDITIONS:
            await nothing_comes(ds, f"/perm/pub/-/program-export/job?_where={quote(condition)}")


async def nothing_comes(ds: Any, path: str) -> None:
    """The job is refused, or fails with a reason that tells nothing."""
    made = await ask(ds, "post", path, "bob")
    if made.status_code == 202:
        job = await ended(ds, made.json(), "bob")
        assert job["state"] == "failed"
        made = await ask(ds, "get", job["links"]["self"], "bob")
        told = json.dumps({**made.json(), "links": None})
        assert "canary" not in told and "cannot be run" in told
        return
    refused(made)


@pytest.mark.skipif(not V1, reason="0.x has only queries by the site's owner")
async def test_nor_a_stored_query_of_somebody(perm_file: Path) -> None:
    with perm(perm_file) as ds:
        await ds.invoke_startup()
        for number, sql in enumerate(STATEMENTS):
            await ds.add_query("perm", f"s{number}", sql, is_trusted=False)
            refused(await get(ds, f"/perm/s{number}.programcsv", "bob"))
        assert "canary" in (await get(ds, "/perm/s0.programcsv", "anna")).text
