"""A site in a container where nothing can be written: it starts, and what needs no temporary file works."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.databases.building import database

LASTING = Path(__file__).parents[2] / ".read-only-test"  # the one folder that can be written to inside

# Inside: no folder can be written to. Each answer is printed as [path, status, the end of what came].
SITE = """
import asyncio, json, logging, sys, tempfile
logging.basicConfig(stream=sys.stderr, format="%(name)s %(message)s")
try:
    sys.exit(f"{tempfile.gettempdir()} can be written to")
except FileNotFoundError:
    pass
from datasette.app import Datasette
from datasette_program_export.plugin.host import V1
# 1.0 keeps its own tables in a temporary file, and starts without one where another is named
ds = Datasette([sys.argv[1], sys.argv[2]], **({"internal": sys.argv[3]} if V1 else {}))
ds.root_enabled = True
async def ask():
    await ds.invoke_startup()
    cookies = {"ds_actor": ds.sign({"a": {"id": "root"}}, "actor")}
    async def tell(method, path, **how):
        answer = await getattr(ds.client, method)(path, cookies=cookies, **how)
        print(json.dumps([path, answer.status_code, answer.text[-300:]]))
    for path in ("/", "/wal/t", "/wal/t.programjson", "/wal/t/1.programcsv", "/old/t/1.programjson", "/wal.programzip",
            "/wal/-/program-export", "/wal/t/-/program-export.json", "/-/program-export/verify",
            "/-/program-export/profiles", "/-/program-export/jobs", "/wal/-/program-import",
            "/wal/t/-/program-export/download?_export_format=sqlite", "/old/t.programjson",
            "/old/-/query.programcsv?sql=select+id,x+from+t+order+by+x,-id"):
        await tell("get", path)
    await tell("post", "/wal/-/program-export/job")
    await tell("post", "/-/program-export/verify.json", files={"file": ("a.json", b"{}")})
    await tell("post", "/wal/-/program-import.json", files={"file": ("a.csv", b"id,x\\n")})
asyncio.run(ask())
"""
NEEDS = {
    "/-/program-export/jobs",
    "/wal/-/program-import",
    "/wal/t/-/program-export/download?_export_format=sqlite",
    "/wal/-/program-export/job",
    "/-/program-export/verify.json",
    "/wal/-/program-import.json",
    "/old/t.programjson",
}
if sys.version_info >= (3, 11):  # before, it cannot be told from a disk that fails; SQLite sorts in a file
    NEEDS.add("/old/-/query.programcsv?sql=select+id,x+from+t+order+by+x,-id")


@pytest.fixture
def inside() -> list[str]:
    """The command in front of another one by which that finds no folder to write to."""
    fixed = "for f in /tmp /var/tmp /dev/shm; do mount --bind $f $f; mount -o remount,ro,bind $f; done"
    lasting = f'mount --bind "{LASTING}" "{LASTING}"; mount -o remount,rw,bind "{LASTING}"'
    LASTING.mkdir(exist_ok=True)  # may lie in /tmp itself
    command = ["unshare", "-m", "sh", "-ec", f'{fixed}; {lasting}; cd /tmp; exec "$@"', "sh"]
    if not shutil.which("unshare"):
        pytest.skip("there is no unshare here, which hides the folders that can be written to")
    if (done := subprocess.run([*command, "true"], capture_output=True, text=True)).returncode:
        pytest.skip(f"a read-only system cannot be made here: {done.stderr.strip()}")
    return command


def test_it_starts_and_says_what_it_cannot(inside: list[str]) -> None:
    lasting = LASTING
    try:
        made = ("CREATE TABLE t (id INTEGER PRIMARY KEY, x)", "INSERT INTO t VALUES (1, 'one')")
        database(lasting / "wal.db", *made).close()
        old = database(lasting / "old.db", *made, journal="delete")  # its rows do not fit into spool_memory_mb
        old.executemany("INSERT INTO t VALUES (?, ?)", [(number, "x" * 5000) for number in range(2, 1500)])
        old.close()
        command = [
            *inside,
            sys.executable,
            "-c",
            SITE,
            *(str(lasting / f"{name}.db") for name in ("wal", "old", "own")),
        ]
        environment = {k: v for k, v in os.environ.items() if k not in ("TMPDIR", "TEMP", "TMP", "SQLITE_TMPDIR")}
        done = subprocess.run(command, capture_output=True, text=True, env=environment)
        assert done.returncode == 0, done.stderr
    finally:
        shutil.rmtree(lasting)
    answers = {path: (status, text) for path, status, text in map(json.loads, done.stdout.splitlines())}
    for path, (status, text) in answers.items():
        assert status == (507 if path in NEEDS else 200) or (status == 422 and sys.version_info < (3, 11)), (
            path,
            status,
            text,
        )
        assert path not in NEEDS or "emporary f" in text, text
    assert set(answers) > NEEDS
    assert [line for line in done.stderr.splitlines() if "program_export" in line] == [LINE], done.stderr


LINE = (
    "datasette_program_export.plugin.server.site No folder of jobs can be kept: There is no temporary folder that can "
    "be written to, so that nothing can be kept here: download directly, and tell the person who runs this site (the "
    "setting is jobs_dir)."
)
