"""``program-export setup`` and ``check``: what goes where, and what is never overwritten."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from datasette_program_export.cli.main import program_export
from datasette_program_export.options.settings_file import read_settings
from tests.support.databases.undescribed import shop


def run(*words: object) -> Result:
    return CliRunner().invoke(program_export, [str(w) for w in words])


@pytest.fixture(scope="module")
def shop_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Not to be written to."""
    return shop(tmp_path_factory.mktemp("shop"))


def test_a_file_is_written_once(shop_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "metadata.yml"
    done = run("setup", shop_file, "-o", out)
    assert done.exit_code == 0 and done.stdout == ""
    assert "Some rows of each table are looked at, on this computer" in done.stderr
    assert "  orders.customer_id refers to customers.id (named after it; 20 of 20 values match)" in done.stderr
    assert "Without these settings: 1 row: 1 customer." in done.stderr
    assert read_settings(out, "shop").persons == ["customers", "staff"]
    out.write_text("mine")
    again = run("setup", shop_file, "-o", out)
    assert again.exit_code == 2 and "is there already" in again.stderr and out.read_text() == "mine"
    assert run("setup", shop_file, "-o", out, "--force").exit_code == 0 and out.read_text() != "mine"


def test_standard_output_has_the_lines_alone(shop_file: Path) -> None:
    done = run("setup", shop_file, "--no-rows")
    assert done.stdout.startswith("# Proposed") and "databases:\n  shop:" in done.stdout
    assert "no row" in done.stderr and "are looked at" not in done.stderr


def test_for_programs(shop_file: Path) -> None:
    assert json.loads(run("setup", shop_file, "--json").stdout)["settings"]["caches"] == ["geocoding_cache"]


def test_no_database_is_overwritten(shop_file: Path, tmp_path: Path) -> None:
    for out in (shop_file, f"{shop_file}-wal", shop(tmp_path)):
        done = run("setup", shop_file, "-o", out, "--force")
        assert done.exit_code == 2, out
    assert run("setup", shop_file, "-o", tmp_path).exit_code == 2


def test_check_ends_with_what_it_found(shop_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "metadata.yml"
    run("setup", shop_file, "-o", out)
    done = run("check", "-m", out, shop_file)
    assert done.exit_code == 0 and done.stdout.endswith("metadata.yml: nothing is wrong.\n")
    assert "  customers 1 (First1 Last1, a1@example.org): " in done.stdout
    out.write_text(out.read_text().replace("title: [first_name", "title: [firstname"))
    done = run("check", "-m", out, shop_file, "--json")
    assert done.exit_code == 1
    (problem,) = json.loads(done.stdout)["databases"][0]["problems"]
    assert problem["message"] == "customers has no column firstname. Did you mean first_name?"
    assert run("check", "-m", out, shop_file).stdout.endswith("metadata.yml: 1 thing is wrong.\n")


def test_two_databases_of_one_name_are_refused(shop_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "metadata.yml"
    out.write_text("{}")
    assert run("check", "-m", out, shop_file, shop(tmp_path)).exit_code == 2
