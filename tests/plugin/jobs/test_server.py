"""Jobs over a real server: cancelled in the middle, left alone, interrupted, shared between servers."""

from __future__ import annotations

import contextlib
import gc
import hashlib
import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.support.sites.jobs import ENDLESS, files, gate, gated, keeping, sent, state_of, tokens
from tests.support.sites.permissions import house, site
from tests.support.sites.server import answers, served, wait_until
from tests.support.sites.writers import open_connections


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "jobs"


def jobs_that_run() -> list[str]:
    return [t.name for t in threading.enumerate() if t.name == "program-export-job"]


def begun(url: str, query: str = "") -> dict:
    status, body = sent(f"{url}/-/program-export/job{query}", "POST")
    assert status == 202, body
    return json.loads(body)


ENDLESS_QUERIES = {"rows": "x FROM c", "one row that is never found": "x FROM c WHERE x < 0"}


@pytest.mark.parametrize("what", ENDLESS_QUERIES)
def test_a_cancelled_job_stops_reading_and_lets_the_database_go(tmp_path: Path, folder: Path, what: str) -> None:
    """It would never end by itself: that its thread ends is the cancelling's doing."""
    with keeping(folder, house(tmp_path)) as ds, served(ds) as server:
        job = begun(f"{server.url}/house", f"?sql={quote(ENDLESS + ENDLESS_QUERIES[what])}")
        url = server.url + job["links"]["self"]
        wait_until(lambda: state_of(url)["state"] == "running", "the job to run")
        if what == "rows":
            wait_until(lambda: state_of(url)["bytes"] > 500_000, "something to be written")
            assert any(name.startswith("program-export-") for name in files(folder))
        status, body = sent(server.url + job["links"]["cancel"], "POST")
        assert (status, json.loads(body)["state"]) == (200, "cancelled")
        wait_until(lambda: not jobs_that_run(), "the reading to stop")
        assert files(folder) == []
        gc.collect()
        assert not [c for c in open_connections() if "house" in str(c)]
        assert state_of(url)["state"] == "cancelled"


def test_progress_is_told_while_it_runs(tmp_path: Path, folder: Path) -> None:
    with gate(2_000) as held, keeping(folder, house(tmp_path)) as ds, served(ds) as server:
        job = begun(f"{server.url}/house", f"?sql={gated(5_000)}")
        url = server.url + job["links"]["self"]
        wait_until(lambda: state_of(url)["rows"] > 1_000, "rows")
        now = state_of(url)
        assert (now["state"], now["total_rows"], now["table"]) == ("running", 5_000, "query")
        assert (
            1_000 < now["rows"] < 2_000
            and 5_000 < now["bytes"] < now["total_bytes"]
            and now["rows_per_second"] > 0
            and now["seconds_left"] >= 0
        )
        with closing(sqlite3.connect(folder / "jobs.db")) as other:  # what another server, or the next, would tell
            wait_until(lambda: other.execute("SELECT rows FROM jobs").fetchone()[0] > 1_000, "the note of it")
        held.opened.set()
        wait_until(lambda: state_of(url)["state"] == "done", "the end")
        assert state_of(url)["rows"] == 5_000


def test_a_job_goes_on_when_the_browser_is_gone(tmp_path: Path, folder: Path) -> None:
    with gate(10) as held, keeping(folder, house(tmp_path)) as ds, served(ds) as server:
        with socket.create_connection(("127.0.0.1", server.port)) as browser:
            browser.sendall(
                f"POST /house/-/program-export/job?sql={gated(1_000)} HTTP/1.1\r\nHost: x\r\n"
                "Authorization: Bearer anna\r\nContent-Length: 0\r\n\r\n".encode()
            )
            assert b"202" in browser.recv(100)
        held.opened.set()
        (job,) = json.loads(sent(f"{server.url}/-/program-export/jobs.json")[1])["jobs"]
        url = server.url + job["links"]["self"]
        wait_until(lambda: state_of(url)["state"] == "done", "the end")
        kept = sent(f"{server.url}{job['links']['page']}/result")[1]
        assert hashlib.sha256(kept).hexdigest() == state_of(url)["sha256"]


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="here nobody tells which files are open")
def test_a_reader_who_leaves_in_mid_download_ends_it(tmp_path: Path, folder: Path) -> None:
    """The file is made so large, without taking room, that reading it to its end for nobody would be seen."""
    with keeping(folder, house(tmp_path)) as ds, served(ds) as server:
        job = begun(f"{server.url}/house")
        url = server.url + job["links"]["self"]
        wait_until(lambda: state_of(url)["state"] == "done", "the end")
        path, large = folder / f"{job['id']}.result", 2_000_000_000_000
        os.truncate(path, large)
        with closing(sqlite3.connect(folder / "jobs.db", isolation_level=None)) as told:
            told.execute("UPDATE jobs SET bytes = ?", (large,))
        with socket.create_connection(("127.0.0.1", server.port)) as reader:
            asked = f"GET {job['links']['page']}/result HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer anna\r\n\r\n"
            reader.sendall(asked.encode())
            assert b"200" in reader.recv(1_000)
            assert str(path) in opened()
        wait_until(lambda: str(path) not in opened(), "the file to be closed")


def opened() -> set[str]:
    found = set()
    for link in Path("/proc/self/fd").glob("*"):
        with contextlib.suppress(OSError):
            found.add(str(link.readlink()))
    return found


def test_two_servers_share_a_folder_and_leave_each_others_jobs_alone(tmp_path: Path, folder: Path) -> None:
    path = house(tmp_path)
    sites = (site(path, plugin={"jobs_dir": str(folder), "plan_seconds": 2}) for _ in range(2))
    with contextlib.ExitStack() as stack:
        stack.enter_context(tokens())
        first, second = (stack.enter_context(served(ds)) for ds in sites)
        job = begun(f"{first.url}/house", f"?sql={quote(ENDLESS + 'x FROM c')}")
        there = second.url + job["links"]["self"]
        wait_until(lambda: state_of(there)["state"] == "running", "the other to see it run")
        begun(f"{second.url}/house")  # which also looks for what was interrupted
        assert state_of(there)["state"] == "running"
        sent(second.url + job["links"]["cancel"], "POST")
        wait_until(lambda: not jobs_that_run(), "the first to hear of it")
        assert state_of(first.url + job["links"]["self"])["state"] == "cancelled"


def test_below_a_base_address_links_and_jobs_are_there_too(tmp_path: Path, folder: Path) -> None:
    with keeping(folder, house(tmp_path)) as ds:
        ds._settings["base_url"] = "/below/"
        with served(ds) as server:
            job = begun(f"{server.url}/below/house/artists/1")
            assert job["links"]["page"].startswith("/below/-/program-export/jobs/")
            wait_until(lambda: state_of(server.url + job["links"]["self"])["state"] == "done", "the end")
            assert sent(f"{server.url}{job['links']['page']}/result")[0] == 200
            assert sent(server.url + job["links"]["again"], "POST")[0] == 202
            page = sent(server.url + job["links"]["page"])[1].decode()
            (inside,) = re.findall(r'<a href="([^"]+)">What is in it', page)
            assert inside == "/below/house/artists/1/-/program-export"
            assert sent(server.url + inside)[0] == 200


STARTED = """
import sys
sys.path.insert(0, {root!r})
from pathlib import Path
import uvicorn
from tests.support.sites.jobs import keeping
with keeping(Path({folder!r}), Path({path!r})) as ds:
    uvicorn.run(ds.app(), host="127.0.0.1", port={port}, log_level="critical")
"""
STOPS = {"told": signal.SIGTERM, "interrupted": signal.SIGINT, "killed": getattr(signal, "SIGKILL", None)}


@contextlib.contextmanager
def process(folder: Path, path: Path) -> Iterator[tuple[subprocess.Popen, str]]:
    """A server in a process of its own."""
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    code = STARTED.format(root=str(Path(__file__).parents[3]), folder=str(folder), path=str(path), port=port)
    with subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL) as running:
        try:
            wait_until(lambda: running.poll() is not None or answers(port), "the server to start")
            yield running, f"http://127.0.0.1:{port}"
        finally:
            running.kill()


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such signals")
@pytest.mark.parametrize("stop", STOPS)
def test_a_job_is_interrupted_by_the_end_of_its_server_and_can_be_started_again(
    tmp_path: Path, folder: Path, stop: str
) -> None:
    path = house(tmp_path)
    with process(folder, path) as (running, url):
        endless = [begun(f"{url}/house", f"?sql={quote(ENDLESS + 'x FROM c')}") for _ in range(3)]  # one of them waits
        wait_until(lambda: state_of(url + endless[0]["links"]["self"])["bytes"] > 500_000, "something written")
        running.send_signal(STOPS[stop])
        wait_until(lambda: running.poll() is not None, "the server to stop, with nothing to wait for")
    with closing(sqlite3.connect(folder / "jobs.db")) as told:
        states = [state for (state,) in told.execute("SELECT state FROM jobs")]
    if stop == "killed":  # it could tell nobody
        assert sorted(states) == ["queued", "running", "running"] and files(folder) != []
    else:
        assert states == ["interrupted"] * 3 and files(folder) == [] and list(folder.glob("*.lock")) == []
    with keeping(folder, path) as ds, served(ds) as server:
        assert files(folder) == []
        listed = json.loads(sent(f"{server.url}/-/program-export/jobs.json")[1])["jobs"]
        assert [job["state"] for job in listed] == ["interrupted"] * 3
        again = json.loads(sent(server.url + endless[0]["links"]["again"], "POST")[1])
        assert again["request"] == endless[0]["request"]
        wait_until(lambda: state_of(server.url + again["links"]["self"])["bytes"] > 0, "the new one to run")
