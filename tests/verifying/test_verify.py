"""``verify`` says of a file whether it is whole and unchanged; of a file cut or changed anywhere it never says so."""

from __future__ import annotations

import gzip
import json
import random
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from datasette_program_export import Request, Settings, export, verify
from datasette_program_export.cli.main import program_export
from datasette_program_export.demo import ANNA
from datasette_program_export.errors import NotFoundError, RequestError
from datasette_program_export.formats.registry import NAMES, get_format
from tests.support.databases.building import database
from tests.support.files.changing import HOUSE, MOMENT, WAYS, changed, made
from tests.support.runs.thorough import examples, some


def status(path: Path, content: bytes) -> str:
    path.write_bytes(content)
    return verify(path).status


def test_every_way_is_listed_here() -> None:
    forms = [get_format(name) for name in NAMES]
    proving = {f.name for f in forms if f.self_verifying and not f.edited and not f.one_table}  # several are a package
    assert proving == {name.split()[0] for name in WAYS}


@pytest.mark.parametrize("way", WAYS)
def test_a_whole_file_is_complete_with_its_counts_and_what_dangles(tmp_path: Path, way: str) -> None:
    (tmp_path / "f").write_bytes(made(*HOUSE, **WAYS[way]))
    report = verify(tmp_path / "f")
    assert (report.status, report.problems, report.rows) == ("complete", [], 5)
    assert report.format == WAYS[way].get("format", "programjson")
    assert {name: (t.rows, t.same) for name, t in report.tables.items()} == {"p": (2, True), "c": (3, True)}
    dangling = [(d.table, d.columns, d.other_table, d.rows, d.announced) for d in report.dangling]
    assert dangling == [("c", ["p"], "p", 1, 1)]
    assert report.references_checked and report.export["created_at"] == "2026-11-24T04:05:06Z"
    assert any("refers to a row of p that does not exist in the database" in sentence for sentence in report.left_out)


@pytest.mark.parametrize("way", [way for way in WAYS if way not in ("sqlite", "dossier")])  # large ones
def test_a_small_file_cut_at_any_byte_is_never_complete(tmp_path: Path, way: str) -> None:
    content = made(*HOUSE, **WAYS[way])
    places = {*some(range(len(content)), 4), *range(len(content) - 60, len(content))}
    missed = [i for i in sorted(places) if status(tmp_path / "f", content[:i]) == "complete"]
    assert missed == []


@pytest.mark.parametrize("way", WAYS)
def test_a_file_with_any_bit_turned_or_byte_more_is_never_complete(tmp_path: Path, way: str) -> None:
    content = made(*HOUSE, **WAYS[way])
    chance = random.Random(way)
    for place in chance.sample(range(len(content)), examples(200)):
        turned = bytearray(content)
        turned[place] ^= 1 << chance.randrange(8)
        assert status(tmp_path / "f", bytes(turned)) != "complete", place
    assert status(tmp_path / "f", content + b"\n") != "complete"


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> sqlite3.Connection:
    connection = database(None, "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b REAL, c BLOB)")
    rows = ((i, f"text {i} " * (i % 5), i / 7, b"x" * (i % 3)) for i in range(4000))
    connection.executemany("INSERT INTO t VALUES (?, ?, ?, ?)", rows)
    return connection


@pytest.mark.parametrize("way", WAYS)
def test_a_large_file_cut_or_turned_anywhere_is_never_complete(
    tmp_path: Path, large: sqlite3.Connection, way: str
) -> None:
    content = b"".join(export(large, Request(**WAYS[way]), created_at=MOMENT))
    assert status(tmp_path / "f", content) == "complete"
    chance = random.Random(way)
    for place in chance.sample(range(len(content)), examples(100)):
        assert status(tmp_path / "f", content[:place]) != "complete"
        turned = bytearray(content)
        turned[place] ^= 1 << chance.randrange(8)
        assert status(tmp_path / "f", bytes(turned)) != "complete"


@pytest.mark.parametrize("way", WAYS)
def test_what_was_written_while_the_source_failed_never_verifies(tmp_path: Path, way: str) -> None:
    with closing(database(None, "CREATE TABLE t (id INTEGER PRIMARY KEY, j TEXT)")) as connection:
        connection.executemany("INSERT INTO t VALUES (?, ?)", ((i, "{}" if i != 2500 else "x") for i in range(3000)))
        connection.execute("CREATE VIEW v AS SELECT id, json_extract(j, '$.a') AS x FROM t")
        taken = b""
        with pytest.raises(RequestError):
            for chunk in export(connection, Request(table="v", **WAYS[way])):
                taken += chunk
    assert status(tmp_path / "f", taken) != "complete"


@pytest.mark.parametrize("how", ["gzip", "zstd"])
@pytest.mark.parametrize("form", ["programjson", "ndjson"])
def test_a_compressed_file_is_read_as_it_is_and_told_when_cut(tmp_path: Path, form: str, how: str) -> None:
    content = made(*HOUSE, format=form, compress=how)
    (tmp_path / "f").write_bytes(content)
    report = verify(tmp_path / "f")
    assert (report.status, report.compression, report.format, report.rows) == ("complete", how, form, 5)
    for place in range(len(content)):
        assert status(tmp_path / "f", content[:place]) != "complete", place
    assert status(tmp_path / "f", content + b"x") != "complete"


def test_what_cannot_prove_itself_is_said_so(tmp_path: Path) -> None:
    rows = made(*HOUSE, table="p", format="ndjson")
    for content in (made(*HOUSE, table="p", format="csv"), rows, b"hello", b"\0" * 100, b"[]", b"{}", b"\xff\xfe"):
        (tmp_path / "f").write_bytes(content)
        report = verify(tmp_path / "f")
        assert report.status == "unknown" and "cannot prove itself" in report.problems[0]
    assert status(tmp_path / "f", b"") == "cut"
    with pytest.raises(NotFoundError, match="no file nix"):
        verify(tmp_path / "nix")


# --- files that lie


def test_a_package_packed_anew_is_still_complete(tmp_path: Path) -> None:
    assert status(tmp_path / "f", changed(made(*HOUSE, format="package"), lambda files: None)) == "complete"


def _row(files: dict[str, bytes]) -> None:
    files["data/p.csv"] += b"3,c\r\n"


def _row_and_digest(files: dict[str, bytes]) -> None:
    import hashlib

    before = hashlib.sha256(files["data/p.csv"]).hexdigest().encode()
    size = len(files["data/p.csv"])
    _row(files)
    after = hashlib.sha256(files["data/p.csv"]).hexdigest().encode()
    described = files["datapackage.json"].replace(before, after)
    files["datapackage.json"] = described.replace(b'"bytes": %d,' % size, b'"bytes": %d,' % len(files["data/p.csv"]))


LIES = {
    "a row more": _row,
    "a row more, with its file's digest": _row_and_digest,
    "a table less": lambda files: files.pop("data/p.csv"),
    "a file more": lambda files: files.update({"data/x.csv": b""}),
    "a name that leads out": lambda files: files.update({"../x.csv": b""}),
    "an absolute name": lambda files: files.update({"/x.csv": b""}),
    "two names but for case": lambda files: files.update({"README.TXT": b""}),
    "no description": lambda files: files.pop("datapackage.json"),
    "another description": lambda files: files.update({"datapackage.json": b'{"resources": []}'}),
    "a description too deep": lambda files: files.update({"datapackage.json": b"[" * 100_000}),
    "a README of somebody else": lambda files: files.update({"README.txt": b"buy!"}),
    "not complete": lambda files: files.update(
        {"datapackage.json": files["datapackage.json"].replace(b'"complete": true', b'"complete": false')}
    ),
    "a reference left out of the coverage": lambda files: files.update(
        {"datapackage.json": files["datapackage.json"].replace(b'"rows": 1,\n', b'"rows": 2,\n')}
    ),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_lying_package_is_found_out(tmp_path: Path, lie: str) -> None:
    assert status(tmp_path / "f", changed(made(*HOUSE, format="package"), LIES[lie])) not in ("complete",)


def test_json_that_is_too_deep_is_refused(tmp_path: Path) -> None:
    content = made("CREATE TABLE t (a, j JSON)", """INSERT INTO t VALUES (1, '[]')""")
    deep = content.replace(b'"j":[]', b'"j":' + b"[" * 100_000 + b"]" * 100_000)
    assert status(tmp_path / "f", deep) == "damaged"
    deep = content.replace(b'{"a":1', b'{"a":' + b'{"x":' * 100_000)
    assert status(tmp_path / "f", deep) == "damaged"


def test_files_that_unpack_without_end_are_refused_unless_trusted(tmp_path: Path) -> None:
    line = b'{"format":"programjson",\n"x":"' + b" " * 1000 + b'"\n'
    (tmp_path / "bomb.gz").write_bytes(gzip.compress(line + b" " * 230_000_000, 9))
    report = verify(tmp_path / "bomb.gz")
    assert report.status == "damaged" and "give the argument trusted" in report.problems[0]


# --- by command


def run(*words: Any) -> Any:
    return CliRunner().invoke(program_export, list(map(str, words)))


def test_the_command_tells_and_ends_accordingly(demo_file: Path, tmp_path: Path) -> None:
    assert run("client", demo_file, ANNA, "-f", "package", "-o", tmp_path / "anna.zip").exit_code == 0
    done = run("verify", tmp_path / "anna.zip")
    assert done.exit_code == 0 and "anna.zip: complete and unchanged" in done.stdout
    assert "All references lead to rows in the file." in done.stdout or "as the file says" in done.stdout
    (tmp_path / "cut.zip").write_bytes((tmp_path / "anna.zip").read_bytes()[:-100])
    done = run("verify", tmp_path / "cut.zip")
    assert done.exit_code == 1 and "cut.zip: CUT" in done.stdout
    report = json.loads(run("verify", tmp_path / "anna.zip", "--json").stdout)
    assert report["status"] == "complete" and report["tables"]["clients"]["rows"] == 1
    done = run("verify", tmp_path / "nix.zip")
    assert done.exit_code == 2 and "no file nix.zip" in done.stderr


def test_against_the_database(demo_file: Path, tmp_path: Path) -> None:
    """It holds the same rows as long as nobody changes them; then it is told which table differs."""
    copy = tmp_path / "practice.db"
    with closing(sqlite3.connect(demo_file)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
    run("client", copy, ANNA, "-f", "package", "-o", tmp_path / "anna.zip")
    done = run("verify", tmp_path / "anna.zip", "--against", copy)
    assert done.exit_code == 0 and "still holds exactly these rows" in done.stdout
    with closing(sqlite3.connect(copy)) as connection, connection:
        connection.execute("UPDATE clients SET notes = 'other' WHERE id = ?", (ANNA,))
        connection.execute("DELETE FROM session_notes WHERE client_id = ?", (ANNA,))
    done = run("verify", tmp_path / "anna.zip", "--against", copy)
    assert done.exit_code == 1
    assert "clients: as many rows, but not the same." in done.stdout
    assert "session_notes: " in done.stdout and "in the file, 0 now." in done.stdout
    with closing(sqlite3.connect(copy)) as connection, connection:
        connection.execute("DROP TABLE session_notes")
    assert (
        "session_notes: not in the database's answer now."
        in run("verify", tmp_path / "anna.zip", "--against", copy).stdout
    )


def test_against_needs_the_same_settings(demo_file: Path, tmp_path: Path) -> None:
    with export(
        demo_file, Request(table="clients", records=((ANNA,),)), settings=Settings(secrets={"clients": ["email"]})
    ) as made:
        (tmp_path / "anna.json").write_bytes(b"".join(made))
    (tmp_path / "m.yml").write_text("plugins: {datasette-program-export: {secrets: {clients: [email]}}}")
    assert (
        "clients: as many rows, but not the same."
        in run("verify", tmp_path / "anna.json", "--against", demo_file).stdout
    )
    done = run("verify", tmp_path / "anna.json", "--against", demo_file, "-m", tmp_path / "m.yml")
    assert done.exit_code == 0, done.output
    assert run("verify", tmp_path / "anna.json", "-m", tmp_path / "m.yml").exit_code == 2


def test_a_database_of_another_program_is_not_called_damaged(tmp_path: Path) -> None:
    """It is healthy, and cannot tell what it held; a damaged one is told from it."""
    path = tmp_path / "a.db"
    database(path, "CREATE TABLE t (a)", "INSERT INTO t VALUES (zeroblob(9000))", journal="delete").close()
    report = verify(path)
    assert report.status == "unknown" and "another program's SQLite database" in report.problems[0]
    path.write_bytes(path.read_bytes()[:5000])
    assert (verify(path).status, verify(path).problems) == (
        "damaged",
        ["The SQLite file cannot be read: database disk image is malformed."],
    )
