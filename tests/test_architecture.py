"""What the house promises about itself."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "datasette_program_export"
FILES = sorted(PACKAGE.rglob("*.py"))


def test_the_package_is_imported_without_datasette_and_without_extras() -> None:
    code = (
        "import sys, datasette_program_export as p; p.export, p.plan\n"
        "loaded = {m.partition('.')[0] for m in sys.modules}\n"
        "print(sorted(loaded & {'datasette', 'click', 'uvicorn', 'httpx', 'jinja2', 'sqlite_utils', 'ijson'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "[]\n", done.stderr


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_a_file_is_one_noun(path: Path) -> None:
    """About 250 lines at most, functions of 50, every module and public name explained; async only in the plugin."""
    text = path.read_text("utf-8")
    tree = ast.parse(text)
    assert len(text.splitlines()) <= 260
    assert not text.strip() or ast.get_docstring(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.AsyncFunctionDef):
            assert "plugin" in path.parts, f"{node.name} is async"
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            assert node.end_lineno - node.lineno <= 50, f"{node.name} is long"
    for node in tree.body:
        public = isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_")
        hook = path.parent.name == "plugin" and path.name == "__init__.py"
        assert not public or hook or ast.get_docstring(node), f"{node.name} is not explained"


def test_no_file_is_a_heap_of_odds_and_ends() -> None:
    assert not {"utils.py", "helpers.py", "common.py", "misc.py"} & {path.name for path in FILES}
