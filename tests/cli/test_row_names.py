"""Rows by what people call them: a part of the name does, a key goes first, nothing secret is shown."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from datasette_program_export.cli.main import program_export
from datasette_program_export.demo import ANNA
from datasette_program_export.selection.scopes.row_finder import folded_name
from tests.support.databases.building import database


def run(*words: object) -> Result:
    return CliRunner().invoke(program_export, [str(w) for w in words])


def asked(done: Result) -> list[str]:
    assert done.exit_code == 0, done.output
    return [",".join(one) for one in json.loads(done.stdout)["export"]["request"]["records"]]


@pytest.fixture
def people(tmp_path: Path) -> Path:
    database(
        tmp_path / "x.db",
        "CREATE TABLE people (id TEXT PRIMARY KEY, name TEXT)",
        "INSERT INTO people VALUES ('1', 'Ann Lee'), ('2', 'Ann Leeson'), ('Zoe', 'Bob'), ('3', 'Zoe'), ('4', 'X 99')",
        "CREATE TABLE logins (id INTEGER PRIMARY KEY, name TEXT, token TEXT)",
        "INSERT INTO logins VALUES (1, 'first', 'hush')",
    ).close()
    return tmp_path / "x.db"


@pytest.mark.parametrize("name", ["anna", "ANNA Ascendant", "ascendant anna", "client1.a000@"])
def test_a_part_of_a_name_is_enough_and_which_row_it_was_is_told(demo_file: Path, name: str) -> None:
    done = run("client", demo_file, name)
    assert asked(done) == [ANNA] == asked(run("client", demo_file, name, ANNA))
    assert done.stderr.splitlines()[0].startswith(f"{name}: {ANNA}  Anna Ascendant  client1.a000@example.org")


@pytest.mark.parametrize("name", ["jose", "JOSÉ", "o’brien", "łukasz", "lukasz", "chloé d'angelo", "chloe d’angelo"])
def test_accents_case_and_apostrophes_do_not_matter(demo_file: Path, name: str) -> None:
    done = run("plan", demo_file, "clients", name)
    assert done.exit_code == 0 or "Several rows" in done.stderr
    assert all(folded_name(name) in folded_name(line) for line in done.stderr.splitlines()[1:])


def test_several_of_one_name_are_listed_with_their_keys(demo_file: Path) -> None:
    done = run("client", demo_file, "maria silva")
    first, *rows = done.stderr.splitlines()
    assert (done.exit_code, first) == (
        2,
        "Error: Several rows of clients are called maria silva. Name one by its key:",
    )
    assert len(rows) == 2 and all("Maria Silva" in row for row in rows)
    assert asked(run("client", demo_file, rows[0].split()[0])) == [rows[0].split()[0]]
    many = run("client", demo_file, "a").stderr.splitlines()
    assert (len(many), many[-1]) == (12, "  and more; say more of the name.")


def test_nobody_is_called_so(demo_file: Path) -> None:
    done = run("chart", demo_file, "zzzz")
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr == "Error: There is no row zzzz in charts, neither by its key nor by its name.\n"
    assert "Did you mean Anna Ascendant?" in run("client", demo_file, "Anna Asendent").stderr


def test_a_key_goes_before_a_name_and_a_whole_name_before_a_part(people: Path) -> None:
    assert asked(run("record", people, "people", "Zoe")) == ["Zoe"]
    assert asked(run("record", people, "people", "zoe")) == ["3"]
    assert asked(run("record", people, "people", "ann lee")) == ["1"]


def test_a_number_is_only_a_key(people: Path) -> None:
    """The row that it named may be gone; another with this number in its title is not taken for it."""
    done = run("record", people, "people", "99")
    assert done.exit_code == 2 and "There is no row 99 in people" in done.stderr


def test_no_secret_is_searched_or_shown(people: Path, tmp_path: Path) -> None:
    settings = tmp_path / "metadata.yml"
    subjects = "subjects: {logins: {title: [token, name]}}, secrets: {logins: [token]}"
    settings.write_text(f"databases: {{x: {{plugins: {{datasette-program-export: {{{subjects}}}}}}}}}")
    assert run("record", people, "logins", "hush", "-m", settings).exit_code == 2
    done = run("record", people, "logins", "first", "-m", settings)
    assert asked(done) == ["1"] and "hush" not in done.output
    assert run("record", people, "logins", "first", "--without", "logins.name", "-m", settings).exit_code == 2


def test_what_is_misspelt_is_asked_about(demo_file: Path) -> None:
    assert "no table client in practice. Did you mean clients?" in run("table", demo_file, "client").stderr
    asked_for = run("table", demo_file, "clients", "--column", "fist_name").stderr
    assert "clients has no column fist_name. Did you mean first_name?" in asked_for
    left_out = run("table", demo_file, "clients", "--without", "clients.emial").stderr
    assert "There is no table or column clients.emial to leave out. Did you mean clients.email?" in left_out


def test_a_percent_sign_and_an_underscore_stand_for_themselves(tmp_path: Path) -> None:
    database(
        tmp_path / "x.db",
        "CREATE TABLE offers (id INTEGER PRIMARY KEY, name TEXT)",
        "INSERT INTO offers VALUES (1, 'half'), (2, '50 % off'), (3, 'a_b'), (4, 'axb')",
    ).close()
    assert [asked(run("record", tmp_path / "x.db", "offers", name)) for name in ("%", "_", "a_b")] == [
        ["2"],
        ["3"],
        ["3"],
    ]
    done = run("record", tmp_path / "x.db", "offers", "h%f")
    assert (done.exit_code, done.stderr) == (
        2,
        "Error: There is no row h%f in offers, neither by its key nor by its name.\n",
    )
    assert "neither by its key nor by its name" in run("record", tmp_path / "x.db", "offers", "%%").stderr
