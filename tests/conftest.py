"""What the tests share: the demo, Datasette in process and over a real server, Chromium."""

from __future__ import annotations

import gc
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import datasette.app  # noqa: F401  before any part of the plugin, which it would else register half imported
import pytest

from datasette_program_export import ExportService
from datasette_program_export.demo import write_demo
from tests.support.databases.building import database
from tests.support.native import extension, in_c  # noqa: F401
from tests.support.runs import lines, patience
from tests.support.sites.once import compile_once, describe_packages_once
from tests.support.sites.permissions import house
from tests.support.sites.server import ROWS

# The tests talk to this machine only: a proxy of the environment would take their requests, and those of their children
for _name in [name for name in os.environ if name.lower().endswith("_proxy")]:
    del os.environ[_name]

patience.give_plans_time()
compile_once()
describe_packages_once()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--without-core",
        action="store_true",
        help="leave out the files of tests that touch nothing of Datasette, because they run on its other line",
    )


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """True: another line runs this file; None: nothing is decided here."""
    return True if config.getoption("--without-core") and lines.one_line_is_enough(collection_path) else None


def pytest_report_header(config: pytest.Config) -> str | None:
    """Before the tests what does not run; with -q only the end tells it."""
    return lines.told() if config.getoption("--without-core") else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    patience.try_twice(items)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Nobody shall think that all has run, or at once."""
    patience.tell_twice(terminalreporter)
    if config.getoption("--without-core"):
        terminalreporter.write_line(lines.told())


def pytest_collection_finish() -> None:
    """What was imported and collected stays: the garbage collector, called before each test, need not walk it."""
    gc.collect()
    gc.freeze()


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
        yield patience.wait_longer(running)
        running.close()


@pytest.fixture
def service(demo_file: Path) -> ExportService:
    return ExportService(demo_file)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "exports.log"


@pytest.fixture(scope="module")
def house_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Not to be written to."""
    return house(tmp_path_factory.mktemp("house"))


@pytest.fixture(params=[True, False], ids=["with JavaScript", "without JavaScript"])
def page(request, browser) -> Iterator[object]:
    context = browser.new_context(accept_downloads=True, java_script_enabled=request.param)
    yield context.new_page()
    context.close()


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """60,000 rows: about 36 MB as JSON, more than the system keeps for a reader who takes nothing."""
    path = tmp_path_factory.mktemp("large") / "large.db"
    connection = database(path, "CREATE TABLE t (id INTEGER PRIMARY KEY, note TEXT)")
    connection.execute("BEGIN")
    connection.executemany("INSERT INTO t VALUES (?, ?)", ((i, f"note {i} " + "x" * 560) for i in range(ROWS)))
    connection.execute("COMMIT")
    connection.close()
    return path


@pytest.fixture(scope="module", autouse=True)
def _seen_once() -> None:
    """What a module's tests begin with (modules, templates, files that all share) is not walked before each of them."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def nothing_collected() -> Iterator[None]:
    """What is not given back, but only left to the garbage collector, is seen; in its own test, not in the next."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    folder = tmp_path / "spool"
    folder.mkdir()
    return folder


@pytest.fixture
def settings(spool: Path) -> dict:
    return {"spool_dir": str(spool), "spool_memory_mb": 0.5, "spool_disk_mb": 200}
