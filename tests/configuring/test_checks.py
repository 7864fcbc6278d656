"""``check_settings``: each wrong setting is named, with what was meant; nothing else is."""

from __future__ import annotations

from pathlib import Path

import pytest

from datasette_program_export.configuring.checking import checker
from datasette_program_export.configuring.checking.checker import check_settings
from datasette_program_export.database.source import Source
from tests.support.databases.undescribed import shop


@pytest.fixture(autouse=True)
def time(monkeypatch: pytest.MonkeyPatch) -> None:
    """More than a busy machine needs."""
    monkeypatch.setattr(checker, "SECONDS", 600.0)


@pytest.fixture(scope="module")
def shop_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Not to be written to."""
    return shop(tmp_path_factory.mktemp("shop"))


def told(folder: Path, shop_file: Path, settings: str, **site: str) -> list[tuple[str, str]]:
    """The problems of these settings for the shop, each with its level."""
    metadata = folder / "metadata.yml"
    metadata.write_text(
        f"databases: {{shop: {{plugins: {{datasette-program-export: {settings}}}}}}}" if not site else site["whole"]
    )
    report = check_settings(metadata, {"shop": Source.of(shop_file)})
    found = [*report.problems, *(p for d in report.databases for p in d.problems)]
    assert (report.errors > 0) == any(p.level == "error" for p in found)
    return [(p.level, f"{p.setting}: {p.message}") for p in found]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ("{subjects: {custmers: {label: x}}}", "subjects: there is no table custmers. Did you mean customers?"),
        (
            "{subjects: {customers: {title: [first_nme]}}}",
            "subjects: customers: customers has no column first_nme. Did you mean first_name?",
        ),
        ("{subjekts: {}}", ": unknown key subjekts. Did you mean subjects?"),
        ("{caches: [geocode_cache]}", "caches: there is no table geocode_cache. Did you mean geocoding_cache?"),
        (
            "{secrets: {customers: [emial]}}",
            "secrets: customers: customers has no column emial. Did you mean email?",
        ),
        (
            "{secrets: {customers: [pref.mail]}}",
            "secrets: customers: customers has no column pref.mail. Did you mean prefs?",
        ),
        ("{persons: [custmers]}", "persons: there is no table custmers. Did you mean customers?"),
        (
            "{virtual_foreign_keys: [{table: orders, columns: [id], other_table: customer, other_columns: [id]}]}",
            "virtual_foreign_keys: there is no table customer. Did you mean customers?",
        ),
        (
            "{stop: [orders.customer_id]}",
            "stop: there is no reference orders.customer_id, declared or in virtual_foreign_keys.",
        ),
        ("{profiles: {a: {formt: csv}}}", "profiles: a: there is no option formt"),
        (
            "{profiles: {a: {without: [notez]}}}",
            "profiles: a: there is no table or column notez. Did you mean notes?",
        ),
        ("{profiles: {a: {format: zipp}}}", "profiles: a: There is no format zipp."),
        ("{spool_dir: /nowhere/x}", "spool_dir: /nowhere/x is not there. Make it: mkdir -p /nowhere/x"),
        (
            "{jobs_dir: .}",
            "jobs_dir: it is for the whole site: it goes under plugins: datasette-program-export:, not under shop.",
        ),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, shop_file: Path, settings: str, message: str) -> None:
    ((level, found),) = told(tmp_path, shop_file, settings)
    assert level == "error" and found.startswith(message)


REFERENCE = "{{virtual_foreign_keys: [{{table: {}, columns: [{}], other_table: {}, other_columns: [{}]{}}}]}}"


@pytest.mark.parametrize(
    ("reference", "level", "message"),
    [
        (("boxes", "order_id", "orders", "id", ""), "error", "none of 40 values is in orders."),
        (("boxes", "product_id", "products", "id", ""), "warning", "their types differ, TEXT and INTEGER"),
        (("notes", "owner_id", "products", "id", ""), "warning", "35 of 40 values lead to no row of products."),
        (
            ("notes", "owner_id", "customers", "id", ", where: {owner_type: Cat}"),
            "warning",
            "it holds for no row now",
        ),
        (("products", "id", "orders", "created_by", ""), "warning", "orders.created_by does not identify a row"),
        (("orders", "customer_id", "customers", "password", ""), "error", "its column is left out as secret"),
    ],
)
def test_references_that_lead_nowhere(
    tmp_path: Path, shop_file: Path, reference: tuple[str, ...], level: str, message: str
) -> None:
    found = told(tmp_path, shop_file, REFERENCE.format(*reference))
    assert any(how == level and message in text for how, text in found), found


@pytest.mark.parametrize(
    ("whole", "message"),
    [
        (
            "databases: {shopp: {plugins: {datasette-program-export: {caches: [x]}}}}",
            "databases: no database that was given is called shopp. Did you mean shop?",
        ),
        ("plugins: {datasette_program_export: {}}", "plugins: datasette_program_export is no plugin's name"),
        ("datasette-program-export: {caches: [x]}", "datasette-program-export: it stands beside plugins:"),
        ("[1, 2]", ": metadata.yml is not a mapping of settings."),
        ("a: {b", ": metadata.yml cannot be read"),
        ("plugins: {datasette-program-export: {caches: [x]}}", "caches: there is no table x."),
        ("plugins: {datasette-program-export: {jobs_dir: /nowhere/x}}", "jobs_dir: /nowhere/x is not there."),
        ("plugins: {datasette-program-export: {audit_log: /nowhere/x.log}}", "audit_log: /nowhere is not there."),
        ("plugins: {datasette-program-export: {max_jobs: many}}", ": max_jobs: a whole number is needed."),
        (
            "databases: {shop: {tables: {orders: {plugins: {datasette-program-export: {}}}}}}",
            "databases: shop: tables: settings under the table orders count for nothing",
        ),
    ],
)
def test_settings_that_count_for_nothing(tmp_path: Path, shop_file: Path, whole: str, message: str) -> None:
    found = told(tmp_path, shop_file, "", whole=whole)
    assert any(level == "error" and text.startswith(message) for level, text in found), found


def test_what_an_export_of_each_subject_would_hold(tmp_path: Path, shop_file: Path) -> None:
    metadata = tmp_path / "metadata.yml"
    settings = REFERENCE.format("orders", "customer_id", "customers", "id", "")
    metadata.write_text(f"databases: {{shop: {{plugins: {{datasette-program-export: {settings}}}}}}}")
    (checked,) = check_settings(metadata, {"shop": Source.of(shop_file)}).databases
    assert (checked.persons, checked.known_by) == (["customers", "staff"], "guess")
    assert checked.secrets == ["customers.password"]
    assert checked.examples[0].table == "customers" and checked.examples[0].rows["orders"] == 2


def test_a_table_of_the_settings_for_all_may_be_in_one_database(
    tmp_path: Path, shop_file: Path, demo_file: Path
) -> None:
    metadata = tmp_path / "metadata.yml"
    metadata.write_text("plugins: {datasette-program-export: {caches: [geocoding_cache]}}")
    both = {"shop": Source.of(shop_file), "practice": Source.of(demo_file)}
    assert check_settings(metadata, both).errors == 0
    assert check_settings(metadata, {"practice": both["practice"]}).errors == 1


def test_a_reference_that_nothing_declares_is_told(tmp_path: Path, shop_file: Path) -> None:
    def undeclared(settings: str) -> list[str]:
        found = told(tmp_path, shop_file, settings)
        return [text for level, text in found if level == "warning" and "nothing declares it" in text]

    (of_orders,) = [text for text in undeclared("{caches: []}") if "orders.customer_id" in text]
    assert of_orders == (
        "virtual_foreign_keys: orders.customer_id seems to refer to customers.id (named after it; 20 of 20 values "
        "match), and nothing declares it. program-export setup proposes the lines."
    )
    assert of_orders not in undeclared(REFERENCE.format("orders", "customer_id", "customers", "id", ""))
