"""The command line among others: pipes, names that begin with a minus, terminals that know few characters."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from datasette_program_export.cli.main import program_export

COMMAND = [sys.executable, "-m", "datasette_program_export"]
ODD = "日本 é 😀"


def run(*words: object) -> Result:
    return CliRunner().invoke(program_export, [str(w) for w in words])


def made(path: Path, script: str) -> Path:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(script)
    return path


def shell(script: str, folder: Path) -> subprocess.CompletedProcess[bytes]:
    """Run a script of bash, in which ``$PE`` is the command."""
    words = {**os.environ, "PE": " ".join(COMMAND)}
    return subprocess.run(["bash", "-c", script], cwd=folder, env=words, capture_output=True, timeout=60)


def rows(path: Path, sql: str) -> list[tuple]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(sql).fetchall()


@pytest.mark.parametrize(
    "script",
    [
        "printf 'id,a\\n1,x\\n' | $PE import - a.db --table t --no-backup",
        "printf 'id,a\\n1,x\\n' | $PE import /dev/stdin a.db --table t --no-backup",
        "$PE import <(printf 'id,a\\n1,x\\n') a.db --table t --no-backup",
        "printf 'id,a\\n1,x\\n' > f.csv; $PE import - a.db --table t --no-backup < f.csv",
        "printf 'id,a\\n1,x\\n' > f.csv; $PE import /dev/stdin a.db --table t --no-backup < f.csv",
        "mkfifo p; printf 'id,a\\n1,x\\n' > p & $PE import p a.db --table t --no-backup",
    ],
    ids=["-", "/dev/stdin", "<()", "- <", "/dev/stdin <", "mkfifo"],
)
def test_rows_come_through_a_pipe(script: str, tmp_path: Path) -> None:
    made(tmp_path / "a.db", "CREATE TABLE t(id INTEGER PRIMARY KEY, a TEXT)")
    done = shell(script, tmp_path)
    assert done.returncode == 0, done.stderr
    assert rows(tmp_path / "a.db", "SELECT * FROM t") == [(1, "x")]


@pytest.mark.parametrize(
    "script",
    [
        "$PE database a.db | $PE verify -",
        "$PE verify <($PE database a.db)",
        "$PE database a.db -f package -o /dev/stdout | $PE prove -",
        "$PE database a.db -o >($PE verify - > said) -f programjson; cat said",
        "$PE table a.db t -f sqlite | $PE import - new.db && $PE database a.db | $PE verify - --against new.db",
    ],
)
def test_an_export_goes_through_a_pipe_to_its_reader(script: str, tmp_path: Path) -> None:
    made(tmp_path / "a.db", "CREATE TABLE t(id INTEGER PRIMARY KEY, a TEXT); INSERT INTO t VALUES (1, 'x')")
    done = shell(f"set -o pipefail; {script}", tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_standard_output_is_appended_to_and_not_replaced(tmp_path: Path) -> None:
    made(tmp_path / "a.db", "CREATE TABLE t(id INTEGER PRIMARY KEY); INSERT INTO t VALUES (1)")
    assert shell("echo before > f; $PE table a.db t -f csv -o /dev/stdout >> f", tmp_path).returncode == 0
    assert (tmp_path / "f").read_bytes() == b"before\nid\r\n1\r\n"


def test_a_cut_file_from_a_pipe_is_still_cut(tmp_path: Path) -> None:
    made(tmp_path / "a.db", "CREATE TABLE t(id INTEGER PRIMARY KEY, a TEXT); INSERT INTO t VALUES (1, 'x')")
    done = shell("$PE database a.db | head -c 700 | $PE verify -", tmp_path)
    assert done.returncode == 1 and b"standard input: CUT" in done.stdout


def test_a_key_may_be_a_negative_number(tmp_path: Path) -> None:
    """As GeoPackage's -1; wherever the options stand. What an option takes stays with it."""
    path = made(
        tmp_path / "a.db",
        "CREATE TABLE t(a INTEGER, b REAL, PRIMARY KEY (a, b)); INSERT INTO t VALUES (-1, -0.5), (3, 4)",
    )
    made(tmp_path / "b.db", "CREATE TABLE t(id INTEGER PRIMARY KEY); INSERT INTO t VALUES (-1), (-2), (3)")
    for words in (["-1,-0.5", "-o", "-"], ["-o", "-", "-1,-0.5"], ["--layout", "pretty", "--", "-1,-0.5"]):
        done = run("record", path, "t", *words)
        assert done.exit_code == 0, done.output
        assert json.loads(done.stdout)["tables"]["t"] == [{"a": -1, "b": -0.5}]
    done = run("record", tmp_path / "b.db", "t", "-2", "3", "-1", "-f", "programjson")
    assert [row["id"] for row in json.loads(done.stdout)["tables"]["t"]] == [-2, -1, 3]
    assert run("plan", tmp_path / "b.db", "t", "-1").exit_code == 0
    done = run(
        "query", tmp_path / "b.db", "select * from t where id = cast(:x as int)", "--param", "x", "-1", "-f", "csv"
    )
    assert done.stdout.split() == ["id", "-1"]


def test_a_name_that_begins_with_a_minus_is_told_how_to_be_said(tmp_path: Path) -> None:
    path = made(tmp_path / "a.db", 'CREATE TABLE "-odd"(id TEXT PRIMARY KEY); INSERT INTO "-odd" VALUES (\'-a\')')
    done = run("record", path, "-odd", "-a")
    assert done.exit_code == 2 and "goes behind --, and all options before that" in done.stderr
    done = run("record", path, "-f", "csv", "--", "-odd", "-a")
    assert done.exit_code == 0 and done.stdout.split() == ["id", "-a"]
    assert "behind --" not in run("verify", "x.json", "--nothing").stderr


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_a_terminal_with_few_characters_ends_no_command(encoding: str, tmp_path: Path) -> None:
    path = made(tmp_path / "a.db", f'CREATE TABLE "{ODD}"(id INTEGER PRIMARY KEY); INSERT INTO "{ODD}" VALUES (1)')
    words = {**os.environ, "PYTHONIOENCODING": encoding}
    file, csv = tmp_path / "f.json", tmp_path / "f.csv"
    csv.write_text("id\n2\nx\n")
    for asked, status in (
        (["--help"], 0),
        (["database", str(path), "-o", str(file)], 0),
        (["plan", str(path)], 0),
        (["plan", str(path), "--json"], 0),
        (["verify", str(file)], 0),
        (["verify", str(file), "--json"], 0),
        (["prove", str(file)], 0),
        (["import", str(file), str(tmp_path / "new.db"), "--preview"], 0),
        (["import", str(csv), str(path), "--table", ODD], 1),
        (["table", str(path), "日本"], 2),
    ):
        done = subprocess.run([*COMMAND, *asked], capture_output=True, env=words)
        assert done.returncode == status and b"Traceback" not in done.stderr, (asked, done.stderr)
        if "--json" in asked:
            as_utf8 = encoding == "ascii"  # click takes a terminal that says ASCII for one that is not set up
            found = json.loads(done.stdout.decode("utf-8" if as_utf8 else encoding))
            assert ODD in json.dumps(found, ensure_ascii=False)
