"""A new format is one module and one name: two that are not of the package are walked through every door."""

from __future__ import annotations

import ast
import gzip
import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from datasette_program_export import Request, export, load, prove, verify
from datasette_program_export.errors import RequestError, UnsupportedError
from datasette_program_export.formats import registry
from tests.support.databases.building import database
from tests.support.files import pipes_format
from tests.support.plugins.registered import plugged
from tests.support.plugins.toys import TOYS, FormatPlugin
from tests.support.sites.server import make_datasette
from tests.support.source_code import FILES, PACKAGE

NEW_NAMES = ("pipes", "toy")
OWN_NAMES = tuple(registry.NAMES)
PAIR = (
    "CREATE TABLE p (id INTEGER PRIMARY KEY, name TEXT)",
    "CREATE TABLE c (id INTEGER PRIMARY KEY, p REFERENCES p, note TEXT, b)",
    "INSERT INTO p VALUES (1, 'a|b'), (2, NULL)",
    "INSERT INTO c VALUES (10, 1, 'x', X'00ff'), (11, 1, '', 9e999)",
)
COMMAND = """
import sys
from tests.support.plugins.toys import TOYS, manager
manager().register(TOYS)
from datasette_program_export.cli.main import program_export
program_export(sys.argv[1:])
"""


@pytest.fixture(autouse=True)
def registered() -> Iterator[None]:
    with plugged(TOYS):
        yield


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "house.db"
    database(path, *PAIR).close()
    return path


def made(source: Path, **request: Any) -> bytes:
    return b"".join(export(source, Request(**request)))


def rows(path: Path) -> list[Any]:
    with closing(database(path)) as connection:
        return [connection.execute(f"SELECT * FROM {table} ORDER BY id").fetchall() for table in "pc"]


def loaded(file: Path, tmp_path: Path) -> list[Any]:
    target = tmp_path / "new.db"
    load(target, file)
    return rows(target)


@pytest.mark.parametrize("member", NEW_NAMES)
@pytest.mark.parametrize("how", ["asked for", "of a format of one table"])
def test_it_is_a_member_of_a_package(source: Path, tmp_path: Path, member: str, how: str) -> None:
    if how == "asked for":
        content = made(source, format="package", members=member)
    elif member == "pipes":
        content = made(source, format=member)
    else:
        return  # toy writes several tables by itself
    file = tmp_path / "x.zip"
    file.write_bytes(content)
    archive, form = zipfile.ZipFile(io.BytesIO(content)), registry.get_format(member)
    found = json.loads(archive.read("datapackage.json"))
    assert [(r["path"], r["format"], r["mediatype"]) for r in found["resources"]] == [
        (f"data/{table}.{form.extension}", member, form.media_type.partition(";")[0]) for table in "pc"
    ]
    assert form.member is not None
    assert form.member.readme in archive.read("README.txt").decode()
    assert verify(file).status == "complete" and prove(file).proven
    assert loaded(file, tmp_path) == rows(source)


def test_a_member_that_was_changed_is_found(source: Path, tmp_path: Path) -> None:
    old = zipfile.ZipFile(io.BytesIO(made(source, format="package", members="pipes")))
    file = tmp_path / "x.zip"
    with zipfile.ZipFile(file, "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name).replace(b"x|", b"y|"))
    assert verify(file).status == "changed"


@pytest.mark.parametrize("packed", [False, True])
def test_it_is_recognised_verified_and_imported(source: Path, tmp_path: Path, packed: bool) -> None:
    content = made(source, format="toy")
    file = tmp_path / "x"
    file.write_bytes(gzip.compress(content) if packed else content)
    report = verify(file)
    assert (report.format, report.status, report.rows) == ("toy", "complete", 4)
    assert loaded(file, tmp_path) == rows(source)
    file.write_bytes(content[:-40])
    assert verify(file).status == "cut"
    file.write_bytes(content[:3])
    assert verify(file).problems == ["The file is cut: there is only its beginning."]


def test_options_are_checked_by_its_facts(source: Path) -> None:
    assert made(source, table="p", format="pipes").splitlines()[1] == b'1|"a|b"'
    with pytest.raises(UnsupportedError, match="pipes has a pipe between its fields; for another delimiter"):
        made(source, table="p", format="pipes", delimiter=";")
    with pytest.raises(RequestError, match="members must be 'csv', 'tsv', 'pipes', 'ndjson', .*or 'toy'"):
        made(source, format="package", members="sql")


def test_what_cannot_be_a_member_holds_one_table(source: Path) -> None:
    lone = replace(pipes_format.FORMAT, name="lone", extension="lone", member=None)
    with plugged(FormatPlugin(lone)):
        assert made(source, table="p", format="lone").startswith(b"id|name")
        with pytest.raises(UnsupportedError, match="lone holds one table, and these are several: take package"):
            made(source, format="lone")


async def test_it_has_its_place_on_the_page_and_an_address(source: Path, tmp_path: Path) -> None:
    ds = make_datasette(source)
    page = (await ds.client.get("/house/-/program-export", headers={"accept": "text/html"})).text
    for name in NEW_NAMES:
        form = registry.get_format(name)
        assert f'name="_export_kind" value=".{name}"' in page and form.help in page
        assert f"Good for {form.good_for}." in page
        assert f'<option value="{name}">{name}</option>' in page
    assert "of.layout..toy" in page  # its own choice
    file = tmp_path / "x"
    for path in ("/house.programtoy", "/house/p/1.programtoy", "/house.programjson?_export_format=toy"):
        answer = await ds.client.get(path)
        assert answer.headers["content-type"] == "application/x-toy"
        file.write_bytes(answer.content)
        assert verify(file).format == "toy"
    assert "content-disposition" not in (await ds.client.get("/house.programpipes")).headers  # it has no ending
    wrong = await ds.client.get("/house.programtoy?_export_format=csv")
    assert wrong.json()["error"] == "_export_format=csv contradicts the address, which says toy."
    wrong = await ds.client.get("/house.programzip?_export_members=sql")
    assert wrong.json()["error"] == "_export_members must be csv or tsv or pipes or ndjson or parquet or toy."
    members = await ds.client.get("/house.programzip?_export_members=pipes")
    assert "data/p.psv" in zipfile.ZipFile(io.BytesIO(members.content)).namelist()


def run(*words: Any) -> subprocess.CompletedProcess[str]:
    here = Path(__file__).parents[3]
    return subprocess.run(
        [sys.executable, "-c", COMMAND, *map(str, words)], capture_output=True, text=True, cwd=here, timeout=110
    )


def test_the_command_line_knows_it(source: Path, tmp_path: Path) -> None:
    listed = run("formats").stdout
    assert "toy          .toy      A document to play with.\n" in listed and "\npipes " in listed
    done = run("table", source, "p", "-o", tmp_path / "x.plaything", "--prove")
    assert done.returncode == 0 and "proven by an import" in done.stderr
    assert (tmp_path / "x.plaything").read_bytes().startswith(b"%TOY\n")  # rows alone would prove nothing
    done = run("database", source, "-f", "package", "--members", "toy", "-o", tmp_path / "x.zip", "--prove")
    assert done.returncode == 0 and "data/c.toy" in zipfile.ZipFile(tmp_path / "x.zip").namelist()
    done = run("database", source, "-f", "pipes", "-o", tmp_path / "y.zip", "--prove")
    assert done.returncode == 0 and "data/c.psv" in zipfile.ZipFile(tmp_path / "y.zip").namelist()


def test_the_self_check_reads_it_back(tmp_path: Path) -> None:
    done = run("demo", tmp_path, "--clients", 3, "--check")
    assert done.returncode == 0, done.stdout
    assert "ok      a table as pipes" in done.stdout and "ok      the database as toy" in done.stdout


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_no_other_list_names_formats(path: Path) -> None:
    """The plugins' hook makes the one list; a list elsewhere would not have the next format."""
    if path.relative_to(PACKAGE).as_posix() == "demo/check.py":
        return  # an independent reading of each format, with a way for any other
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, (ast.Tuple, ast.List, ast.Set, ast.Dict)):
            parts = [*node.keys, *node.values] if isinstance(node, ast.Dict) else node.elts
            found = {part.value for part in parts if isinstance(part, ast.Constant)} & set(OWN_NAMES)
            assert len(found) < 2, f"line {node.lineno}: {found}"
