"""What the tests of jobs share: a site with a folder for them, tokens on both Datasette lines, waiting for an end."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from datasette import hookimpl
from datasette.plugins import pm

from datasette_program_export.plugin.server import site as job_site
from datasette_program_export.plugin.server.import_runner import Imports
from datasette_program_export.plugin.server.job_runner import Jobs
from tests.support.databases.building import database
from tests.support.sites.permissions import site

JOBS = "/-/program-export/jobs"
ENDLESS = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT "


class Tokens:
    """``Authorization: Bearer anna`` is anna. 0.x has no tokens of its own; sites use a plugin like this."""

    @staticmethod
    @hookimpl
    def actor_from_request(request: Any) -> dict | None:
        kind, _, who = request.headers.get("authorization", "").partition(" ")
        return {"id": who} if kind == "Bearer" and who else None


@contextlib.contextmanager
def tokens() -> Iterator[None]:
    pm.register(Tokens, "tokens")
    try:
        yield
    finally:
        pm.unregister(Tokens)


@contextlib.contextmanager
def keeping(folder: Path, *files: Path, **how: Any) -> Iterator[Any]:
    """A site that keeps its jobs in this folder; they are ended with it."""
    # A plan precedes a job: that of an endless query is soon over
    plugin = {"jobs_dir": str(folder), "plan_seconds": 2, **how.pop("plugin", {})}
    ds = site(*files, plugin=plugin, **how)
    with tokens():
        try:
            yield ds
        finally:
            job_site.close(ds)


def jobs_in(ds: Any) -> Jobs:
    return ds.__dict__[job_site._KEPT].jobs


def imports_in(ds: Any) -> Imports:
    return ds.__dict__[job_site._KEPT].imports


async def ask(ds: Any, method: str, path: str, who: str | None = "anna", **options: Any) -> Any:
    """A request by a program, with a token."""
    await ds.invoke_startup()
    headers = {**({"authorization": f"Bearer {who}"} if who else {}), **options.pop("headers", {})}
    return await getattr(ds.client, method)(path, headers=headers, **options)


async def begun(ds: Any, path: str, who: str | None = "anna", **options: Any) -> dict:
    made = await ask(ds, "post", path, who, **options)
    assert made.status_code == 202, made.text
    return made.json()


async def ended(ds: Any, job: dict, who: str | None = "anna") -> dict:
    """The job when it neither waits nor runs any more."""
    for _ in range(2000):
        found = (await ask(ds, "get", job["links"]["self"], who)).json()
        if found["state"] not in ("queued", "running"):
            return found
        await asyncio.sleep(0.005)
    raise AssertionError(f"the job is still {found['state']}")


async def done(ds: Any, path: str, who: str | None = "anna") -> dict:
    """A job that was asked for and is ready."""
    job = await ended(ds, await begun(ds, path, who), who)
    assert job["state"] == "done", job
    return job


def files(folder: Path) -> list[str]:
    """What is in the folder beside the list of jobs."""
    return sorted(p.name for p in folder.iterdir() if not p.name.startswith("jobs.db") and p.suffix != ".lock")


def many(folder: Path, rows: int = 20_000) -> Path:
    """A database with a table of some size, and a view that breaks near its end."""
    path = folder / "many.db"
    connection = database(path, "CREATE TABLE t (id INTEGER PRIMARY KEY, x TEXT)")
    connection.execute("BEGIN")
    connection.executemany("INSERT INTO t VALUES (?, ?)", ((i, "x" * 500) for i in range(rows)))
    connection.execute("COMMIT")
    connection.execute("CREATE VIEW breaks AS SELECT id, CASE id WHEN 19000 THEN json('broken') ELSE x END AS y FROM t")
    connection.close()
    return path


class Gate:
    """An SQL function ``gate(x)``, which lets a job pass up to a number, and on when it is opened."""

    __name__ = "gate"  # 0.x asks every plugin for it

    def __init__(self, at: int) -> None:
        self.at = at
        self.opened = threading.Event()
        self.passed = 0

    def _gate(self, x: int) -> int:
        if threading.current_thread().name == "program-export-job":
            if x >= self.at:
                self.opened.wait(60)
            self.passed = max(self.passed, x)
        return x

    @hookimpl
    def prepare_connection(self, conn: Any) -> None:
        conn.create_function("gate", 1, self._gate)


@contextlib.contextmanager
def gate(at: int) -> Iterator[Gate]:
    made = Gate(at)
    pm.register(made, "gate")
    try:
        yield made
    finally:
        made.opened.set()
        pm.unregister(made)


def gated(rows: int) -> str:
    """A query of so many rows through the gate, as the end of an address."""
    return quote(
        f"WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c LIMIT {rows}) SELECT gate(x) AS x FROM c"
    )


def sent(url: str, method: str = "GET", who: str | None = "anna", **headers: str) -> tuple[int, bytes]:
    """A request over a real connection."""
    asked = urllib.request.Request(url, method=method, headers={**bearer(who), **headers})
    try:
        with urllib.request.urlopen(asked, timeout=60) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def bearer(who: str | None) -> dict[str, str]:
    return {"authorization": f"Bearer {who}"} if who else {}


def state_of(url: str, who: str | None = "anna") -> dict:
    return json.loads(sent(url, who=who)[1])


HOUSE_JOB = "/house/-/program-export/job"


FOREVER = f"{HOUSE_JOB}?sql={quote(ENDLESS + 'x FROM c')}"
