"""``--prove``: the file was imported into a new database, and says so itself."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from datasette_program_export import verify
from datasette_program_export.cli.main import program_export
from datasette_program_export.demo import ANNA
from datasette_program_export.importing.proof import proven_file as proving
from tests.support.databases.building import VALIDATOR, database


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
    (("table", "clients", "-o", "x.sql"), "sql is not read back"),
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
