"""What the tests share: the demo, Datasette in process and over a real server, Chromium."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from datasette.app import Datasette

from datasette_program_export.demo import write_demo

# The tests talk to this machine only: a proxy of the environment would take their requests, and those of their children
for _name in [name for name in os.environ if name.lower().endswith("_proxy")]:
    del os.environ[_name]


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Tests that take long run when they are asked for."""
    if item.get_closest_marker("long") and not os.environ.get("PROGRAM_EXPORT_ALL"):
        pytest.skip("it takes long: make test-all, or PROGRAM_EXPORT_ALL=1, runs it")


@pytest.fixture(scope="session")
def demo_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo database; not to be written to."""
    return write_demo(tmp_path_factory.mktemp("demo") / "practice.db")


@pytest.fixture
def demo(demo_file: Path, tmp_path: Path) -> Path:
    """A demo database of one's own."""
    return Path(shutil.copy(demo_file, tmp_path / "practice.db"))


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder with Chinook and Northwind, which are not part of the project."""
    folder = os.environ.get("PROGRAM_EXPORT_DATA")
    if not folder:
        pytest.skip("PROGRAM_EXPORT_DATA names no folder with chinook.db and northwind_small.db")
    return Path(folder)


def make_datasette(*files: Path, settings: dict | None = None, metadata: dict | None = None, **options) -> Datasette:
    """A Datasette with these files; ``settings`` are the plugin's."""
    merged = dict(metadata or {})
    if settings is not None:
        merged["plugins"] = {"datasette-program-export": settings}
    return Datasette([str(f) for f in files], metadata=merged, **options)


@dataclass
class Server:
    """A real server on this machine."""

    url: str
    port: int
    datasette: Datasette


@contextlib.contextmanager
def served(datasette: Datasette) -> Iterator[Server]:
    """Datasette under uvicorn, in a thread of its own."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(datasette.app(), log_level="critical", lifespan="on"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        wait_until(lambda: server.started, "the server to start", 30)
        yield Server(f"http://127.0.0.1:{port}", port, datasette)
    finally:
        server.should_exit = True
        thread.join(20)
        listener.close()
        datasette.close() if hasattr(datasette, "close") else None


def wait_until(condition, what: str, seconds: float = 10) -> None:
    """Wait for something that happens on another thread."""
    give_up = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < give_up, f"waited {seconds} s for {what}"
        time.sleep(0.01)


def chromium() -> str | None:
    """The system's browser; ``make test`` installs one where it can."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next((path for name in names if (path := shutil.which(name))), None)


@pytest.fixture(scope="module")  # while it is there, no other event loop can run
def browser() -> Iterator[Any]:
    """Chromium; a test that needs it is skipped, and says why, where it is not there."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    path = chromium()
    if path is None:
        pytest.skip("there is no Chromium here (make browser installs one)")
    flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run", "--disable-sync"]
    short = "/tmp" if Path("/tmp").is_dir() else None  # the path of a socket has room for 100 characters
    with tempfile.TemporaryDirectory(dir=short) as own, playwright.sync_playwright() as started:
        running = started.chromium.launch(
            executable_path=path, args=flags, env={**os.environ, "TMPDIR": own, "HOME": own}
        )
        yield running
        running.close()
