"""The command line: files whole or not at all, exit 0 done, 1 failed, 2 wrong usage."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from datasette_program_export.cli.main import program_export
from datasette_program_export.demo import ANNA, BOB, C1, PASSWORD_HASH
from datasette_program_export.formats.registry import NAMES
from tests.support.databases.building import database


def run(*words: object) -> Result:
    return CliRunner().invoke(program_export, [str(w) for w in words])


def test_a_clients_file(demo_file: Path, tmp_path: Path) -> None:
    """Named by its suffix, and what was left is told."""
    done = run("client", demo_file, ANNA, "-o", tmp_path / "anna.json")
    assert done.exit_code == 0, done.output
    assert json.loads((tmp_path / "anna.json").read_bytes())["integrity"]["complete"] is True
    assert "28 rows" in done.stderr and "complete." in done.stderr
    assert "1 chart of a person not asked for: not included (charts.birth_data_id)." in done.stderr
    assert "1 chart refers to one birth record that is not included (birth_data_id)." in done.stderr


def test_a_folder_gets_a_file_with_a_name_of_its_own(demo_file: Path, tmp_path: Path) -> None:
    assert run("client", demo_file, ANNA, "-o", tmp_path).exit_code == 0
    (made,) = tmp_path.iterdir()
    assert made.name.startswith("practice_clients_Anna-Ascendant_20") and made.suffix == ".json"


def test_a_plan_tells_the_command_that_adds_a_missing_index(demo: Path) -> None:
    """With the path as it was given."""
    connection = database(demo, "DROP INDEX idx_session_notes_client_id")
    connection.close()
    told = run("plan", demo, "clients", ANNA).stdout.splitlines()
    command = f"sqlite-utils create-index {demo} session_notes client_id"
    assert told[-1].startswith("session_notes.client_id has no index, so ") and told[-1].endswith(f": {command}")
    subprocess.run([sys.executable, "-m", "sqlite_utils", *command.split()[1:]], check=True)
    assert run("plan", demo, "clients", ANNA).stdout.splitlines()[-1] == told[-2]


def test_standard_output_is_the_document_and_nothing_else(demo_file: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "datasette", "program-export", "chart", str(demo_file), C1], capture_output=True
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert [r["id"] for r in json.loads(done.stdout)["tables"]["charts"]] == [C1]


def test_two_clients_and_without_notes(demo_file: Path, tmp_path: Path) -> None:
    done = run(
        "client", demo_file, ANNA, BOB, "--without", "session_notes", "-o", tmp_path / "x.json", "--layout", "pretty"
    )
    found = json.loads((tmp_path / "x.json").read_bytes())
    assert done.exit_code == 0 and "session_notes" not in found["tables"]
    assert found["coverage"]["left_out"] == [{"table": "session_notes"}]
    assert "session_notes: not included, as you asked." in done.stderr


def test_csv_of_several_tables_is_a_zip_and_must_be_called_one(demo_file: Path, tmp_path: Path) -> None:
    refused = run("client", demo_file, ANNA, "-o", tmp_path / "anna.csv")
    assert (
        refused.exit_code == 2
        and "say -f csv, and give a name that ends in .zip" in refused.stderr
        and not list(tmp_path.iterdir())
    )
    assert run("client", demo_file, ANNA, "-f", "csv", "-o", tmp_path / "anna.zip").exit_code == 0
    again = run("client", demo_file, ANNA, "-o", tmp_path / "again.zip")  # the ending says enough
    assert again.exit_code == 0
    assert "data/charts.csv" in zipfile.ZipFile(tmp_path / "anna.zip").namelist()


def test_a_tables_rows_as_asked(demo_file: Path) -> None:
    how = ["--where", "last_name LIKE :n", "--param", "n", "O%", "--order", "first_name desc", "--column", "first_name"]
    done = run("table", demo_file, "clients", *how, "-f", "csv")
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines() == ["first_name", "Seán", "Amara"]
    assert run("table", demo_file, "clients", "--limit", 2, "--offset", 1, "-f", "ndjson").stdout.count("\n") == 2


def test_no_secret(demo_file: Path) -> None:
    assert PASSWORD_HASH not in run("table", demo_file, "app_config", "-f", "csv").stdout


def test_any_database(tmp_path: Path) -> None:
    database(
        tmp_path / "x.db",
        'CREATE TABLE "Order Details" (a TEXT, b INTEGER, PRIMARY KEY (a, b))',
        """INSERT INTO "Order Details" VALUES ('x/y,z', 1), ('x', 2)""",
    ).close()
    done = run("record", tmp_path / "x.db", "order details", "x~2Fy~2Cz,1")
    assert json.loads(done.stdout)["tables"] == {"Order Details": [{"a": "x/y,z", "b": 1}]}
    refused = run("client", tmp_path / "x.db", 1)
    assert refused.exit_code == 2 and "has nothing called client" in refused.stderr


WRONG = [
    (("client", "DB", "nobody"), 2, "no row nobody in clients"),
    (("record", "DB", "nix", "1"), 2, "no table nix in practice"),
    (("table", "nofile.db", "x"), 2, "no database file nofile.db"),
    (("table", "DB", "clients", "--where", "nix = 1"), 2, "The condition cannot be run: no such column: nix"),
    (("table", "DB", "clients", "--where", "id = :x"), 2, "no value was given for :x"),
    (("table", "DB", "clients", "--column", "nix"), 2, "clients has no column nix"),
    (("table", "DB", "clients", "--cascade", "--limit", "1"), 2, "do not go with following"),
    (("table", "DB", "clients", "--limit", "-1"), 2, "-1 is not in the range"),
    (("table", "DB", "clients", "-f", "word"), 2, "'word' is not one of"),
    (("table", "DB", "clients", "-o", "x.nix"), 2, "names no format by its ending"),
    (("table", "DB", "client_summary", "--cascade"), 1, "it is a view"),
    (("table", "DB", "clients", "-f", "csv", "--layout", "pretty"), 1, "csv has no layout pretty"),
]


@pytest.mark.parametrize(("words", "code", "said"), WRONG)
def test_what_is_wrong_is_said_and_leaves_no_file(
    demo_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple, code: int, said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    done = run(*(demo_file if w == "DB" else w for w in words))
    assert (done.exit_code, said in done.stderr) == (code, True), done.stderr
    assert "SELECT" not in done.stderr and list(tmp_path.iterdir()) == []


def test_an_error_in_the_middle_leaves_no_file_and_what_was_there_stays(tmp_path: Path) -> None:
    connection = database(tmp_path / "x.db", "CREATE TABLE t (id INTEGER PRIMARY KEY, j TEXT)")
    connection.executemany(
        "INSERT INTO t VALUES (?, ?)", ((i, "{}" if i != 15_000 else "broken") for i in range(20_000))
    )
    connection.execute("CREATE VIEW v AS SELECT id, json_extract(j, '$.a') AS x FROM t")
    connection.close()
    (tmp_path / "out.csv").write_text("before")
    done = run("table", tmp_path / "x.db", "v", "-o", tmp_path / "out.csv")
    assert done.exit_code == 2 and "The view v cannot be run: malformed JSON" in done.stderr
    assert (tmp_path / "out.csv").read_text() == "before"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out.csv", "x.db"]


def test_settings_are_those_of_the_site(demo_file: Path, tmp_path: Path) -> None:
    settings = tmp_path / "metadata.yml"
    settings.write_text("databases: {practice: {plugins: {datasette-program-export: {secrets: {clients: [email]}}}}}")
    assert "example.org" not in run("client", demo_file, ANNA, "-m", settings).stdout
    settings.write_text("plugins: {datasette-program-export: {nix: 1}}")
    assert "unknown key nix" in run("client", demo_file, ANNA, "-m", settings).stderr


def test_a_plan_in_words_and_as_data(demo_file: Path) -> None:
    words = run("plan", demo_file, "clients", ANNA).stdout
    assert words.startswith("clients (Anna Ascendant, client1.a000@example.org, 2019-")
    assert "         6  chart_interpretations  readings  (by chart_interpretations.chart_id)" in words
    assert "1 chart of a person not asked for: not included (charts.birth_data_id)." in words
    data = json.loads(run("plan", demo_file, "clients", ANNA, "--json").stdout)
    assert data["rows"] == 28 and data["complete"] is True


def test_formats_are_listed() -> None:
    assert [line.split()[0] for line in run("formats").stdout.splitlines()] == list(NAMES)


def test_the_demo_is_written_once_and_always_the_same(tmp_path: Path) -> None:
    assert run("demo", tmp_path / "a").exit_code == 0 == run("demo", tmp_path / "b").exit_code
    assert (tmp_path / "a" / "practice.db").read_bytes() == (tmp_path / "b" / "practice.db").read_bytes()
    again = run("demo", tmp_path / "a")
    assert again.exit_code == 2 and "exists already" in again.stderr


@pytest.mark.skipif(os.name != "posix", reason="signals as on POSIX")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_breaking_off_leaves_no_file(tmp_path: Path, how: signal.Signals) -> None:
    """Ctrl-C, or a stop from outside, in the middle: the part that was written goes away."""
    connection = database(tmp_path / "x.db", "CREATE TABLE t (a)")
    connection.execute("BEGIN")
    connection.executemany("INSERT INTO t VALUES (?)", ((i,) for i in range(100_000)))
    connection.execute("COMMIT")
    connection.execute("CREATE VIEW v AS SELECT x.a FROM t AS x, t AS y")
    connection.close()
    (tmp_path / "out").mkdir()
    words = ["program-export", "table", str(tmp_path / "x.db"), "v", "-o", str(tmp_path / "out" / "v.csv")]
    # a shell's background jobs ignore Ctrl-C, and their children with them
    heeding = {"preexec_fn": lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)}
    running = subprocess.Popen([sys.executable, "-m", "datasette", *words], stderr=subprocess.PIPE, **heeding)
    from tests.support.sites.server import wait_until

    try:
        wait_until(lambda: any(p.stat().st_size for p in (tmp_path / "out").rglob("v.csv")), "the first bytes", 60)
        running.send_signal(how)
        assert running.wait(20) != 0
    finally:
        running.kill()
        running.wait()
        running.stderr.close()
    assert list((tmp_path / "out").iterdir()) == []


def test_no_database_is_replaced_by_an_export(demo_file: Path, tmp_path: Path) -> None:
    for name in ("practice.db", "other.db"):
        (tmp_path / name).write_bytes(demo_file.read_bytes())
    for name in ("practice.db", "other.db"):
        done = run("table", tmp_path / "practice.db", "clients", "-f", "csv", "-o", tmp_path / name)
        assert done.exit_code == 2 and "database" in done.stderr
        assert (tmp_path / name).read_bytes() == demo_file.read_bytes()
    gone = run("table", tmp_path / "practice.db", "clients", "-o", tmp_path / "nix" / "x.csv")
    assert gone.exit_code == 2 and gone.stderr.endswith("nix for x.csv; it is not made.\n")
