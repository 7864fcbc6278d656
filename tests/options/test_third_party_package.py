"""A package of another author: a format, a preset, a rule and a word at the end, at every door, however it is found."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.databases.building import database
from tests.support.runs.thorough import some

LIBRARY = Path(__file__).parents[1] / "support" / "plugins" / "library.py"
ROWS = (
    "CREATE TABLE readers (id INTEGER PRIMARY KEY, name TEXT, desk TEXT, consent INTEGER)",
    "CREATE TABLE loans (id INTEGER PRIMARY KEY, reader_id REFERENCES readers, book TEXT)",
    "CREATE TABLE books (id INTEGER PRIMARY KEY, title TEXT)",
    "INSERT INTO readers VALUES (1, 'Anna', 'desk-canary', 1), (2, 'Bob-canary', 'desk-canary', 0)",
    "INSERT INTO loans VALUES (1, 1, 'Faust'), (2, 2, 'Loan-canary')",
    "INSERT INTO books VALUES (1, 'A | B')",
)
SITE = """
import asyncio, json, sys
from datasette.app import Datasette

async def main(file, folder):
    ds = Datasette([file], plugins_dir=folder or None)
    await ds.invoke_startup()
    async def get(path):
        answer = await ds.client.get(path, headers={"accept": "text/html"} if path.endswith("-export") else {})
        return answer.status_code, answer.headers["content-type"], answer.text
    paths = "/library/books.programmd", "/library/books.programjson?_export_format=markdown", "/library.programjson"
    paths += "/library/readers/2.programjson", "/library/-/program-export", "/-/plugins.json", "/library/books"
    print(json.dumps([await get(path) for path in paths]))

asyncio.run(main(*sys.argv[1:]))
"""
BOOKS = "| id | title |\n| --- | --- |\n| 1 | A / B |\n"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "library.db"
    database(path, *ROWS).close()
    return path


def installed(folder: Path, *groups: str, datasette: bool = True) -> dict[str, str]:
    """The environment of a Python where the package is installed, with an entry point in each group."""
    facts = folder / "program_export_library-1.0.dist-info"
    facts.mkdir(parents=True)
    shutil.copy(LIBRARY, folder / "program_export_library.py")
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: program-export-library\nVersion: 1.0\n")
    points = [f"[{group}]\nlibrary = program_export_library\n" for group in groups]
    (facts / "entry_points.txt").write_text("".join(points))
    if not datasette:
        (folder / "datasette").mkdir()
        (folder / "datasette" / "__init__.py").write_text("raise ImportError('not here')")
    here = str(Path(__file__).parents[2])
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", here)])}


def run(environment: dict[str, str], *words: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *map(str, words)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=100)


def commands(environment: dict[str, str], *words: object) -> subprocess.CompletedProcess[str]:
    return run(environment, "-m", "datasette_program_export", *words)


@pytest.mark.parametrize("where", ["program_export", "datasette", "program_export datasette", "--plugins-dir"])
def test_on_a_site(source: Path, tmp_path: Path, where: str) -> None:
    """On the Datasette of this Python, of either line."""
    folder = ""
    if where == "--plugins-dir":
        environment, folder = {**os.environ}, str(tmp_path / "plugins")
        Path(folder).mkdir()
        shutil.copy(LIBRARY, Path(folder) / "library.py")
        environment["PYTHONPATH"] = environment.get("PYTHONPATH", str(Path(__file__).parents[2]))
    else:
        environment = installed(tmp_path / "site", *where.split())
    done = run(environment, "-c", SITE, source, folder)
    assert done.returncode == 0, done.stderr
    table, chosen, whole, refused, page, plugins, links = json.loads(done.stdout)
    assert table == chosen == [200, "text/markdown; charset=utf-8", BOOKS]
    name = "library.py" if folder else "program-export-library"
    found = json.loads(whole[2])
    assert found["export"]["preset"] == "library" and "canary" not in whole[2]
    withheld = found["coverage"]["by_rules"]
    assert [(w["table"], w["rows"], w["why"]) for w in withheld] == [
        ("readers", 1, "the reader did not agree"),
        ("loans", 1, "the reader did not agree"),
    ]
    assert withheld[0]["plugin"] == name
    assert refused[0] == 403 and f"the plugin {name} withholds rows of readers" in refused[2]
    assert 'value=".markdown"' in page[2] and "1 row of loans: not included, withheld by the plugin" in page[2]
    hooks = {"register_export_formats", "register_export_presets", "export_owner_rules", "export_finished"}
    (listed,) = (plugin for plugin in _plugins(plugins[2]) if hooks & set(plugin["hooks"]))
    assert set(listed["hooks"]) == hooks and "library" in listed["name"]
    assert "/library/books.programmd" in links[2]
    assert done.stderr.count("complete: 1 rows as markdown for somebody\n") == 2
    assert done.stderr.count("failed: 0 rows as programjson for somebody\n") == 1


def _plugins(text: str) -> list[dict]:
    found = json.loads(text)
    return found["plugins"] if isinstance(found, dict) else found  # 1.0 has an object


@pytest.mark.parametrize("groups", some(["program_export datasette", "program_export"], 2))
def test_without_datasette(source: Path, tmp_path: Path, groups: str) -> None:
    """In a Python where Datasette cannot be imported at all."""
    there = installed(tmp_path / "site", *groups.split(), datasette=False)
    assert "markdown     .md       A table to be read by people.\n" in commands(there, "formats").stdout
    done = commands(there, "table", source, "books", "-f", "markdown")
    assert (done.stdout, done.returncode) == (BOOKS, 0)
    assert done.stderr.startswith("complete: 1 rows as markdown for somebody\n")
    file = tmp_path / "books.md"
    done = commands(there, "table", source, "books", "-o", file)
    assert done.returncode == 0 and file.read_text() == BOOKS
    done = commands(there, "verify", file)
    assert done.returncode == 1 and "cannot prove itself" in done.stdout + done.stderr
    assert "by the preset A library" in commands(there, "plan", source, "readers", "1").stdout
    done = commands(there, "database", source)
    assert done.returncode == 0 and "canary" not in done.stdout
    assert "withheld by the plugin program-export-library: the reader did not agree." in done.stderr
    done = commands(there, "record", source, "readers", "2")
    assert done.returncode == 1 and "the plugin program-export-library withholds rows of readers" in done.stderr
    done = commands(there, "query", source, "select book from loans")
    assert done.returncode == 1 and "withholds rows of loans" in done.stderr and "canary" not in done.stderr
    code = (
        "from datasette_program_export import *; print(b''.join(export(sys.argv[1], Request(table='loans'))).decode())"
    )
    done = run(there, "-c", f"import sys; {code}", source)
    assert "Faust" in done.stdout and "canary" not in done.stdout


def test_it_is_not_there_where_it_is_not_installed(source: Path) -> None:
    done = commands({**os.environ}, "table", source, "books", "-f", "markdown")
    assert done.returncode == 2 and "'markdown' is not one of" in done.stderr


def test_only_within_datasette_the_commands_know_its_plugins(source: Path, tmp_path: Path) -> None:
    there = installed(tmp_path / "site", "datasette")
    words = "program-export", "table", source, "books", "-f", "markdown"
    done = run(there, "-c", "from datasette.cli import cli; cli()", *words)
    assert done.stdout == BOOKS, done.stderr
    assert commands(there, *words[1:]).returncode == 2
