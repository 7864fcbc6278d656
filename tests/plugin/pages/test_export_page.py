"""The export page in process: what it tells, what its form means, how the file begins."""

from __future__ import annotations

import html
import re
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from datasette.utils import tilde_encode

from datasette_program_export import Request, export, plan
from datasette_program_export.demo import ANNA, BOB, NOBODY, PASSWORD_HASH
from datasette_program_export.plugin.http.numbers import numbers_for
from datasette_program_export.plugin.request.form import FIND, FROM, MARK, PAGE, SAMPLE, UNTIL
from datasette_program_export.plugin.server.slots import SLOTS
from tests.support.databases.building import database
from tests.support.sites.server import make_datasette

NUMBERS = "WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT {}) "
ANNAS = f"/practice/clients/{ANNA}/-/program-export"


async def opened(ds, path: str, pairs: list[tuple[str, str]] = (), **headers: str):
    return await ds.client.get(f"{path}?{urlencode(pairs)}" if pairs else path, headers=headers)


def said(page: str) -> str:
    """The page's words."""
    return html.unescape(" ".join(re.sub(r"<[^>]+>", " ", page).split()))


async def meant(ds, path: str, pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """The address to which the form's fields lead."""
    answer = await opened(ds, path, [(MARK, "1"), *pairs])
    assert answer.status_code == 302, answer.text
    return parse_qsl(urlsplit(answer.headers["location"]).query, keep_blank_values=True)


@pytest.fixture
def dated(tmp_path: Path) -> Path:
    database(
        tmp_path / "d.db",
        "CREATE TABLE visits (id INTEGER PRIMARY KEY, name TEXT, seen_at DATETIME, day DATE, edate TEXT, paid_date)",
        "INSERT INTO visits VALUES (1, 'a', '2024-05-30 23:59:59', '2024-05-30', 'x', 1),"
        " (2, 'b', '2024-05-31', '2024-05-31', '2024-01-01', 2),"
        " (3, 'c', '2024-05-31T23:59:59.9', '2024-06-01', 'y', 3),"
        " (4, 'd', '2024-06-01 00:00:00', NULL, 'z', 4), (5, 'e', NULL, NULL, NULL, NULL)",
    ).close()
    return tmp_path / "d.db"


# What is told


async def test_the_picture_is_on_the_page_and_the_same_facts_in_words(demo_file: Path) -> None:
    page = (await opened(make_datasette(demo_file), ANNAS)).text
    assert page.count("<svg xmlns") == 1 and 'aria-label="What is exported from practice: Anna Ascendant"' in page
    words = said(page)
    for fact in ("6 readings about 3.4 kB because", "charts birth_data birth_data_id followed 2 1 do not follow"):
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


@pytest.mark.parametrize("rows", [5_000, 50_000])
async def test_a_size_comes_with_its_error(tmp_path: Path, rows: int) -> None:
    connection = database(tmp_path / "x.db", "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT)")
    connection.executemany("INSERT INTO t (a) VALUES (?)", (("x" * (i % 97),) for i in range(rows)))
    connection.execute("INSERT INTO t (id, a) VALUES (100000, 'further away')")
    connection.close()
    made = plan(tmp_path / "x.db", Request(table="t"))
    with export(tmp_path / "x.db", Request(table="t")) as file:
        true = len(b"".join(file))
    assert 0 < made.bytes_error < true / 3 and abs(made.bytes - true) <= made.bytes_error
    few = plan(tmp_path / "x.db", Request(table="t", where=("id <= 40",)))
    assert few.bytes_error == 0 and few.tables[0].sampled.rows == 40  # all were looked at


async def test_rows_are_sampled_from_the_whole_table_not_from_its_start(tmp_path: Path) -> None:
    connection = database(tmp_path / "x.db", "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT)")
    connection.executemany("INSERT INTO t (a) VALUES (?)", (("x" * (1 if i < 1000 else 900),) for i in range(2000)))
    connection.close()
    (table,) = plan(tmp_path / "x.db", Request(table="t")).tables
    assert 700_000 < table.bytes < 1_100_000


async def test_columns_that_are_left_out_are_marked_and_secrets_cannot_be_chosen(demo_file: Path) -> None:
    page = (
        await opened(make_datasette(demo_file), "/practice/-/program-export", [("_export_without", "clients.phone")])
    ).text
    assert 'value="clients.phone" checked' in page and 'value="clients.email">' in page
    assert "<bdi>password_hash</bdi>: not included, named as secret" in page and 'app_config.password_hash"' not in page


async def test_an_edge_can_be_stopped_and_taken_back(demo_file: Path) -> None:
    ds = make_datasette(demo_file)
    assert 'name="_export_stop" value="charts.client_id">' in (await opened(ds, ANNAS)).text
    stopped = await opened(ds, ANNAS, [("_export_stop", "session_notes.client_id")])
    assert 'value="session_notes.client_id" checked' in stopped.text
    assert "session_notes clients client_id not followed, as you asked" in said(stopped.text)
    assert "client_id (stopped)" in stopped.text and "3 session notes" not in said(stopped.text)


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
    assert sentence in page if sentence else "holds" not in page.partition("What is in the file")[0]


async def test_what_a_spreadsheet_cannot_open_is_said(tmp_path: Path) -> None:
    connection = database(tmp_path / "x.db", "CREATE TABLE big (id INTEGER PRIMARY KEY)")
    connection.execute(
        "WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 1048576) INSERT INTO big SELECT i FROM n"
    )
    connection.close()
    ds = make_datasette(tmp_path / "x.db")
    sentence = "1,048,576 rows of big: a spreadsheet shows only the first 1,048,575."
    assert sentence in said((await opened(ds, "/x/big/-/program-export", [("_export_format", "csv")])).text)
    assert sentence not in said((await opened(ds, "/x/big/-/program-export")).text)
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


# What the form means


async def test_fields_that_say_nothing_are_not_in_the_address(demo_file: Path) -> None:
    ds = make_datasette(demo_file)
    fields = [("_export_format", "csv"), ("_export_layout", "pretty"), ("_export_compress", ""), (FIND, "")]
    assert await meant(ds, ANNAS, fields) == [("_export_format", "csv")]
    assert await meant(ds, ANNAS, [("_export_format", "package"), ("_export_compress", "gzip")]) == [
        ("_export_format", "package")
    ]
    alone = [("_export_cascade", "0"), ("_export_parents", "none"), ("_export_stop", "charts.client_id")]
    without = [("_export_without", "charts"), ("_export_without", "clients.phone")]
    assert await meant(ds, ANNAS, [*alone, *without]) == [alone[0], without[1]]
    assert await meant(ds, ANNAS, without) == without


async def test_an_address_that_somebody_wrote_is_taken_at_its_word(demo_file: Path) -> None:
    ds = make_datasette(demo_file)
    assert (await opened(ds, ANNAS, [("_export_parents", "")])).status_code == 400
    assert (await opened(ds, "/practice/clients/-/program-export", [("last_name__gte", "")])).status_code == 200
    for name in (MARK, FIND, PAGE, SAMPLE, f"{FROM}created_at"):
        answer = await opened(ds, "/practice/clients.programjson", [(name, "1")])
        assert answer.status_code == 400 and name in answer.json()["error"]


async def test_the_form_downloads_what_it_shows(demo_file: Path) -> None:
    ds = make_datasette(demo_file)
    fields = [(MARK, "1"), ("_export_layout", "pretty"), ("_export_format", "csv"), ("_export_parents", "")]
    assert (await opened(ds, f"{ANNAS}/download", fields)).headers["content-type"] == "application/zip"


RANGES = [
    ("seen_at", "2024-05-31", "2024-05-31", [2, 3]),
    ("seen_at", "", "2024-05-31", [1, 2, 3]),
    ("seen_at", "2024-05-31", "", [2, 3, 4]),
    ("day", "2024-05-31", "2024-06-01", [2, 3]),
    ("day", "2024-05-30", "9999-12-31", [1, 2, 3]),
    ("seen_at", "", "", [1, 2, 3, 4, 5]),
]


@pytest.mark.parametrize(("column", "first", "last", "expected"), RANGES)
async def test_a_date_range_holds_both_days_with_all_their_times(
    dated: Path, column: str, first: str, last: str, expected: list[int]
) -> None:
    ds = make_datasette(dated)
    fields = [(FROM + column, first), (UNTIL + column, last)]
    kept = await meant(ds, "/d/visits/-/program-export", fields)
    found = (await opened(ds, "/d/visits.programjson", kept)).json()  # the filters are Datasette's own
    assert [row["id"] for row in found["tables"]["visits"]] == expected
    page = (await opened(ds, "/d/visits/-/program-export", kept)).text
    last = "" if last == "9999-12-31" else last  # no bound at all
    assert f'name="{FROM}{column}" value="{first}"' in page and f'name="{UNTIL}{column}" value="{last}"' in page
    assert 'name="seen_at__lt"' not in page  # not carried twice


async def test_dates_are_asked_for_only_where_dates_stand(dated: Path) -> None:
    page = (await opened(make_datasette(dated), "/d/visits/-/program-export")).text
    assert re.findall(rf'name="{re.escape(FROM)}(\w+)"', page) == ["seen_at", "day"]  # not edate, paid_date


@pytest.mark.parametrize("wrong", ["31.5.2024", "2024-02-30", "x"])
async def test_what_is_no_date_is_refused(dated: Path, wrong: str) -> None:
    answer = await opened(make_datasette(dated), "/d/visits/-/program-export", [(MARK, "1"), (FROM + "day", wrong)])
    assert answer.status_code == 400 and "a date is written like 2024-05-31" in answer.text


async def test_filters_of_another_kind_are_carried_on(dated: Path) -> None:
    page = (await opened(make_datasette(dated), "/d/visits/-/program-export?seen_at__gte=2024&name__not=a")).text
    assert 'type="hidden" name="seen_at__gte" value="2024"' in page
    assert 'type="hidden" name="name__not" value="a"' in page


async def test_rows_are_found_by_a_part_of_their_name_page_by_page(demo_file: Path) -> None:
    ds = make_datasette(demo_file)
    base = "/practice/charts/-/program-export"
    offered = re.compile(r'name="_export_record" value="([^"]+)">')
    first = offered.findall((await opened(ds, base)).text)
    second = offered.findall((await opened(ds, base, [(PAGE, "2")])).text)
    assert len(first) == 50 and len(second) == 47 and not set(first) & set(second)
    clients = "/practice/clients/-/program-export"
    found = (await opened(ds, clients, [(FIND, "ascendant ann")])).text
    assert offered.findall(found) == [ANNA]
    assert offered.findall((await opened(ds, clients, [(FIND, "%")])).text) == []  # no wildcard
    assert "Nothing else is called so." in (await opened(ds, clients, [(FIND, "nobody at all")])).text
    filtered = (await opened(ds, clients, [("last_name", "Silva"), (FIND, "maria")])).text
    assert len(offered.findall(filtered)) == 2


async def test_picked_rows_stay_picked_and_are_named(demo_file: Path) -> None:
    ds = make_datasette(demo_file)
    picks = [("_export_record", ANNA), ("_export_record", BOB)]
    page = (
        await opened(ds, "/practice/clients/-/program-export", [*picks, (FIND, "nadja"), ("last_name__not", "x")])
    ).text
    for record, name in ((ANNA, "Anna Ascendant"), (BOB, "Bob Bicoastal")):
        assert re.search(rf'name="_export_record" value="{record}" checked> {name}', page)
    assert f'name="_export_record" value="{NOBODY}">' in page
    assert 'name="last_name__not" value="x"' in page  # the rest can still be picked from
    assert "2 clients" in said(page)


async def test_the_names_to_pick_from_hold_no_secret(tmp_path: Path) -> None:
    database(
        tmp_path / "x.db",
        "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT)",
        "INSERT INTO t VALUES (1, 'hushed'), (2, 'hidden')",
    ).close()
    ds = make_datasette(tmp_path / "x.db", settings={"secrets": {"t": ["name"]}})
    for find in ("", "hush"):
        page = (await opened(ds, "/x/t/-/program-export", [(FIND, find)])).text
        assert "hushed" not in page and "hidden<" not in page
    assert 'value="1"> 1' not in page  # nor does a search tell


@pytest.mark.parametrize("page", ["0", "-1", "x", "9999999999"])
async def test_a_page_is_a_number(demo_file: Path, page: str) -> None:
    assert (
        await opened(make_datasette(demo_file), "/practice/clients/-/program-export", [(PAGE, page)])
    ).status_code == 400


# How the file begins


def beginning(page: str) -> str:
    """The text of the sample."""
    (found,) = re.findall(r'<pre tabindex="0" role="region"[^>]*>(.*?)</pre>', page, re.DOTALL)
    return html.unescape(re.sub(r"<span.*?</span>", "", found))


@pytest.mark.parametrize("name", ["csv", "tsv", "ndjson"])
async def test_the_first_rows_are_shown_exactly_as_they_will_be(demo_file: Path, name: str) -> None:
    ds = make_datasette(demo_file)
    pairs = [("country", "Brazil"), ("_export_format", name)]
    page = (await opened(ds, "/practice/birth_data/-/program-export", [*pairs, (SAMPLE, "1")])).text
    file = (await opened(ds, "/practice/birth_data/-/program-export/download", pairs)).text.replace("\r\n", "\n")
    shown = beginning(page).strip("\n")
    assert shown and file.startswith(shown[:3000])


async def test_the_beginning_of_a_document_shows_rows_too(demo_file: Path) -> None:
    page = (await opened(make_datasette(demo_file), "/practice/-/program-export", [(SAMPLE, "1")])).text
    shown = beginning(page)
    assert shown.startswith('{"format":"programjson"') and "bytes of description are not shown here" in page
    assert '"app_version"' in shown and PASSWORD_HASH not in page


@pytest.mark.parametrize(
    ("pairs", "sentence"),
    [
        ([("_export_format", "package")], "The file is a zip"),
        ([("_export_format", "sqlite")], "The file is a database"),
        ([("_export_compress", "gzip")], "The file is compressed (gzip)"),
    ],
)
async def test_of_a_file_that_is_no_text_it_is_said_what_it_is(demo_file: Path, pairs: list, sentence: str) -> None:
    assert sentence in said((await opened(make_datasette(demo_file), ANNAS, [*pairs, (SAMPLE, "1")])).text)


async def test_a_look_at_the_beginning_is_limited_and_not_logged(demo_file: Path, tmp_path: Path) -> None:
    ds = make_datasette(demo_file, settings={"max_concurrent_exports": 1, "audit_log": str(tmp_path / "log")})
    assert "Anna" in beginning((await opened(ds, ANNAS, [(SAMPLE, "1")])).text)
    assert SLOTS.taken == 0 and not (tmp_path / "log").read_bytes()
    SLOTS.take(1)
    try:
        page = await opened(ds, ANNAS, [(SAMPLE, "1")])
    finally:
        SLOTS.give_back()
    assert page.status_code == 200 and "Too many exports are running at once." in said(page.text)


async def test_what_would_take_too_long_to_begin_is_broken_off(demo_file: Path) -> None:
    slow = "with recursive n(i) as (select 1 union all select i + 1 from n) select max(i) from n"
    ds = make_datasette(demo_file, settings={"plan_seconds": 0.2})
    ds._settings["sql_time_limit_ms"] = 60_000
    page = await opened(ds, "/practice/-/program-export", [("sql", slow), (SAMPLE, "1")])
    assert page.status_code in (200, 429) and SLOTS.taken == 0


async def test_secrets_are_not_shown_before_they_are_logged(demo_file: Path) -> None:
    ds = make_datasette(demo_file, settings={"allow_secrets": True})
    page = (await opened(ds, "/practice/-/program-export", [("_export_secrets", "include"), (SAMPLE, "1")])).text
    assert "they only leave with a line in the log" in page and PASSWORD_HASH not in page


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
    assert "1.234 rows" in said(page.text) and '<data value="1234">1.234</data>' in page.text


async def test_no_words_of_database_people(demo_file: Path) -> None:
    for path in (ANNAS, "/practice/-/program-export", "/practice/clients/-/program-export"):
        words = said((await opened(make_datasette(demo_file), path)).text).lower()
        for word in ("foreign key", "primary key", "closure", "schema", "cascade "):
            assert word not in words.partition("for programs:")[0]


async def test_a_place_for_the_button_of_another_template(demo_file: Path, tmp_path: Path) -> None:
    (tmp_path / "program_export_job_button.html").write_text("<b>{{ job_url }} {{ plan.rows }}</b>")
    ds = make_datasette(demo_file, template_dir=str(tmp_path))
    assert f"<b>{ANNAS}/job 28</b>" in (await opened(ds, ANNAS)).text


async def test_options_of_csv_are_shown_with_a_sentence_each(demo_file: Path) -> None:
    shown = (await opened(make_datasette(demo_file), ANNAS)).text
    assert '<option value="spreadsheet">spreadsheet: to open in Excel or LibreOffice, ' in shown
    assert '<option value=";">semicolon</option>' in shown
    fields = [("_export_dialect", "spreadsheet"), ("_export_delimiter", ";"), ("_export_members", "tsv")]
    ds = make_datasette(demo_file)
    assert await meant(ds, ANNAS, [("_export_format", "csv"), *fields]) == [("_export_format", "csv"), *fields[:2]]
    assert await meant(ds, ANNAS, [("_export_format", "tsv"), *fields]) == [("_export_format", "tsv"), fields[0]]
    assert await meant(ds, ANNAS, [("_export_format", "ndjson"), *fields]) == [("_export_format", "ndjson")]


async def test_several_tables_are_offered_as_a_package_and_one_as_a_document(demo_file: Path) -> None:
    ds = make_datasette(demo_file)

    async def chosen(path: str, *pairs: tuple[str, str]) -> list[str]:
        page = (await opened(ds, path, list(pairs))).text
        return re.findall(r'name="_export_format" value="(\w+)" checked', page)

    assert await chosen(ANNAS) == ["package"]
    assert await chosen(ANNAS, ("_export_format", "programjson")) == ["programjson"]
    assert await chosen("/practice/clients/-/program-export") == ["programjson"]


async def test_three_hundred_tables_are_one_page(tmp_path: Path) -> None:
    tables = [f"CREATE TABLE t{i} (id INTEGER PRIMARY KEY, p REFERENCES t{i // 3})" for i in range(300)]
    database(tmp_path / "x.db", *tables).close()
    page = (await opened(make_datasette(tmp_path / "x.db"), "/x/-/program-export")).text
    assert page.count('name="_export_without" value="t299"') == 1 and "… and 260 more tables" in page
