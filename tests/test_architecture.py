"""What the house promises about itself."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
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


# Who opens a file otherwise than through SQLite, and why it is no database that this process may have open:
# to close it would drop SQLite's locks (https://www.sqlite.org/howtocorrupt.html, 2.2)
PRIVATE = "a file that this process made under a name of its own"
NO_DATABASE = "seen before to be no database, or a private copy"
MAY_OPEN = {
    "cli_command.py Command.invoke": "the null device",
    "demo/check.py _read_database": PRIVATE,
    "formats/sql.py _begins_as_ours": NO_DATABASE,
    "formats/sql.py _description": NO_DATABASE,
    "formats/sql.py check_script": NO_DATABASE,
    "formats/sqlite.py _Building.seal": PRIVATE,
    "formats/sqlite.py _temporary": PRIVATE,
    "formats/sqlite.py encode": PRIVATE,
    "import_service.py ImportService._load": PRIVATE,
    "opening.py _copied": PRIVATE,
    "opening.py _is_hot_journal": "the header of a -journal, on which SQLite takes no locks",
    "plugin/audit.py AuditLog._append": "the log; at the start it is seen to be no file of a database",
    "plugin/audit.py AuditLog.newest": "the log; at the start it is seen to be no file of a database",
    "plugin/import_receiving.py receive": PRIVATE,
    "plugin/import_runner.py Imports.cancel": PRIVATE,
    "plugin/import_store.py ImportStore.get": PRIVATE,
    "plugin/import_store.py ImportStore.save": PRIVATE,
    "plugin/import_work.py _digest": PRIVATE,
    "plugin/job_folder.py Instance.__init__": PRIVATE,
    "plugin/job_folder.py _taken_over": PRIVATE,
    "plugin/job_results.py ResultDownload.__init__": PRIVATE,
    "plugin/verification.py _report": PRIVATE,
    "proving.py _again": PRIVATE,
    "row_spool.py RowSpool.__init__": PRIVATE,
    "safety_copy.py copy_of": PRIVATE,
    "settings.py load_preset": "a file of this package",
    "settings.py read_settings": "the site's settings, by the command line alone",
    "sinks/files.py make_private": PRIVATE,
    "sinks/files.py write_whole": "private; or a device or pipe; or a folder",
    "sinks/held.py held": PRIVATE,
    "sinks/input_file.py _reading": "in another process",
    "sinks/input_file.py open_database_bytes": "where a lock belongs to one handle (Windows)",
    "sinks/input_file.py open_input": "when SQLite has said that it is no database",
    "sinks/local.py local": PRIVATE,
    "sinks/spool.py Spool._spill": PRIVATE,
    "target.py Target._opened": PRIVATE,
    "target.py Target.publish": PRIVATE,
}
_OPENS = {
    *("open", "fdopen", "touch", "read_bytes", "read_text", "write_bytes", "write_text"),
    *("copy2", "copyfile", "copytree", "copyfileobj", "move", "mmap", "memmap", "Popen", "check_output", "check_call"),
    *("mkstemp", "NamedTemporaryFile", "TemporaryFile", "SpooledTemporaryFile"),
}
_OF_AN_OPEN_ZIP = {"zipped.open", "archive.open", "self._zip.open"}


def _opening(node: ast.AST, where: tuple[str, ...] = ()) -> Iterator[str]:
    """The functions in which a file is opened."""
    for child in ast.iter_child_nodes(node):
        named = isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
        if isinstance(child, ast.Call):
            called = ast.unparse(child.func)
            if called.rpartition(".")[2] in _OPENS and called not in _OF_AN_OPEN_ZIP:
                yield ".".join(where)
        yield from _opening(child, (*where, child.name) if named else where)


def test_only_named_functions_open_files() -> None:
    found = {
        f"{path.relative_to(PACKAGE).as_posix()} {where}"
        for path in FILES
        for where in _opening(ast.parse(path.read_text("utf-8")))
    }
    assert found == set(MAY_OPEN)


def test_there_is_one_sqlite_library() -> None:
    """Only ``library.py`` chooses; the plugin takes Datasette's, which is the same."""
    for path in FILES:
        imported = {
            alias.name
            for node in ast.walk(ast.parse(path.read_text("utf-8")))
            if isinstance(node, ast.Import)
            for alias in node.names
        }
        assert path.name == "library.py" or not imported & {"sqlite3", "pysqlite3", "apsw"}, path
