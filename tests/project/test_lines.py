"""What runs on one Datasette line only touches nothing of Datasette, and a run says that it leaves it out."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

from tests.support.runs.lines import CORE, TESTS, one_line_is_enough, told

SITE = ("datasette", "datasette_program_export.plugin", "tests.conftest", "tests.support.sites")


def imported(path: Path) -> set[str]:
    """The modules that a file names, at its beginning or within."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def reaches_a_site(path: Path, seen: set[Path]) -> bool:
    """Whether a file imports Datasette or the plugin, by itself or through what tests share."""
    seen.add(path)
    names = imported(path)
    if any(name == site or name.startswith(f"{site}.") for name in names for site in SITE):
        return True
    files = {TESTS.parent / f"{name.replace('.', '/')}.py" for name in names if name.startswith("tests.")}
    return any(reaches_a_site(file, seen) for file in files - seen if file.exists())


def test_what_runs_once_touches_nothing_of_datasette() -> None:
    once = [path for path in TESTS.rglob("test_*.py") if one_line_is_enough(path)]
    assert len(once) > 50
    assert [path.name for path in once if path.parent.name != "browser" and reaches_a_site(path, set())] == []


def test_what_touches_datasette_or_writes_rows_runs_on_both() -> None:
    on_both = (
        "plugin/test_protocols.py",
        "selection/test_presets.py",
        "plugin/browser/test_journeys.py",
        "formats/test_contract.py",
    )
    assert not any(one_line_is_enough(TESTS / name) for name in on_both)


def test_a_run_without_them_says_so() -> None:
    words = "-q", "--collect-only", "-p", "no:cacheprovider", "--without-core", "tests/planning", "tests/files"
    done = subprocess.run([sys.executable, "-m", "pytest", *words], cwd=TESTS.parent, capture_output=True, text=True)
    assert told() in done.stdout and all(f"{name}/" in told() for name in CORE)
    assert "files/test_compression.py" in done.stdout and "planning/" not in done.stdout.replace(told(), "")
