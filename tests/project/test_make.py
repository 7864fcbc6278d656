"""``make test`` runs both lines whatever happens, and says at the end how each went: here with pretended programs."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="there is no make here")
PRETEND = """#!/bin/sh
echo "$(basename $(dirname $(dirname $0))) $(basename $0) $* all=$PROGRAM_EXPORT_ALL" >> "$PRETENDED"
[ -z "$PYTHONDONTWRITEBYTECODE" ] || echo "pytest compiles anew at each start" >> "$PRETENDED"
case " $FAILING " in *" $(basename $(dirname $(dirname $0)))/$(basename $0) "*) exit 3 ;; esac
"""
PASSED = [
    "Tests on Datasette 0.65 (stable; without the core: it ran on 1.0): passed",
    "Tests on Datasette 1.0 (alpha): passed",
]
FAILED = [line.replace("passed", "FAILED (pytest ended with 3)") for line in PASSED]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A checkout whose environments are there, and hold only programs that write down how they were called."""
    root = Path(__file__).parents[2]
    for name in ("Makefile", "setup.cfg", "pyproject.toml"):
        shutil.copy(root / name, tmp_path / name)
    (tmp_path / ".venv" / "node" / "node_modules" / "axe-core").mkdir(parents=True)
    (tmp_path / ".venv" / "node" / "node_modules" / "axe-core" / "axe.min.js").touch()
    (tmp_path / ".venv" / "node-yaml" / "node_modules" / "js-yaml").mkdir(parents=True)
    programs = [f".venv/{line}/bin/python" for line in ("stable", "alpha")]
    programs += [f".venv/alpha/bin/{name}" for name in ("ruff", "mypy", "lint-imports")]
    for program in (*programs, "path/bin/chromium"):
        file = tmp_path / program
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(PRETEND)
        file.chmod(0o755)
    for line in ("stable", "alpha"):
        (tmp_path / ".venv" / line / "ready").touch()
    return tmp_path


def run(folder: Path, target: str, failing: str = "") -> tuple[int, list[str], list[str]]:
    """How make ended, what it said last, and which suites it ran."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MFLAGS", "PROGRAM_EXPORT_"))}
    path = f"{folder / 'path' / 'bin'}{os.pathsep}{os.environ['PATH']}"
    env = {**kept, "PYTHONDONTWRITEBYTECODE": "1", "PATH": path, "FAILING": failing}
    env["PRETENDED"] = str(folder / "called")
    done = subprocess.run(["make", target], cwd=folder, env=env, capture_output=True, text=True, timeout=60)
    called = (folder / "called").read_text().splitlines()
    return done.returncode, done.stdout.splitlines()[-2:], [line for line in called if "pytest" in line]


@pytest.mark.parametrize(
    ("failing", "told"),
    [
        ("", PASSED),
        ("stable/python", [FAILED[0], PASSED[1]]),
        ("alpha/python", [PASSED[0], FAILED[1]]),
        ("stable/python alpha/python", FAILED),
    ],
)
def test_both_lines_run_and_each_outcome_is_told(folder: Path, failing: str, told: list[str]) -> None:
    status, last, suites = run(folder, "test", failing)
    assert last == told
    assert (status == 0) == (not failing)
    workers = 2 * (os.cpu_count() or 1)
    once = {"stable": " --without-core", "alpha": ""}  # what touches nothing of Datasette
    assert suites == [f"{n} python -m pytest -q -n {workers} --dist worksteal{o} all=" for n, o in once.items()]


def test_the_long_tests_too(folder: Path) -> None:
    status, last, suites = run(folder, "test-all", "stable/python")
    whole = "Tests on Datasette 0.65 (stable): FAILED (pytest ended with 3)"
    assert (status != 0, last) == (True, [whole, PASSED[1]])
    assert all("--without-core" not in line for line in suites)
    assert [line.rpartition(" ")[2] for line in suites] == ["all=1", "all=1"]


def test_no_suite_runs_when_a_check_fails(folder: Path) -> None:
    status, _, suites = run(folder, "test", "alpha/mypy")
    assert status != 0 and suites == []


def test_who_waits_for_the_demo_is_told_why(folder: Path) -> None:
    env = {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MFLAGS"))}
    done = subprocess.run(["make", "-n", "demo"], cwd=folder, env=env, capture_output=True, text=True, timeout=60)
    assert done.stdout.splitlines()[0].startswith('echo "Installing ')
