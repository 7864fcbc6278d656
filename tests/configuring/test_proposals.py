"""``propose``: what is found in a database that nobody described; the lines read back as the settings they say."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest
import yaml

from datasette_program_export import Settings
from datasette_program_export.configuring import proposer
from datasette_program_export.configuring.checking.checker import check_settings
from datasette_program_export.configuring.proposal import Proposal
from datasette_program_export.database.source import Source
from datasette_program_export.options.settings import parse_settings
from datasette_program_export.options.settings_file import read_settings
from tests.support.databases.building import database
from tests.support.databases.undescribed import BCRYPT, odd, shop


def propose(source: Path, **how: Any) -> Proposal:
    """With more time than a busy machine needs."""
    return proposer.propose(source, **{"seconds": 600, **how})


@pytest.fixture(scope="module")
def shop_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Not to be written to."""
    return shop(tmp_path_factory.mktemp("shop"))


@pytest.fixture(scope="module")
def made(shop_file: Path) -> Proposal:
    return propose(shop_file)


def references(made: Proposal) -> set[str]:
    found = made.settings.get("virtual_foreign_keys", [])
    return {f"{r['table']}.{r['columns'][0]} {r['other_table']}.{r['other_columns'][0]}" for r in found}


def test_what_a_shop_holds(made: Proposal) -> None:
    assert made.settings["persons"] == ["customers", "staff"]
    assert made.settings["subjects"]["customers"] == {
        "label": "customer",
        "plural": "customers",
        "title": ["first_name", "last_name"],
        "told_apart_by": ["email"],
    }
    assert made.settings["subjects"]["products"]["title"] == ["name"]
    assert "title" not in made.settings["subjects"]["app_settings"]  # its values may be secrets
    assert references(made) == {
        "orders.customer_id customers.id",
        "orders.created_by staff.id",
        "order_lines.order_id orders.id",
        "order_lines.product_sku products.sku",
        "products.parent_id products.id",
        "audit_log.customer_id customers.id",
        "notes.owner_id customers.id",
        "notes.owner_id orders.id",
    }
    assert [r["where"] for r in made.settings["virtual_foreign_keys"] if "where" in r] == [
        {"owner_type": ["Customer"]},
        {"owner_type": [r"App\Models\Order"]},
    ]
    assert made.settings["secrets"] == {
        "customers": ["prefs.mail.password"],
        "app_settings": ["value"],
        "staff": ["entry"],
    }
    assert made.secret_by_name == ["customers.password"]
    assert made.settings["json_columns"] == {"customers": ["prefs"]}
    assert made.settings["caches"] == ["geocoding_cache"]
    (told,) = [f for f in made.found if f.setting == "caches" and not f.written]
    assert told.table == "audit_log" and "- audit_log" in made.yaml


def test_an_example_says_what_the_settings_add(made: Proposal) -> None:
    example = made.example
    assert example is not None and example.table == "customers" and example.rows_without == {"customers": 1}
    assert {"orders": 2, "order_lines": 2, "audit_log": 1}.items() <= example.rows.items()


def test_no_value_that_may_be_secret_is_told(made: Proposal) -> None:
    assert "canary" not in made.model_dump_json() and BCRYPT not in made.model_dump_json()


def test_without_rows_names_and_types_decide(shop_file: Path) -> None:
    made = propose(shop_file, rows=False)
    assert made.rows_looked_at is None and made.example is None
    assert {"orders.customer_id customers.id", "boxes.order_id orders.id"} <= references(made)
    assert "products.parent_id products.id" not in references(made)  # a comment: its name alone says little
    assert "products, columns: [parent_id]" in made.yaml and "secrets" not in made.settings
    assert "boxes.product_id products.id" not in references(made)  # a text and a number


def test_it_is_the_same_tomorrow(shop_file: Path, made: Proposal) -> None:
    assert propose(shop_file) == made


def test_nobody_else_s_tables_are_seen(shop_file: Path) -> None:
    """Of a table that somebody may not see nothing is told, not by its references either."""
    made = propose(shop_file, visible={"orders", "order_lines", "products"})
    assert made.tables == 3 and "customers" not in made.model_dump_json() and "staff" not in made.yaml
    assert made.example is not None and made.example.table == "orders"


@pytest.mark.parametrize("rows", [True, False])
@pytest.mark.parametrize("make", [shop, odd])
def test_the_lines_read_back_and_are_sound(tmp_path: Path, make, rows: bool) -> None:
    path = make(tmp_path)
    made = propose(path, database=path.stem, rows=rows)
    metadata = tmp_path / "metadata.yml"
    metadata.write_text(made.yaml, "utf-8")
    assert read_settings(metadata, path.stem) == parse_settings(made.settings)
    report = check_settings(metadata, {path.stem: Source.of(path)})
    wrong = [p.message for d in report.databases for p in d.problems if p.level == "error"]
    assert len(wrong) == (not rows and make is shop), wrong  # by names alone, boxes.order_id leads nowhere


@pytest.mark.parametrize("name", ["1.5", "null", "a: b", "漢字", "new\nline", "x" * 300])
def test_a_database_of_any_name(tmp_path: Path, name: str) -> None:
    database(tmp_path / "x.db", "CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT)").close()
    lines = propose(tmp_path / "x.db", database=name).yaml
    assert list(yaml.safe_load(lines)["databases"]) == [name]


def test_an_empty_database(tmp_path: Path) -> None:
    database(tmp_path / "empty.db").close()
    made = propose(tmp_path / "empty.db", database="empty")
    assert made.settings == {} and made.example is None
    (tmp_path / "metadata.yml").write_text(made.yaml)
    assert read_settings(tmp_path / "metadata.yml", "empty") == Settings()


def test_the_preset_says_the_rest(demo_file: Path) -> None:
    made = propose(demo_file)
    assert made.preset == "the-program" and made.settings == {} and "preset: the-program" in made.yaml


def test_tables_without_keys(tmp_path: Path) -> None:
    """As after an import from csv: no primary key, no index; a column that has every value once stands for it."""
    path = tmp_path / "plain.db"
    connection = database(
        path,
        "CREATE TABLE patients (patient_id TEXT, name TEXT, dob TEXT)",
        "CREATE TABLE visits (visit_id TEXT, patient_id TEXT, seen TEXT)",
        "CREATE TABLE twice (id TEXT, name TEXT)",
        "CREATE TABLE more (twice_id TEXT)",
    )
    for i in range(30):
        connection.execute("INSERT INTO patients VALUES (?, ?, '1980-01-01')", (f"p{i}", f"N{i}"))
        connection.execute("INSERT INTO visits VALUES (?, ?, '2024')", (f"v{i}", f"p{i % 9}"))
        connection.execute("INSERT INTO twice VALUES (?, 'x')", (f"t{i // 2}",))
        connection.execute("INSERT INTO more VALUES (?)", (f"t{i // 2}",))
    connection.close()
    made = propose(path)
    assert references(made) == {"visits.patient_id patients.patient_id"}
    assert made.example is not None and sum(made.example.rows.values()) > 1


def test_what_is_declared_is_not_proposed_again(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    database(
        path,
        "CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT, mail TEXT)",
        "CREATE TABLE cats (id INTEGER PRIMARY KEY, person_id INTEGER REFERENCES people)",
    ).close()
    assert references(propose(path)) == set()


def test_the_time_is_bounded(tmp_path: Path) -> None:
    """What was not seen goes by names, and that is said."""
    path = tmp_path / "many.db"
    connection = database(path)
    for i in range(200):
        connection.execute(f"CREATE TABLE thing_{i} (id INTEGER PRIMARY KEY, name TEXT, thing_{i + 1}_id INTEGER)")
    connection.close()
    made = propose(path, seconds=0)
    assert not made.complete and made.rows_looked_at == 0 and "The time was over" in made.notes[0]
    assert len(made.settings["virtual_foreign_keys"]) == 199 and len(made.settings["subjects"]) == 50


def test_one_broken_table_spoils_only_itself(tmp_path: Path) -> None:
    path = shop(tmp_path)
    with sqlite3.connect(path) as connection:
        connection.create_collation("ours", lambda a, b: (a > b) - (a < b))
        connection.execute("CREATE TABLE broken (id TEXT COLLATE ours PRIMARY KEY, customer_id INTEGER) WITHOUT ROWID")
        connection.execute("INSERT INTO broken VALUES ('x', 1)")
    connection.close()
    assert "orders.customer_id customers.id" in references(propose(path))


@pytest.mark.parametrize("name", ["chinook", "northwind_small"])
def test_real_databases(real_data: Path, name: str) -> None:
    """Their keys are declared: nothing is added but people and words."""
    made = propose(real_data / f"{name}.db")
    assert [p.rstrip("s") for p in made.settings["persons"]] == ["Customer", "Employee"]
    assert set(made.settings) == {"persons", "subjects"}
    if made.complete:  # without a WAL they are read for two seconds, which a busy machine may need
        assert made.example is not None and sum(made.example.rows.values()) > 40
