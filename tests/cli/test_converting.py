"""convert: the same rows and description in another format, there and back; what is not whole is refused."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from datasette_program_export.cli.main import program_export
from datasette_program_export.demo import ANNA
from datasette_program_export.verifying.verifier import verify
from tests.support.databases.building import database


def run(*words: object) -> Result:
    return CliRunner().invoke(program_export, [str(w) for w in words])


def converted(file: Path, other: Path, *how: object) -> str:
    done = run("convert", file, "-o", other, *how)
    assert done.exit_code == 0, done.output
    return done.stderr


@pytest.fixture
def anna(demo_file: Path, tmp_path: Path) -> Path:
    assert run("client", demo_file, ANNA, "-o", tmp_path / "anna.json").exit_code == 0
    return tmp_path / "anna.json"


@pytest.fixture
def odd(tmp_path: Path) -> Path:
    """Values that few formats can tell apart, in a table without a key, and one whose column is computed."""
    connection = database(
        tmp_path / "odd.db",
        "CREATE TABLE t (a, b TEXT)",
        "CREATE TABLE g (id INTEGER PRIMARY KEY, x REAL, y AS (x * 2))",
        "CREATE INDEX i ON t (a)",
        "INSERT INTO g (id, x) VALUES (7, 1e300), (3, 9e999)",
    )
    values = [(None, ""), ("", None), (1, "1"), (1.0, "NULL"), ("1", "a\r\nb"), (b"\0\xff", "é"), (2**63 - 1, "\0")]
    connection.executemany("INSERT INTO t VALUES (?, ?)", values)
    connection.execute("INSERT INTO t VALUES (CAST(x'ff' AS TEXT), 'x')")
    connection.commit()
    connection.close()
    assert run("database", tmp_path / "odd.db", "-o", tmp_path / "odd.json").exit_code == 0
    return tmp_path / "odd.json"


def test_there_and_back_by_every_lossless_format(odd: Path, tmp_path: Path) -> None:
    first, file = verify(odd), odd
    for number, ending in enumerate(["ndjson", "zip", "sql", "json.gz", "db", "zip", "json"]):
        file, before = tmp_path / f"{number}.{ending}", file
        assert f"{first.rows} rows" in converted(before, file)
        now = verify(file)
        assert now.status == "complete", now.problems
        same = {name: table.sha256 for name, table in now.tables.items()}
        assert same == {name: table.sha256 for name, table in first.tables.items()}
        assert set(now.left_out) >= set(first.left_out)
    assert now.left_out == ["g.y: SQLite computes it; its values are not in the file."]


def test_a_record_keeps_what_it_says_of_itself(anna: Path, tmp_path: Path) -> None:
    told = converted(anna, tmp_path / "a.zip", "--members", "ndjson")
    assert "28 rows" in told and "1 row of charts of a person not asked for: not included" in told
    before, now = verify(anna), verify(tmp_path / "a.zip")
    assert now.left_out == before.left_out
    assert {**now.export, "request": None} == {**before.export, "request": None}
    asked = {"format": "package", "members": "ndjson"}
    assert now.export["request"] == before.export["request"] | asked


@pytest.mark.parametrize(("at", "byte"), itertools.product([0.5, 0.99], [True, False]))
def test_what_is_cut_or_changed_is_not_converted(anna: Path, tmp_path: Path, at: float, byte: bool) -> None:
    data = anna.read_bytes()
    place = int(len(data) * at)
    anna.write_bytes(data[:place] + (b"?" + data[place + 1 :] if byte else b""))
    done = run("convert", anna, "-o", tmp_path / "out.zip")
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith("Error: anna.json is not converted. ") and not (tmp_path / "out.zip").exists()


def test_what_the_other_format_cannot_hold_is_told(demo_file: Path, odd: Path, tmp_path: Path) -> None:
    run("table", demo_file, "birth_data", "-o", tmp_path / "one.json")
    told = converted(tmp_path / "one.json", tmp_path / "one.csv")
    assert "Only the rows: this file cannot tell whether some are missing" in told
    sheets = converted(odd, tmp_path / "sheets.zip", "--dialect", "spreadsheet")
    done = run("convert", tmp_path / "sheets.zip", "-o", tmp_path / "back.json")
    assert done.exit_code == 1 and "was made for a spreadsheet: its values were changed" in done.stderr, sheets


WRONG = [
    (("nofile.json", "-o", "x.zip"), 2, "There is no file nofile.json."),
    (("FILE",), 2, "Into which format?"),
    (("FILE", "-o", "x.nix"), 2, "x.nix names no format by its ending; say --format."),
    (("FILE", "-o", "FILE"), 2, "is the file itself"),
    (("FILE", "-o", "."), 2, "is a folder"),
    (("FILE", "-o", "x.csv"), 2, "say -f csv, and give a name that ends in .zip"),
    (("FILE", "-o", "odd.db"), 2, "is a SQLite database"),
    (("odd.db", "-o", "x.json"), 1, "odd.db is not converted. This is another program's SQLite database"),
    (("rows.csv", "-o", "x.json"), 1, "rows.csv is not converted. This file cannot prove itself"),
    ((".", "-o", "x.json"), 2, "is a folder: name a file in it"),
]


@pytest.mark.parametrize(("words", "code", "said"), WRONG)
def test_what_is_wrong_is_said(
    odd: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], code: int, said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("rows.csv").write_text("a,b\n1,2\n")
    done = run("convert", *(odd.name if w == "FILE" else w for w in words))
    assert (done.exit_code, said in done.stderr) == (code, True), done.stderr
    assert not Path("x.json").exists() and not Path("x.zip").exists()
