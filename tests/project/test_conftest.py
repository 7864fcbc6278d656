"""The tests themselves, on a machine where something is missing or set otherwise: they skip and say why, or go on."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import pytest_runtest_setup

TESTS = Path(__file__).parents[1]
CALM = ["-q", "-rs", "-p", "no:cacheprovider", "-p", "no:xdist"]


def run(tests: str, *words: str, **env: str) -> str:
    """What pytest says of these tests, in another process."""
    command = [sys.executable, "-m", "pytest", *CALM, str(TESTS / tests), *words]
    there = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")}
    done = subprocess.run(command, cwd=TESTS.parent, env={**there, **env}, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_without_a_browser_its_tests_are_skipped_and_say_why(tmp_path: Path) -> None:
    said = run("plugin/browser/test_verify.py", "-k", "dropped", PATH=str(tmp_path))
    assert "there is no Chromium here (make browser installs one)" in said and "passed" not in said


def test_one_fixture_starts_a_browser() -> None:
    starting = [path.name for path in TESTS.rglob("*.py") if "chromium" + ".launch(" in path.read_text("utf-8")]
    assert starting == ["conftest.py"]


def test_no_proxy_takes_the_requests_of_tests() -> None:
    names = ("HTTP_PROXY", "https_proxy", "ALL_PROXY", "no_proxy")
    run("project/test_conftest.py", "-k", "nothing_of_a_proxy", **dict.fromkeys(names, "http://127.0.0.1:9"))


def test_nothing_of_a_proxy_is_in_the_environment() -> None:
    assert [name for name in os.environ if "proxy" in name.lower()] == []


def test_a_long_test_says_why_it_is_skipped(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROGRAM_EXPORT_ALL", "")
    pytest_runtest_setup(request.node)  # any other test
    request.node.add_marker(pytest.mark.long)
    with pytest.raises(pytest.skip.Exception, match="make test-all"):
        pytest_runtest_setup(request.node)
    monkeypatch.setenv("PROGRAM_EXPORT_ALL", "1")
    pytest_runtest_setup(request.node)
