"""What a killed process leaves: its temporary files are removed by the next one, and count for nothing until then."""

from __future__ import annotations

import gzip
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from datasette_program_export import Request, export
from datasette_program_export.files.temporary.folder import PREFIX, sweep
from datasette_program_export.plugin.server import site
from tests.support.databases.building import database
from tests.support.sites.jobs import keeping
from tests.support.sites.server import make_datasette

CANARY = "canary in a row"
DYING = """
import os, signal, sys, importlib
def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)
def dying(module, *names):
    found = importlib.import_module("datasette_program_export." + module)
    for name in names[:-1]:
        found = getattr(found, name)
    setattr(found, names[-1], die)
from datasette_program_export import Request, Settings, load, verify, export
from datasette_program_export.database.source import Source
from datasette_program_export.files.atomic import write_whole
from datasette_program_export.files.reading_limits import Limits
from pathlib import Path
spool, source, target = map(Path, sys.argv[1:4])
settings = Settings(spool_dir=str(spool))
"""
# what runs, where it is killed, and the folder in which something lies then (None: nothing does)
WAYS = {
    "a SQLite file is built": (
        "dying('formats.sqlite.writing', '_Building', 'read_back')\n"
        "b''.join(export(Source('s', source, spool_dir=str(spool)), Request(format='sqlite')))",
        "spool",
    ),
    "a rollback-journal file is copied": (
        "dying('database.opening', '_begin')\n"
        "import datasette_program_export.database.opening as o\n"
        "o._begun = lambda source, options, _: o._connect(source, options)\n"
        "o.open_source(Source('s', source, spool_dir=str(spool)), copy=True, cancelled=lambda: False)",
        None,
    ),
    "an import waits": (
        "dying('importing.target', 'Target', 'transaction')\nload(target, spool.parent / 'f.json', settings=settings)",
        "spool",
    ),
    "a preview of a new database": (
        "dying('importing.target', 'Target', 'commit')\n"
        "dying('importing.running.import_run', 'ReferenceCheck', 'judge')\n"
        "load(spool / 'new.db', spool.parent / 'f.json', settings=settings, preview=True)",
        "spool",
    ),
    "a new database is made": (
        "dying('importing.target', 'Target', 'commit')\n"
        "load(target.parent / 'new' / 'new.db', spool.parent / 'f.json', settings=settings)",
        "new",
    ),
    "a safety copy is made": (
        "dying('importing.safety_copy', 'back_up')\n"
        "load(target, spool.parent / 'f.json', settings=settings, on_conflict='update')",
        "safety-copies",
    ),
    "an unpacked upload is checked": (
        "dying('formats.sqlite.writing', 'check_document')\n"
        "verify(spool.parent / 'f.db.gz', limits=Limits(folder=str(spool)))",
        "spool",
    ),
    "a file is written": (
        "def chunks():\n    yield b'canary in a row'\n    die()\n"
        "write_whole(target.parent / 'new' / 'x.json', chunks())",
        "new",
    ),
}


@pytest.fixture
def files(tmp_path: Path) -> Path:
    for name in ("spool", "new"):
        (tmp_path / name).mkdir()
    made = ("CREATE TABLE t (id INTEGER PRIMARY KEY, x)", f"INSERT INTO t VALUES (1, '{CANARY}')")
    database(tmp_path / "s.db", *made, journal="delete").close()
    (tmp_path / "f.json").write_bytes(b"".join(export(tmp_path / "s.db", Request())))
    (tmp_path / "f.db.gz").write_bytes(
        gzip.compress(b"".join(export(tmp_path / "s.db", Request(format="sqlite"))), mtime=0)
    )
    database(tmp_path / "t.db", made[0], "INSERT INTO t VALUES (1, 'before')", journal="delete").close()
    return tmp_path


def killed(files: Path, what: str) -> None:
    command = [sys.executable, "-c", DYING + what, str(files / "spool"), str(files / "s.db"), str(files / "t.db")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL, done.stderr


def left(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*")) if folder.is_dir() else []


@pytest.mark.parametrize("way", WAYS)
def test_it_is_swept_by_the_next_process(files: Path, way: str) -> None:
    what, where = WAYS[way]
    killed(files, what)
    places = [files / name for name in ("spool", "new", "safety-copies")]
    lying = [path for place in places for path in left(place)]
    found = {path.relative_to(files).parts[0] for path in lying}  # an import's rows wait in the spool meanwhile
    assert where in found and found <= {where, "spool"} if where else found == set()
    assert all(path.relative_to(files).parts[1].startswith(PREFIX) for path in lying)
    for place in places:
        sweep(place)
    assert [path for place in places for path in left(place)] == []
    with closing(sqlite3.connect(files / "t.db")) as target:
        assert target.execute("SELECT x FROM t").fetchall() == [("before",)]


SERVER = """
import asyncio
from datasette.app import Datasette
from datasette_program_export.plugin.imports import receiving, work
{patch}
plugin = {{"jobs_dir": str(spool.parent / "jobs"), "spool_dir": str(spool)}}
ds = Datasette([str(target)], metadata={{"plugins": {{"datasette-program-export": plugin}}}}, settings={{}})
ds.root_enabled = True
async def send():
    await ds.invoke_startup()
    cookies = {{"ds_actor": ds.sign({{"a": {{"id": "root"}}}}, "actor")}}
    files = {{"file": ("f.json", (spool.parent / "f.json").read_bytes())}}
    print((await ds.client.post("{path}", files=files, cookies=cookies)).text)
asyncio.run(send())
"""
ON_A_SITE = {
    "an upload arrives": ("receiving.receive_form = die", "/t/-/program-import.json", "jobs/imports"),
    "a preview reads its copy": ("work.PreviewWork._load = die", "/t/-/program-import.json", "jobs/imports"),
    "an upload is checked": (
        "import datasette_program_export.plugin.pages.verify as v; v.verify = die",
        "/-/program-export/verify.json",
        "spool",
    ),
}


@pytest.mark.parametrize("way", ON_A_SITE)
async def test_a_site_sweeps_when_it_starts(files: Path, way: str) -> None:
    patch, path, where = ON_A_SITE[way]
    killed(files, SERVER.format(patch=patch, path=path))
    lying = list((files / where).glob(f"{PREFIX}*"))
    assert len(lying) == 1 and len(left(lying[0])) > 1
    with keeping(files / "jobs", files / "t.db", plugin={"spool_dir": str(files / "spool")}) as ds:
        await ds.invoke_startup()
        assert list((files / where).glob(f"{PREFIX}*")) == []
        if way == "a preview reads its copy":  # the file itself stays, for who sent it
            (one,) = (files / "jobs" / "imports").iterdir()
            assert [p.name for p in one.iterdir()] == ["file.json"]
        else:
            assert left(files / "jobs" / "imports") == []
        site.close(ds)


async def test_a_site_leaves_what_a_living_one_has(files: Path) -> None:
    """Two that share their folders: one starts while an upload arrives at the other."""
    with keeping(files / "jobs", files / "t.db", plugin={"spool_dir": str(files / "spool")}) as first:
        await first.invoke_startup()
        arriving = (await site.background_tasks(first)).imports.make_room()
        plugin = {"spool_dir": str(files / "spool"), "jobs_dir": str(files / "jobs")}
        second = make_datasette(files / "t.db", settings=plugin)
        await second.invoke_startup()
        (await site.background_tasks(second)).tidy()
        assert arriving.path.exists()
        site.close(second)
        arriving.remove()
