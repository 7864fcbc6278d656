"""``--prove``: the file was imported into a new database, and says so itself."""

from __future__ import annotations

import json
import shutil
import sqlite3
import zipfile
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from datasette_program_export import RefusedError, Request, export, load, prove, verify
from datasette_program_export.cli.main import program_export
from datasette_program_export.demo import ANNA
from datasette_program_export.importing.proof import proven_file as proving
from datasette_program_export.importing.staging.new_tables import NewTables
from tests.support.databases.building import VALIDATOR, database
from tests.support.databases.house import CHILD, PARENT, exported, made


def run(*words: Any) -> Any:
    return CliRunner().invoke(program_export, list(map(str, words)))


@pytest.mark.parametrize("name", ["a.json", "a.ndjson", "a.zip", "a.db", "a.json.gz", "a.ndjson.zst"])
def test_a_file_says_that_it_was_proven_and_is_still_complete(demo_file: Path, tmp_path: Path, name: str) -> None:
    plain, proven = tmp_path / f"plain-{name}", tmp_path / name
    assert run("client", demo_file, ANNA, "-o", plain).exit_code == 0
    done = run("client", demo_file, ANNA, "--prove", "-o", proven)
    assert done.exit_code == 0 and "proven by an import into a new database, in " in done.stderr, done.stderr
    before, after = verify(plain), verify(proven)
    assert (before.status, after.status) == ("complete", "complete")
    assert after.tables == before.tables and after.dangling == before.dangling and after.left_out == before.left_out
    said = after.export["proven"]
    assert (said["tables"], said["rows"]) == (len(before.tables), before.rows) and said["seconds"] >= 0
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([name, plain.name])


def test_nothing_but_the_proof_is_added(demo_file: Path, tmp_path: Path) -> None:
    for layout in ("rows", "pretty"):
        run("client", demo_file, ANNA, "--layout", layout, "-o", tmp_path / "plain.json")
        run("client", demo_file, ANNA, "--layout", layout, "--prove", "-o", tmp_path / "proven.json")
        plain, proven = (json.loads((tmp_path / f"{n}.json").read_text()) for n in ("plain", "proven"))
        VALIDATOR.validate(proven)
        del proven["export"]["proven"], proven["integrity"]["document"], plain["integrity"]["document"]
        proven["export"]["created_at"] = plain["export"]["created_at"]
        assert proven == plain


def test_the_files_of_a_package_stay_what_they_were(tmp_path: Path) -> None:
    odd = "(1, NULL, ''), (2, '', NULL), (3, 'NULL', 1), (4, X'00', '1'), (5, 9e999, CAST(X'ff' AS TEXT))"
    rows = f"INSERT INTO t VALUES {odd}"
    database(tmp_path / "x.db", "CREATE TABLE t (id INTEGER PRIMARY KEY, a, b)", "CREATE TABLE u (a)", rows).close()
    for members in ("csv", "tsv", "ndjson"):
        for flag, name in (("", "plain"), ("--prove", "proven")):
            words = ["database", tmp_path / "x.db", *filter(None, [flag]), "-f", "package", "--members", members]
            assert run(*words, "-o", tmp_path / f"{name}.zip").exit_code == 0
        plain, proven = (zipfile.ZipFile(tmp_path / f"{n}.zip") for n in ("plain", "proven"))
        assert [plain.read(f"data/{t}.{members}") for t in "tu"] == [proven.read(f"data/{t}.{members}") for t in "tu"]
        assert verify(tmp_path / "proven.zip").status == "complete"


def test_csv_of_several_tables_is_proven_as_the_package_it_comes_as(demo_file: Path, tmp_path: Path) -> None:
    assert run("client", demo_file, ANNA, "-f", "csv", "--prove", "-o", tmp_path / "a.zip").exit_code == 0
    assert verify(tmp_path / "a.zip").export["proven"]["rows"] > 1


@pytest.mark.parametrize(("words", "sentence"), [
    (("table", "clients", "-o", "x.csv"), "csv is not read back"),
    (("table", "clients", "-f", "package", "--dialect", "spreadsheet", "-o", "x.zip"), "made for a spreadsheet"),
    (("table", "clients"), "--prove needs a file"),
])  # fmt: skip
def test_what_cannot_be_proven_is_said_before_anything_is_written(
    demo_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple, sentence: str
) -> None:
    monkeypatch.chdir(tmp_path)
    done = run(words[0], demo_file, *words[1:], "--prove")
    assert done.exit_code in (1, 2) and sentence in done.stderr
    assert not list(tmp_path.iterdir())


def test_a_file_that_does_not_come_back_is_removed(
    demo_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when the disk under it is not to be trusted: it is changed between the writing and the proof."""
    whole = proving.prove

    def changed(path: Path, **how: Any) -> Any:
        content = path.read_bytes()
        path.write_bytes(content.replace(b"Anna", b"Anja"))
        return whole(path, **how)

    monkeypatch.setattr(proving, "prove", changed)
    done = run("client", demo_file, ANNA, "--prove", "-o", tmp_path / "a.json")
    assert done.exit_code == 1 and "did not come back as it went out, so it was removed" in done.stderr
    assert not list(tmp_path.iterdir())
    (tmp_path / "a.json").write_text("what was there before")
    assert run("client", demo_file, ANNA, "--prove", "-o", tmp_path / "a.json").exit_code == 1
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]
    assert (tmp_path / "a.json").read_text() == "what was there before"


def test_a_single_table_as_ndjson_is_proven_with_its_envelope(demo_file: Path, tmp_path: Path) -> None:
    shutil.copy(demo_file, tmp_path / "p.db")
    assert run("table", tmp_path / "p.db", "clients", "--prove", "-o", tmp_path / "c.ndjson").exit_code == 0
    assert verify(tmp_path / "c.ndjson").export["proven"]["tables"] == 1


def test_a_file_proves_itself_by_being_imported(house: Path, tmp_path: Path) -> None:
    proof = prove(exported(house))
    assert proof.proven and proof.bytes > 0 and proof.problems == []
    assert all(table.same for table in proof.tables.values()) and len(proof.tables) == 4
    done = CliRunner().invoke(program_export, ["prove", str(exported(house))])
    assert done.exit_code == 0 and "proven" in done.output and "It cost" in done.output


@pytest.mark.parametrize(
    "how",
    [
        {"format": "programjson", "layout": "pretty"},
        {"format": "programjson", "compress": "zstd"},
        {"format": "ndjson", "layout": "envelope", "compress": "gzip"},
        {"format": "package"},
        {"format": "package", "members": "tsv"},
        {"format": "package", "members": "ndjson"},
    ],
    ids=str,
)
def test_the_demo_is_proven_in_every_form(how: dict, demo_file: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"".join(export(demo_file, Request(**how))))
    proof = prove(tmp_path / "file")
    assert proof.proven, proof.problems
    assert sum(table.rows for table in proof.tables.values()) == 912


def test_what_was_made_for_a_spreadsheet_is_neither_imported_nor_proven(demo_file: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"".join(export(demo_file, Request(format="package", dialect="spreadsheet"))))
    with pytest.raises(RefusedError, match="made for a spreadsheet"):
        load(tmp_path / "new.db", tmp_path / "file")
    assert not prove(tmp_path / "file").proven


def test_a_new_database_that_was_made_otherwise_is_not_proven(
    house: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The proof looks at the database, not at what the import says of itself."""
    file = exported(house)
    made_so = NewTables.make_objects

    def badly(self: NewTables, connection: sqlite3.Connection, findings: Any) -> None:
        made_so(self, connection, findings)
        connection.execute("UPDATE w SET z = x'01' WHERE x = 'q'")
        connection.execute("DROP INDEX b_a")

    monkeypatch.setattr(NewTables, "make_objects", badly)
    assert prove(file).problems == [
        "w: the database does not hold just the rows of the file.",
        "The index b_a is only in the file.",
    ]


def test_a_proof_counts_what_the_file_says_leads_nowhere(tmp_path: Path) -> None:
    source = made(tmp_path / "s.db", PARENT, CHILD, "INSERT INTO p VALUES (1)", "INSERT INTO c VALUES ('a', 1)")
    proof = prove(exported(source, table="c"))
    assert proof.proven and proof.dangling == 1


def test_a_file_that_lies_is_not_proven(house: Path) -> None:
    file = exported(house)
    file.write_bytes(file.read_bytes().replace(b'"Z"', b'"Y"'))
    done = CliRunner().invoke(program_export, ["prove", str(file), "--json"])
    assert done.exit_code == 1 and json.loads(done.stdout)["proven"] is False


@pytest.mark.parametrize("name", ["chinook.db", "northwind_small.db"])
def test_real_databases_come_back(name: str, real_data: Path, tmp_path: Path) -> None:
    file = tmp_path / "whole.json"
    file.write_bytes(b"".join(export(real_data / name, Request())))
    proof = prove(file)
    assert proof.proven, proof.problems
    load(tmp_path / "new.db", file, allow_dangling=True)
    again = tmp_path / "again.json"
    again.write_bytes(b"".join(export(tmp_path / "new.db", Request())))
    one, other = (json.loads(f.read_bytes())["integrity"]["tables"] for f in (file, again))
    assert one == other
