"""The file that lists background tasks: of an older version, damaged, on a full disk."""

from __future__ import annotations

import logging
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from datasette_program_export.errors import SpoolFullError
from datasette_program_export.plugin.server import site as job_site
from datasette_program_export.plugin.server import task_file
from datasette_program_export.plugin.server.import_runner import Import
from datasette_program_export.plugin.server.task_file import TaskFile
from datasette_program_export.plugin.server.task_store import TaskStore
from tests.support.sites.jobs import ask, done, jobs_in, keeping
from tests.support.sites.permissions import house


def test_a_table_of_an_older_version_gets_what_it_lacks(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "jobs.db")) as old:
        old.execute("CREATE TABLE imports (id PRIMARY KEY, owner)")
    file = TaskFile(tmp_path)
    one = Import(
        id="a", owner=None, person=None, instance="x", state="looking", database="x", rules="", created=1.5, actor=None,
        file="f", stored="s", choices={"table": "t"},
    )  # fmt: skip
    assert TaskStore(file, Import).put(one) and TaskStore(file, Import).get("a") == one
    file.close()


def test_two_servers_that_start_at_once_add_a_column_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = TaskFile(tmp_path), TaskFile(tmp_path)
    look = TaskFile._columns

    def late(file: TaskFile, name: str) -> set[str]:
        found = look(file, name)
        if file is one and "owner" not in found:
            other.change("ALTER TABLE imports ADD COLUMN owner")  # the other server is quicker
        return found

    monkeypatch.setattr(TaskFile, "_columns", late)
    one.make_table("imports", ["owner"])
    assert look(one, "imports") == {"id", "owner"}
    with pytest.raises(SpoolFullError):
        one.make_table("imports", ["x y z )"])
    one.close()
    other.close()


def damage(path: Path, how: str) -> None:
    if how == "no database":
        path.write_bytes(b"x" * 5000)
        return
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE jobs (id PRIMARY KEY, x)")
        connection.executemany("INSERT INTO jobs VALUES (?, ?)", ((str(i), "x" * 500) for i in range(100)))
        connection.commit()
    content = bytearray(path.read_bytes())
    content[8192:16384] = b"\xff" * 8192
    path.write_bytes(content)


@pytest.mark.parametrize("how", ["no database", "a page in the middle"])
async def test_a_damaged_list_is_set_aside_and_the_site_works(
    tmp_path: Path, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "jobs"
    folder.mkdir(mode=0o700)
    damage(folder / "jobs.db", how)
    before = (folder / "jobs.db").read_bytes()
    (folder / "jobs.db-wal").write_bytes(b"what was not in it yet")
    with caplog.at_level(logging.WARNING), keeping(folder, house(tmp_path)) as ds:
        await ds.invoke_startup()
        (line,) = [r.getMessage() for r in caplog.records if r.name.startswith("datasette_program_export")]
        (away,) = (p for p in folder.glob("jobs.db.damaged-*") if not p.name.endswith("-wal"))
        assert str(folder / "jobs.db") in line and away.name in line
        assert away.read_bytes() == before
        assert (await ask(ds, "get", "/house/-/program-export")).status_code == 200
        assert (await ask(ds, "get", "/house.programjson")).status_code == 200
        job = await done(ds, "/house/-/program-export/job")
        assert (await ask(ds, "get", job["links"]["result"])).status_code == 200
        caplog.clear()
    with keeping(folder, tmp_path / "house.db") as ds:  # the new list is a whole one
        assert (await ask(ds, "get", job["links"]["self"])).json()["state"] == "done" and caplog.records == []


FULL = {
    "the list": (task_file, "_connect", task_file.sqlite3.OperationalError("database or disk is full")),
    "the folder": (job_site, "Instance", OSError(28, "No space left on device")),
}


@pytest.mark.parametrize("where", FULL)
async def test_a_full_disk_keeps_no_site_from_starting(
    tmp_path: Path, where: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    module, name, error = FULL[where]

    def full(*words: Any) -> Any:
        raise error

    with caplog.at_level(logging.WARNING), keeping(tmp_path / "jobs", house(tmp_path)) as ds:
        with monkeypatch.context() as patched:
            patched.setattr(module, name, full)
            await ds.invoke_startup()
            assert str(tmp_path / "jobs") in caplog.text
            assert (await ask(ds, "get", "/house.programjson")).status_code == 200
            assert (await ask(ds, "get", "/house/-/program-export")).status_code == 200
            refused = await ask(ds, "post", "/house/-/program-export/job")
            assert refused.status_code == 507 and "jobs cannot be" in refused.json()["error"]
            assert list((tmp_path / "jobs").glob("*.lock")) == []
        await done(ds, "/house/-/program-export/job")
        assert jobs_in(ds).store.ids("done")
