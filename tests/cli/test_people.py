"""The command line says who was taken for people, and is told otherwise."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from datasette_program_export.cli.main import program_export
from tests.support.databases.people import people_file


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    return people_file(tmp_path, "shop")


def run(*words: object) -> Result:
    return CliRunner().invoke(program_export, [str(word) for word in words])


def test_a_plan_and_an_export_say_it_first(shop: Path) -> None:
    said = (
        "customers and employees were taken for people, by their names and columns: "
        "rows of people who were not asked for are not included."
    )
    assert run("plan", shop, "customers", "1").stdout.splitlines()[1] == said
    done = run("record", shop, "customers", "1", "-o", shop.with_name("out.json"))
    assert done.exit_code == 0 and said in done.stderr
    checked = run("verify", shop.with_name("out.json"))
    assert checked.exit_code == 0 and said in checked.stdout


def test_it_can_be_told_otherwise(shop: Path) -> None:
    nobody = run("record", "--person", "none", "--parents", "needed", shop, "customers", "1")
    assert "CANARY" in nobody.stdout
    assert "No table was taken for people, as was asked for" in nobody.stderr
    only = run("record", "--person", "customers", "--parents", "needed", shop, "customers", "1")
    assert "CANARYEmp" in only.stdout and "CANARYBob" not in only.stdout
    wrong = run("record", "--person", "nix", shop, "customers", "1")
    assert wrong.exit_code == 2 and "person: there is no table nix" in wrong.stderr
