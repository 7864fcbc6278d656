"""Many bombs at once against a real server: it answers, it goes on, and its memory stays bounded."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import httpx
import pytest

from datasette_program_export.errors import BusyError
from datasette_program_export.plugin.server.memory_budget import Budget
from tests.support.databases.bombs import BOMBS, MB, MOST, document
from tests.support.runs.thorough import ALL
from tests.support.sites.server import wait_until

TOGETHER = ("an endless line in gzip", "lists in a cell", "a wide text", "a head of parts", "rows of sqlite")
pytestmark = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak is read from /proc")


def peak(process: subprocess.Popen[bytes]) -> float:
    lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@pytest.mark.timeout(600)
def test_many_at_once_stay_within_the_budget(tmp_path: Path) -> None:
    small = document(tmp_path, "programjson")
    bombs = [BOMBS[kind](tmp_path, 500 * MB) for kind in (BOMBS if ALL else TOGETHER)]
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "datasette", str(tmp_path / "small-programjson.db"), "-p", str(port)]
    server = subprocess.Popen(command, env=os.environ | {"TMPDIR": str(tmp_path)}, stderr=subprocess.DEVNULL)

    def send(content: bytes) -> httpx.Response:
        form = {"file": ("file", content)}
        return httpx.post(f"{url}/-/program-export/verify.json", files=form, timeout=300)

    def answers() -> bool:
        try:
            return httpx.get(f"{url}/-/versions.json").status_code == 200
        except httpx.HTTPError:
            return False

    try:
        wait_until(answers, "the server to start", 60)
        assert send(small).json()["status"] == "complete"  # all that is loaded once is loaded
        idle, found = peak(server), []
        threads = [threading.Thread(target=lambda b=b: found.append(send(b))) for b in bombs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert {response.status_code for response in found} <= {200, 429}, [r.text[:200] for r in found]
        assert all(r.json()["status"] != "complete" for r in found if r.status_code == 200)
        assert peak(server) - idle <= MOST
        assert send(small).json()["status"] == "complete"
    finally:
        server.terminate()
        server.wait(30)


async def test_who_meets_a_large_row_is_alone() -> None:
    budget = Budget()
    first, second = await budget.begin("anna"), await budget.begin("anna")
    waiting = threading.Thread(target=budget.turn, args=(first, lambda: None))
    waiting.start()
    wait_until(lambda: budget._alone is first, "the first to wait")
    with pytest.raises(BusyError, match="Another file is being read that has large rows"):
        budget.turn(second, lambda: None)
    assert waiting.is_alive()  # it waits for the second's end
    second.end()
    waiting.join(10)
    assert not waiting.is_alive() and budget._begun(None) is None
    first.end()
    assert budget._begun(None) is not None


async def test_the_last_reading_is_kept_for_others() -> None:
    budget = Budget()
    for person in (None, "anna"):
        first, second = await budget.begin(person), await budget.begin(person)
        assert budget._begun(person) is None
        third = await budget.begin("ben")
        assert budget._begun("carl") is None  # three at once
        for reading in (first, second, third):
            reading.end()
