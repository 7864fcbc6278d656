"""What the house promises about itself."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.source_code import FILES, PACKAGE, TESTS


def test_the_package_is_imported_without_datasette_and_without_extras() -> None:
    code = (
        "import sys, datasette_program_export as p; p.export, p.plan\n"
        "loaded = {m.partition('.')[0] for m in sys.modules}\n"
        "print(sorted(loaded & {'datasette', 'uvicorn', 'httpx', 'jinja2', 'zstandard', 'ijson'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "[]\n", done.stderr


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_a_file_is_one_noun(path: Path) -> None:
    """About 300 lines at most, functions of 50, every module and public name explained; async only in the plugin."""
    text = path.read_text("utf-8")
    tree = ast.parse(text)
    assert len(text.splitlines()) <= 300
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


MOST_ENTRIES = 14  # of a folder, so that one look takes it in; of the package itself, its packages and few files
MOST_AT_THE_ROOT = 20


@pytest.mark.parametrize("root", [PACKAGE, TESTS], ids=["package", "tests"])
def test_no_folder_is_crowded(root: Path) -> None:
    """A noun that needs two files becomes a folder, before its neighbours cannot be seen for it."""
    entries: dict[Path, set[str]] = {}
    for path in root.rglob("*"):
        if not {"__pycache__", ".mypy_cache", ".pytest_cache"} & set(path.parts):
            entries.setdefault(path.parent, set()).add(path.name)
    crowded = {
        str(folder.relative_to(root)): len(names)
        for folder, names in entries.items()
        if len(names) > (MOST_AT_THE_ROOT if folder == root else MOST_ENTRIES)
    }
    assert crowded == {}


def test_no_test_imports_another() -> None:
    """What tests share lies in ``tests/support``: so each can be moved, and run, by itself."""
    for path in TESTS.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom):
                names = [node.module or "", *(alias.name for alias in node.names)]
                shared = any(part.startswith("test_") for name in names for part in name.split("."))
                assert not (shared and (node.level or names[0].startswith("tests"))), f"{path.name}: {names}"


def test_every_path_on_the_page_of_the_architecture_is_there() -> None:
    """``folder/`` and ``file.py`` in backticks are in the package; a name that follows a file's is in that file."""
    page = (PACKAGE.parent / "docs" / "architecture.md").read_text("utf-8")
    found = re.findall(r"`([\w/]+/|[\w/]+\.py)`(?:: `(\w+)`)?", page)
    assert len(found) > 200
    for path, name in found:
        where = PACKAGE / path if not path.startswith("tests/") else PACKAGE.parent / path
        assert where.exists(), path
        assert not name or re.search(rf"\b{name}\b", where.read_text("utf-8")), f"{path} has no {name}"


def test_no_file_is_a_heap_of_odds_and_ends() -> None:
    assert not {"utils.py", "helpers.py", "common.py", "misc.py"} & {path.name for path in FILES}


# Who opens a file otherwise than through SQLite, and why it is no database that this process may have open:
# to close it would drop SQLite's locks (https://www.sqlite.org/howtocorrupt.html, 2.2)
PRIVATE = "a file that this process made under a name of its own"
NO_DATABASE = "seen before to be no database, or a private copy"
MAY_OPEN = {
    "cli/command.py Command.invoke": "the null device",
    "comparing/row_file.py RowFile.__init__": PRIVATE,
    "database/opening.py _is_hot_journal": "the header of a -journal, on which SQLite takes no locks",
    "database/opening.py _nameless": PRIVATE,
    "demo/check.py _read_database": PRIVATE,
    "exporting/named_files.py TableFiles.files": PRIVATE,
    "exporting/row_spool.py RowSpool.__init__": PRIVATE,
    "files/atomic.py keep_name": "a folder",
    "files/atomic.py write_whole": "private; or a device or pipe",
    "files/temporary/buffered.py held": PRIVATE,
    "files/input_file.py _reading": "in another process",
    "files/input_file.py open_database_bytes": "where a lock belongs to one handle (Windows)",
    "files/input_file.py open_input": "when SQLite has said that it is no database",
    "files/local.py local": PRIVATE,
    "files/temporary/spool.py Spool._spill": PRIVATE,
    "files/rooted/walking.py _inner": "a folder",
    "files/rooted/walking.py _opened_root": "a folder",
    "files/rooted/walking.py opened": "new; or looked at as it is read, and left open where it may be a database",
    "files/rooted/writing.py NewFiles.add": PRIVATE,
    "files/temporary/folder.py new_file": PRIVATE,
    "files/temporary/folder.py new_private": PRIVATE,
    "files/temporary/lock.py hold_lock": PRIVATE,
    "files/temporary/piped.py as_file": "private; or a pipe",
    "files/temporary/lock.py nobody_holds": "a lock file of this module",
    "formats/dossier/machine_copy.py MachineCopy.__init__": PRIVATE,
    "formats/dossier/page/page.py _part": "of this package",
    "formats/dossier/reading.py decode": PRIVATE,
    "formats/package/blob_writing.py TableBlobs._moved": PRIVATE,
    "formats/parquet/sealing.py check_seal": "seen before to begin as Parquet, or a private copy",
    "formats/sqlite/script_reading.py _begins_as_ours": NO_DATABASE,
    "formats/sqlite/script_reading.py _description": NO_DATABASE,
    "formats/sqlite/script_reading.py _tables": NO_DATABASE,
    "formats/sqlite/script_reading.py check_script": NO_DATABASE,
    "formats/sqlite/writing.py _Building.seal": PRIVATE,
    "formats/sqlite/writing.py encode": PRIVATE,
    "formats/xlsx/book_reading.py SharedTexts.__init__": PRIVATE,
    "formats/xlsx/long_texts.py LongTexts.__init__": PRIVATE,
    "importing/other_files/workbook.py content_of.content": PRIVATE,
    "importing/other_files/workbook.py read_workbook": PRIVATE,
    "importing/other_files/json/yaml.py _write": PRIVATE,
    "importing/writing/bad_rows.py BadRows.add": PRIVATE,
    "importing/writing/bad_rows.py BadRows.publish": PRIVATE,
    "importing/proof/proven_file.py _again": PRIVATE,
    "importing/proof/proven_file.py _recorded": PRIVATE,
    "importing/target.py Target.publish": PRIVATE,
    "options/preset.py _read": "a file of this package, or one that a plugin names as its preset",
    "options/settings_file.py read_document": "the site's settings, by the command line alone",
    "plugin/host/stored_files.py _Pieces._given": "datasette-files opens it; none named as a database here",
    "plugin/imports/comparing.py CompareWork._keep": PRIVATE,
    "plugin/imports/comparing.py kept_in": PRIVATE,
    "plugin/imports/receiving.py receive": PRIVATE,
    "plugin/imports/work.py PreviewWork._digest": PRIVATE,
    "plugin/http/kept_file.py FileDownload.__init__": PRIVATE,
    "plugin/pages/verify.py _report": PRIVATE,
    "plugin/server/audit_log.py AuditLog._append": "the log; at the start it is seen to be no file of a database",
    "plugin/server/audit_log.py AuditLog.newest": "the log; at the start it is seen to be no file of a database",
    "service/import_service.py ImportService._load": PRIVATE,
    "formats/description/language/catalogue.py sentences_of": "of this package",
}
_OPENS = {
    *("open", "fdopen", "touch", "read_bytes", "read_text", "write_bytes", "write_text"),
    *("copy2", "copyfile", "copytree", "copyfileobj", "move", "mmap", "memmap", "Popen", "check_output", "check_call"),
    *("mkstemp", "NamedTemporaryFile", "TemporaryFile", "SpooledTemporaryFile"),
}
_OF_AN_OPEN_ZIP = {"zipped.open", "archive.open", "self._zip.open", "self._zipped.open"}


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


def test_only_the_host_knows_which_datasette_it_is() -> None:
    """What differs between 0.x and 1.0 is decided in ``plugin/host``; a version is compared nowhere."""
    for path in FILES:
        text = path.read_text("utf-8")
        names = {node.attr for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Attribute)}
        names |= {node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)}
        assert "host" in path.parts or "V1" not in names, path
        assert "host" in path.parts or "datasette.resources" not in text, path
        assert "datasette.version" not in text and "datasette.__version__" not in text, path
