"""A package describes itself to anyone: Data Package validators, unzip programs, people."""

from __future__ import annotations

import csv
import io
import os
import re
import shutil
import subprocess
import zipfile
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest
from frictionless import Package, system, validate
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from datasette_program_export import Request, export, verify
from datasette_program_export.demo import ANNA
from datasette_program_export.errors import RequestError
from datasette_program_export.exporting.row_spool import RowSpool
from datasette_program_export.formats.description.column_facts import survey
from tests.support.databases.building import database
from tests.support.databases.strategies import VALUES
from tests.support.files.packages import MOMENT, made, opened, valid

PAIR = (
    "CREATE TABLE p (id INTEGER PRIMARY KEY, name TEXT UNIQUE, code TEXT UNIQUE COLLATE NOCASE)",
    """CREATE TABLE c (id INTEGER PRIMARY KEY, p REFERENCES p, code REFERENCES p (code), of REFERENCES c, x,
       UNIQUE (p, x))""",
    "INSERT INTO p VALUES (1, 'a;b', 'A'), (2, '', 'B')",
    "INSERT INTO c VALUES (10, 1, 'a', NULL, 1.5), (11, 2, 'b', 10, X'00')",
)


def test_what_is_in_it_and_in_which_order() -> None:
    archive, found, _ = opened(made(*PAIR))
    assert archive.namelist() == ["data/p.csv", "data/c.csv", "README.txt", "datapackage.json"]
    assert archive.testzip() is None
    assert {info.date_time for info in archive.infolist()} == {(2026, 11, 24, 4, 5, 6)}
    assert found["$schema"] == "https://datapackage.org/profiles/2.0/datapackage.json"
    assert list(found["program_export"]) == [
        "format", "version", "export", "schema", "dialect", "coverage", "files", "integrity",
    ]  # fmt: skip


def test_the_same_data_gives_the_same_bytes_at_any_time_but_the_stated_one() -> None:
    assert made(*PAIR) == made(*PAIR)
    with closing(database(None, *PAIR)) as connection:
        other = b"".join(export(connection, Request(format="package"), created_at=MOMENT.replace(year=2025)))
    one, two = zipfile.ZipFile(io.BytesIO(made(*PAIR))), zipfile.ZipFile(io.BytesIO(other))
    changed = [name for name in one.namelist() if one.read(name) != two.read(name)]
    assert changed == ["README.txt", "datapackage.json"]


def test_columns_are_typed_by_what_they_hold_and_constraints_are_those_that_hold() -> None:
    _, _, resources = opened(made(*PAIR))
    parent, child = resources["p"]["schema"], resources["c"]["schema"]
    types = {f["name"]: f["type"] for f in child["fields"]}
    assert types == {"id": "integer", "p": "integer", "code": "string", "of": "integer", "x": "any"}
    assert (parent["primaryKey"], sorted(parent["uniqueKeys"])) == (["id"], [["code"], ["name"]])
    assert child["uniqueKeys"] == [["p", "x"]]
    # a reference that only holds without regard to case is not what the standard means by one
    assert child["foreignKeys"] == [
        {"fields": ["p"], "reference": {"resource": "p", "fields": ["id"]}},
        {"fields": ["of"], "reference": {"fields": ["id"]}},
    ]


def test_a_reference_that_dangles_is_told_and_not_stated_as_a_constraint() -> None:
    content = made(*PAIR, "INSERT INTO c VALUES (12, 99, NULL, NULL, NULL)")
    _, found, resources = opened(content)
    assert [k["fields"] for k in resources["c"]["schema"]["foreignKeys"]] == [["of"]]
    assert [(d["columns"], d["rows"]) for d in found["program_export"]["coverage"]["dangling"]] == [(["p"], 1)]


NULLS = {
    "NULL alone": ([None, "x"], b"1,\r\n2,x\r\n", [""]),
    "empty text alone": (["", "x"], b'1,""\r\n2,x\r\n', []),
    "both": ([None, "", "x"], b'1,NULL\r\n2,""\r\n3,x\r\n', ["NULL"]),
    "both, and the word itself": ([None, "", "NULL"], b'1,NULL_\r\n2,""\r\n3,NULL\r\n', ["NULL_"]),
    "both, and longer words": ([None, "", "NULL__", "NULLs"], None, ["NULL___"]),
    "neither": (["a", "NULL"], b"1,a\r\n2,NULL\r\n", []),
    "numbers": ([None, 1, 2.0, float("-inf")], b"1,\r\n2,1\r\n3,2.0\r\n4,-Infinity\r\n", [""]),
    "bytes": ([b"\0\xff", None], b"1,AP8=\r\n2,\r\n", [""]),
    "bytes, and none of them": ([b"", None, b"\x35\x42\xcb"], b'1,""\r\n2,NULL_\r\n3,NULL\r\n', ["NULL_"]),
    "mixed": ([1, "1", None, b"1", ""], None, [""]),
}


@pytest.mark.parametrize("case", NULLS)
def test_null_is_told_from_an_empty_text_in_every_column(case: str) -> None:
    values, lines, missing = NULLS[case]
    with closing(database(None, "CREATE TABLE t (id INTEGER PRIMARY KEY, v)")) as connection:
        connection.executemany("INSERT INTO t VALUES (?, ?)", enumerate(values, 1))
        content = b"".join(export(connection, Request(format="package")))
    archive, _, resources = opened(content)
    assert resources["t"]["schema"]["fields"][1]["missingValues"] == missing
    if lines is not None:
        assert archive.read("data/t.csv") == b"id,v\r\n" + lines


def test_a_single_column_has_no_empty_lines() -> None:
    archive, _, resources = opened(made("CREATE TABLE t (v)", "INSERT INTO t VALUES (NULL), ('x')"))
    assert archive.read("data/t.csv").splitlines() == [b"v", b"NULL", b"x"] and resources["t"]["bytes"] == 12


@pytest.mark.parametrize("members", ["csv", "tsv", "ndjson"])
def test_frictionless_finds_nothing_wrong(tmp_path: Path, members: str) -> None:
    content = made(*PAIR, members=members)
    report = valid(tmp_path, content)
    assert report.valid, report.to_summary()
    assert report.stats["tasks"] == 2


def test_frictionless_finds_a_row_that_was_changed(tmp_path: Path) -> None:
    zipfile.ZipFile(io.BytesIO(made(*PAIR))).extractall(tmp_path / "p")
    file = tmp_path / "p" / "data" / "c.csv"
    file.write_bytes(file.read_bytes().replace(b"11,2,", b"11,3,"))
    with system.use_context(trusted=True):
        report = validate(str(tmp_path / "p" / "datapackage.json"))
    assert {"hash-count", "foreign-key"} & {e[0] for e in report.flatten(["type"])}
    assert "foreign-key" in {e[0] for e in report.flatten(["type"])}


def test_frictionless_reads_the_demo_and_the_rows_are_the_database_s(tmp_path: Path, demo_file: Path) -> None:
    with export(demo_file, Request(format="package")) as export_:
        content = b"".join(export_)
    report = valid(tmp_path, content)
    assert report.valid, report.to_summary()
    package = Package(str(tmp_path / "unpacked" / "datapackage.json"))
    with closing(database(None)) as connection:
        connection.execute("ATTACH ? AS demo", (str(demo_file),))
        for resource in package.resources:
            names = [f.name for f in resource.schema.fields]
            rows = connection.execute(f"SELECT {', '.join(names)} FROM demo.{resource.title}").fetchall()
            read = [
                tuple(float(v) if isinstance(v, Decimal) else v for v in row.values()) for row in resource.read_rows()
            ]
            assert sorted(map(repr, rows)) == sorted(map(repr, read))


@pytest.mark.skipif("PROGRAM_EXPORT_DATA" not in os.environ, reason="PROGRAM_EXPORT_DATA names no folder of databases")
def test_frictionless_finds_nothing_wrong_with_real_databases(tmp_path: Path) -> None:
    for path in sorted(Path(os.environ["PROGRAM_EXPORT_DATA"]).glob("*.db")):
        with export(path, Request(format="package")) as export_:
            content = b"".join(export_)
        report = valid(tmp_path / path.stem, content)
        assert report.valid, (path.name, report.to_summary())


@pytest.mark.parametrize(
    ("program", "words"),
    [("unzip", ["unzip", "-tq"]), ("7z", ["7z", "t", "-bd"]), ("bsdtar", ["bsdtar", "-tf"]), ("python", None)],
)
def test_other_programs_open_it(tmp_path: Path, program: str, words: list[str] | None) -> None:
    if words is not None and shutil.which(program) is None:
        pytest.skip(f"{program} is not installed here")
    (tmp_path / "p.zip").write_bytes(made(*PAIR))
    command = (
        [*words, str(tmp_path / "p.zip")] if words else ["python3", "-m", "zipfile", "-t", str(tmp_path / "p.zip")]
    )
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_stream_can_be_unpacked_before_its_end_is_there() -> None:
    if shutil.which("bsdtar") is None:
        pytest.skip("bsdtar is not installed here")
    content = made(*PAIR)
    done = subprocess.run(["bsdtar", "-xOf", "-", "data/p.csv"], input=content, capture_output=True)
    assert done.stdout == zipfile.ZipFile(io.BytesIO(content)).read("data/p.csv")


def test_names_are_safe_everywhere_and_the_map_is_in_the_description() -> None:
    odd = ["CON", "a/b", "a:b", "É", "é", ".hidden", "aux.txt", "x" * 150, "..", "A", "Ａ", "漢字"]
    quoted = ['"' + name.replace('"', '""') + '"' for name in odd]
    archive, _, resources = opened(made(*(f"CREATE TABLE {name} (v)" for name in quoted)))
    names = [n for n in archive.namelist() if n.startswith("data/")]
    assert len({n.casefold() for n in names}) == len(odd) and list(resources) == odd
    assert len({r["name"] for r in resources.values()}) == len(odd)
    for name in names:
        base = name.removeprefix("data/")
        assert not base.startswith(".") and not set(base) & set('<>:"/\\|?*') and len(base) <= 110
        assert not re.fullmatch(r"(con|aux)(\..*)?", base, re.IGNORECASE)
    assert all(re.fullmatch(r"[a-z0-9._-]+", r["name"]) for r in resources.values())


def test_the_readme_tells_a_person_what_this_is(demo_file: Path) -> None:
    with export(demo_file, Request(format="package", table="clients", records=((ANNA,),)), created_at=MOMENT) as made_:
        text = opened(b"".join(made_))[0].read("README.txt").decode()
    assert "Data from practice, taken on 2026-11-24 at 04:05:06 UTC" in text
    assert "1 record of clients, with what belongs to it" in text
    assert re.search(r"data/charts\.csv +3  charts", text)
    assert "of a person not asked for: not included" in text
    assert "datasette program-export verify" in text and max(map(len, text.splitlines())) < 200


def test_the_dialect_for_spreadsheets_is_not_for_import_and_still_proven(tmp_path: Path) -> None:
    content = made(*PAIR, dialect="spreadsheet", delimiter=";")
    archive, found, resources = opened(content)
    assert found["program_export"]["dialect"] == {"name": "spreadsheet", "delimiter": ";", "importable": False}
    assert archive.read("data/p.csv").startswith(b"\xef\xbb\xbfid;")
    assert "spreadsheet" in archive.read("README.txt").decode()
    (tmp_path / "p.zip").write_bytes(content)
    report = verify(tmp_path / "p.zip")
    assert report.status == "complete" and not report.references_checked and report.rows == 4
    assert resources["p"]["dialect"]["delimiter"] == ";"


def test_members_go_with_packages_only() -> None:
    with pytest.raises(RequestError, match="members goes with the format package only"):
        Request(format="csv", members="tsv")


def test_a_query_is_not_run_twice_to_look_at_its_values(tmp_path: Path) -> None:
    """What is random, or slow, gives the same rows to the look and to the file."""
    sql = "SELECT abs(random()) AS r, CASE WHEN value % 2 THEN '' END AS t, randomblob(3) AS b FROM v LIMIT 5000"
    numbers = "CREATE VIEW v AS WITH RECURSIVE n(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n) SELECT * FROM n"
    (tmp_path / "p.zip").write_bytes(made(numbers, sql=sql))
    report = verify(tmp_path / "p.zip")
    assert report.status == "complete" and report.rows == 5000


@settings(deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.lists(st.tuples(VALUES, VALUES), min_size=1, max_size=20), max_size=4))
def test_rows_put_aside_come_back_the_same(batches: list) -> None:
    with closing(RowSpool(None)) as spool:
        assert list(spool.taken(batches)) == batches
        assert repr(list(spool.given())) == repr(batches)


@settings(deadline=None, max_examples=50, suppress_health_check=list(HealthCheck))
@given(column=st.lists(VALUES, min_size=1, max_size=20))
def test_the_word_for_null_is_no_value_of_the_column(column: list) -> None:
    (facts,) = survey([[(value,) for value in column]], 1)
    assert facts.null not in column or (facts.null == "" and None not in column)
    assert not (None in column and facts.null == "")


def test_the_plain_tables_are_read_by_python(tmp_path: Path) -> None:
    archive = opened(made(*PAIR))[0]
    rows = list(csv.DictReader(io.StringIO(archive.read("data/c.csv").decode(), newline="")))
    assert [row["p"] for row in rows] == ["1", "2"]


def test_what_is_compressed_already_is_not_compressed_again(tmp_path: Path) -> None:
    picture = b"\x89PNG\r\n\x1a\n" + b"the same " * 9000
    with closing(database(tmp_path / "a.db", "CREATE TABLE t (id INTEGER PRIMARY KEY, a BLOB)")) as connection:
        connection.execute("INSERT INTO t VALUES (1, ?), (2, ?)", (picture, b"%PDF-" + picture))
        connection.commit()
    data = b"".join(export(tmp_path / "a.db", Request(format="package")))
    with zipfile.ZipFile(io.BytesIO(data)) as found:
        sizes = {i.filename.rpartition(".")[2]: i.compress_size for i in found.infolist() if "/a/" in i.filename}
        assert all(i.compress_type == zipfile.ZIP_DEFLATED for i in found.infolist())  # which every program unpacks
    assert sizes["png"] >= len(picture) and sizes["pdf"] < 2000
