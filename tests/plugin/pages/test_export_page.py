"""The export page in process: what it tells, and whom it tells it."""

from __future__ import annotations

from pathlib import Path

import pytest
from datasette.utils import tilde_encode

from datasette_program_export.formats.description.language.numbers import numbers_for
from datasette_program_export.plugin.request.form import COLUMNS, SAMPLE
from tests.support.databases.building import database
from tests.support.sites.export_page import ANNAS, opened, said
from tests.support.sites.server import make_datasette

# What is told


async def test_the_picture_is_on_the_page_and_the_same_facts_in_words(demo_file: Path) -> None:
    page = (await opened(make_datasette(demo_file), ANNAS)).text
    assert page.count("<svg xmlns") == 1 and 'aria-label="What is exported from practice: Anna Ascendant"' in page
    words = said(page)
    for fact in (
        "6 readings because",
        "about 3.4 kB",
        "follow charts.birth_data_id charts birth_data birth_data_id followed 2 1",
    ):
        assert fact in words, words


async def test_names_in_the_database_cannot_become_html(tmp_path: Path) -> None:
    evil = "<script>alert(1)</script>"
    database(
        tmp_path / "x.db",
        f'CREATE TABLE "{evil}" (id INTEGER PRIMARY KEY, name TEXT, "{evil}" TEXT)',
        f'CREATE TABLE child ("{evil}" REFERENCES "{evil}", at DATE)',
        f"INSERT INTO \"{evil}\" VALUES (1, '{evil}', '{evil}')",
        "INSERT INTO child VALUES (1, '2024-01-01')",
    ).close()
    ds = make_datasette(tmp_path / "x.db")
    for path in ("/x/-/program-export", f"/x/{tilde_encode(evil)}/1/-/program-export", "/x/child/-/program-export"):
        answer = await opened(ds, path, [(SAMPLE, "1")])
        assert answer.status_code == 200 and "alert(1)" in answer.text and "<script>alert" not in answer.text


async def test_columns_that_are_left_out_are_marked_and_secrets_cannot_be_chosen(demo_file: Path) -> None:
    ds, path, phone = make_datasette(demo_file), "/practice/-/program-export", ("_export_without", "clients.phone")
    page = (await opened(ds, path, [phone])).text
    assert 'name="_export_with" value="clients.phone">' in page and 'value="clients.email" checked>' in page
    page = (await opened(ds, path, [phone, (COLUMNS, "app_config")])).text
    assert 'name="_export_with" value="clients.phone">' in page
    assert "<bdi>password_hash</bdi>: not included, named as secret" in page and 'app_config.password_hash"' not in page


async def test_an_edge_can_be_stopped_and_taken_back(demo_file: Path) -> None:
    ds = make_datasette(demo_file)
    assert 'name="_export_follow" value="charts.client_id" checked>' in (await opened(ds, ANNAS)).text
    stopped = await opened(ds, ANNAS, [("_export_stop", "session_notes.client_id")])
    assert 'name="_export_follow" value="session_notes.client_id">' in stopped.text
    assert "session_notes clients client_id not followed, as you asked" in said(stopped.text)
    assert "client_id (stopped)" in stopped.text and "3 session notes" not in said(stopped.text)


async def test_a_missing_index_is_told_with_the_command_that_adds_it(demo: Path) -> None:
    """Where the database is kept is told nobody: only the file's name."""
    database(demo, "DROP INDEX idx_session_notes_client_id").close()
    ds = make_datasette(demo)
    for path in (ANNAS, f"{ANNAS}.json"):
        answer = (await opened(ds, path)).text
        assert "sqlite-utils create-index practice.db session_notes client_id" in answer
        assert str(demo.parent) not in answer


async def test_nothing_is_told_of_tables_that_one_may_not_see(demo_file: Path) -> None:
    hidden = {"databases": {"practice": {"tables": {"session_notes": {"allow": False}}}}}
    ds = make_datasette(demo_file, metadata=hidden)
    for path in (ANNAS, f"{ANNAS}.json", "/practice/-/program-export", "/practice/clients/-/program-export"):
        answer = await opened(ds, path)
        assert answer.status_code == 200 and "session_note" not in answer.text


CAUTIONS = [
    ([("_export_format", "csv")], "x.photo holds binary data (2 values): csv writes it as text"),
    ([("_export_format", "csv")], "x.text holds texts that are too long for a spreadsheet's cell (1 value)"),
    ([("_export_format", "programjson")], None),
]


@pytest.mark.parametrize(("pairs", "sentence"), CAUTIONS)
async def test_what_a_format_cannot_hold_is_said_with_its_number(tmp_path: Path, pairs: list, sentence: str) -> None:
    database(
        tmp_path / "x.db",
        "CREATE TABLE x (photo BLOB, text TEXT)",
        "INSERT INTO x VALUES (x'00', 'short'), (x'01', printf('%.*c', 40000, 'x'))",
    ).close()
    page = said((await opened(make_datasette(tmp_path / "x.db"), "/x/x/-/program-export", pairs)).text)
    assert sentence in page if sentence else "holds binary" not in page and "too long" not in page


async def test_what_a_spreadsheet_cannot_open_is_said(tmp_path: Path) -> None:
    connection = database(tmp_path / "x.db", "CREATE TABLE big (id INTEGER PRIMARY KEY)")
    connection.execute(
        "WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 1048576) INSERT INTO big SELECT i FROM n"
    )
    connection.close()
    ds = make_datasette(tmp_path / "x.db")
    sentence = "1,048,576 rows of big: a spreadsheet shows only the first 1,048,575."
    assert sentence in said((await opened(ds, "/x/big/-/program-export", [("_export_format", "csv")])).text)
    assert sentence not in said((await opened(ds, "/x/big/-/program-export?_export_format=programjson")).text)
    assert "no spreadsheet" not in (await opened(ds, "/x/big/-/program-export?id__gt=1&_export_format=csv")).text


async def test_a_reference_that_brings_most_of_the_rows_is_named(tmp_path: Path) -> None:
    connection = database(
        tmp_path / "x.db",
        "CREATE TABLE p (id INTEGER PRIMARY KEY)",
        "CREATE TABLE c (p REFERENCES p)",
        "INSERT INTO p VALUES (1)",
    )
    connection.execute(
        "WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 10000) INSERT INTO c SELECT 1 FROM n"
    )
    connection.close()
    page = said((await opened(make_datasette(tmp_path / "x.db"), "/x/p/1/-/program-export")).text)
    assert "Most of this file, 10,000 rows of c, comes along c.p." in page


async def test_what_is_too_large_is_shown_so_that_it_can_be_made_smaller(demo_file: Path) -> None:
    ds = make_datasette(demo_file, settings={"max_rows": 20})
    page = await opened(ds, ANNAS)
    assert page.status_code == 200
    assert "This is more than the 20 rows that may be exported here at once." in said(page.text)
    assert (await opened(ds, f"{ANNAS}/download")).status_code == 422
    assert "more than the 20" not in (await opened(ds, ANNAS, [("_export_without", "transit_events")])).text


# For everyone


@pytest.mark.parametrize(
    ("language", "number", "size"),
    [
        ("en-US,en;q=0.9", "1,234,567", "1.2 MB"),
        ("de-DE,de;q=0.9,en;q=0.8", "1.234.567", "1,2 MB"),
        ("fr", "1\u202f234\u202f567", "1,2 MB"),
        ("pl", "1\u00a0234\u00a0567", "1,2 MB"),
        ("de-CH", "1’234’567", "1.2 MB"),
        ("en-IN", "12,34,567", "1.2 MB"),
        ("", "1,234,567", "1.2 MB"),
        ("xx;q=nix, *;q=0.1, zz", "1,234,567", "1.2 MB"),
        ("en;q=0.1, es", "1.234.567", "1,2 MB"),
    ],
)
def test_numbers_as_the_readers_language_writes_them(language: str, number: str, size: str) -> None:
    numbers = numbers_for(language)
    assert (numbers(1_234_567), numbers.size(1_234_567)) == (number, size)
    assert numbers(123) == "123" and numbers(-1234).startswith("-")
    assert numbers_for("es")(1234) == "1234" and numbers_for("es")(12345) == "12.345"


async def test_the_page_counts_in_the_readers_way(dated: Path) -> None:
    connection = database(dated, "CREATE TABLE many (id INTEGER PRIMARY KEY)")
    connection.execute(
        "WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 1234) INSERT INTO many SELECT i FROM n"
    )
    connection.close()
    page = await opened(make_datasette(dated), "/d/many/-/program-export", **{"accept-language": "de"})
    assert "1.234 Einträge: 1.234 Einträge aus many." in said(page.text)


async def test_no_words_of_database_people(demo_file: Path) -> None:
    for path in (ANNAS, "/practice/-/program-export", "/practice/clients/-/program-export"):
        words = said((await opened(make_datasette(demo_file), path)).text).lower()
        for word in ("foreign key", "primary key", "closure", "schema", "cascade "):
            assert word not in words.partition("for programs:")[0]


async def test_a_place_for_the_button_of_another_template(demo_file: Path, tmp_path: Path) -> None:
    (tmp_path / "program_export_job_button.html").write_text("<b>{{ job_url }} {{ plan.rows }}</b>")
    ds = make_datasette(demo_file, template_dir=str(tmp_path))
    assert f"<b>{ANNAS}/job 28</b>" in (await opened(ds, ANNAS)).text


async def test_three_hundred_tables_are_one_page(tmp_path: Path) -> None:
    tables = [f"CREATE TABLE t{i} (id INTEGER PRIMARY KEY, p REFERENCES t{i // 3})" for i in range(300)]
    database(tmp_path / "x.db", *tables).close()
    page = (await opened(make_datasette(tmp_path / "x.db"), "/x/-/program-export")).text
    assert page.count('name="_export_without" value="t299"') == 1 and "… and 260 more tables" in page
