"""The two dialects of csv: one reads back, the other is for the eyes of somebody with a spreadsheet."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from contextlib import closing
from math import inf
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner
from hypothesis import example, given
from hypothesis import strategies as st

from datasette_program_export import Request
from datasette_program_export.cli.main import program_export
from datasette_program_export.errors import RequestError, SettingsError, UnsupportedError
from datasette_program_export.formats.csv.spreadsheet import guarded, overflow
from datasette_program_export.formats.csv.writing import CsvLines, SpreadsheetLines
from datasette_program_export.formats.dataset import Field, TableStream
from datasette_program_export.formats.registry import get_format
from datasette_program_export.options.grammar import arguments, format_options, parse_options
from datasette_program_export.options.settings import parse_settings
from tests.support.databases.building import database, exported
from tests.support.sites.server import make_datasette

# (text, whether a spreadsheet would take it for something else)
TEXTS = [
    ("+1-555-0123", True),
    ("00123", True),
    ("1e5", True),
    ("2024-05-01", True),
    ("2024-05-01T12:30:00.123456+02:00", True),
    ("1/2", True),
    ("1 1/2", True),
    ("12:30", True),
    ("10%", True),
    ("5 €", True),
    ("5 de mayo de 2024", True),
    ("MAR1", True),
    ("12345678901234567890", True),
    ("1" * 60, True),
    ("12345678901234567890123456789e12", True),
    ("true", True),
    ("１２", True),
    ("=1+1", True),
    ('=HYPERLINK("http://x","a;b")', True),
    ("@SUM(A1)", True),
    ("-x", True),
    (" =1+1", True),
    ("\t=1", True),
    ("＝1+1", True),
    ("＠x", True),
    ("Anna", False),
    ("Müller; Töchter", False),
    ("a0000000-0000-4000-8000-000000000001", False),
    ("b1fb022873961fe2b1bb68f7027fe871", False),
    ("On 5 May 2024 she moved to Rio", False),
    ("true love", False),
    ("'quoted", False),
    ("", False),
]
CONSTANT = re.compile(r'="(?:[^"\r\n]|""){0,510}"')  # a formula that is only a text
STARTS = re.compile(r"\s*[=+\-@＝＋－＠]|[\t\r\n]")
texts = st.one_of(
    st.text(max_size=12),
    st.text("=+-@\t\r\n 0123456789.,:/eE;\"'＝tTruefalsZ", max_size=12),
    st.sampled_from([text for text, _ in TEXTS]),
)
values = st.one_of(
    texts, st.none(), st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False), st.binary(max_size=6),
    st.sampled_from(["\udcff", "x\udcff", 10**15, 1 - 10**15, b"\xfb\xef"]),
)  # fmt: skip
delimiters = st.sampled_from([",", ";", "\t", "|"])


def read(data: bytes, delimiter: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(data.decode().replace("\0", "␀"), newline=""), delimiter=delimiter))


def shown(cell: str) -> str:
    """What a spreadsheet shows for a guarded cell."""
    if CONSTANT.fullmatch(cell):
        return cell[2:-1].replace('""', '"')
    return cell[1:] if cell[:1] == "'" else cell


@pytest.mark.parametrize(("text", "expected"), TEXTS)
def test_a_text_that_would_be_taken_for_something_else_is_guarded(text: str, expected: bool) -> None:
    lines = SpreadsheetLines(",", 2)
    ((first, second),) = read(f"{lines.cell(text)},".encode(), ",")
    assert (first, second) == (guarded(text) if expected else text, "")
    assert read(lines([(text, None)]), ",") == [[first, second]]


def test_what_a_constant_formula_cannot_hold_has_an_apostrophe() -> None:
    rows = [("- milk\n- bread", "=" + "x" * 254), ("-\r", "=" + "x" * 255)]
    first, second = read(SpreadsheetLines(",", 2)(rows), ",")
    assert first == ["'- milk\n- bread", '="=' + "x" * 254 + '"']
    assert second == ["'-\r", "'=" + "x" * 255]


@given(st.lists(st.tuples(values, values), min_size=1, max_size=30), delimiters)
@example([("+x", "=cmd|' /C calc'!A0"), ("\tx", b"\xfb\xef\xbe")], ";")
def test_no_text_is_a_formula_in_a_spreadsheet_and_numbers_stay_numbers(rows: list[tuple], delimiter: str) -> None:
    found = read(SpreadsheetLines(delimiter, 2)(rows), delimiter)
    assert len(found) == len(rows) and all(len(row) == 2 for row in found)
    for row, cells in zip(rows, found):
        for value, cell in zip(row, cells):
            if value is None:
                assert cell == ""
            elif isinstance(value, (str, bytes)):
                assert not STARTS.match(cell) or CONSTANT.fullmatch(cell)
                if isinstance(value, str) and not re.search(r"[\ud800-\udfff]", value) and value[:1] != "'":
                    assert shown(cell) == value.replace("\0", "␀")
            elif isinstance(value, int) and abs(value) >= 10**15:
                assert cell == f'="{value}"'
            else:
                assert float(cell) == value and "=" not in cell


@given(st.lists(st.tuples(values, values), min_size=1, max_size=40), delimiters)
@example([("true", "2024-05-01"), ("falſe", "2024-05-01T12:30:00Z")], ",")
@example([("a", "a")] * 9, ",")
@example([("two\nlines", "5\n6")], ",")
def test_columns_are_written_for_a_spreadsheet_as_their_cells_are(rows: list[tuple], delimiter: str) -> None:
    lines = SpreadsheetLines(delimiter, 2)
    by_cell = "".join(delimiter.join(map(lines.cell, row)) + "\r\n" for row in rows).encode()
    assert lines(rows) == by_cell == lines(rows)  # again, with the words that it knows by now


@given(st.lists(texts.filter(lambda t: "\0" not in t and t.isprintable()), min_size=4, max_size=40))
def test_a_column_of_texts_is_written_as_its_cells_are(column: list[str]) -> None:
    lines = SpreadsheetLines(";", 1)
    assert lines([(text,) for text in column]) == "".join(lines.cell(text) + "\r\n" for text in column).encode()


@given(st.lists(st.tuples(texts | st.none(), texts | st.none()), min_size=1, max_size=20), delimiters)
def test_exact_reads_back_with_null_apart_from_an_empty_text(rows: list[tuple], delimiter: str) -> None:
    data = CsvLines(delimiter, 2)(rows)
    assert read(data, delimiter) == [[(v or "").replace("\0", "␀") for v in row] for row in rows]
    for null, empty in ((None, ""), ("", None)):
        assert CsvLines(delimiter, 2)([(null, empty)]) == (delimiter.join(["", '""'][:: 1 if null is None else -1])
                                                          + "\r\n").encode()  # fmt: skip


def test_exact_is_what_a_csv_is_by_default() -> None:
    connection = database(None, 'CREATE TABLE t ("=a" TEXT, n)', "INSERT INTO t VALUES ('=1;', 1), ('', 2.5)")
    plain = exported(connection, "t", format="csv")
    assert plain == b'=a,n\r\n=1;,1\r\n"",2.5\r\n' == exported(connection, "t", format="csv", dialect="exact")
    assert exported(connection, "t", format="csv", delimiter=";") == b'=a;n\r\n"=1;";1\r\n"";2.5\r\n'


def test_a_spreadsheet_begins_with_its_mark_and_a_guarded_header() -> None:
    connection = database(None, 'CREATE TABLE t ("=a" TEXT, "2024", n)', "INSERT INTO t VALUES ('', NULL, 1e300)")
    asked = {"format": "csv", "dialect": "spreadsheet", "delimiter": ";"}
    assert exported(connection, "t", **asked) == (b'\xef\xbb\xbf"=""=a""";"=""2024""";n\r\n;;1e300\r\n')
    tabs = exported(connection, "t", format="tsv", dialect="spreadsheet")
    assert tabs == b'\xef\xbb\xbf"=""=a"""\t"=""2024"""\tn\r\n\t\t1e300\r\n'


def test_what_does_not_fit_into_a_spreadsheet_is_written_whole_and_told(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    long = [("x" * 32_767,), ("y" * 32_768,), ("😀" * 16_384,), ("-" * 40_000,)]
    with closing(database(path, "CREATE TABLE t (note TEXT, b BLOB)", "CREATE TABLE u (a)")) as connection:
        connection.executemany("INSERT INTO t (note) VALUES (?)", long)
        connection.execute("INSERT INTO t (b) VALUES (zeroblob(24573))")  # of which base64 has 32,764 characters
        connection.execute("INSERT INTO t (b) VALUES (zeroblob(24576))")
        connection.commit()
    told = "t.note: 3 cell(s) are longer than the 32,767 characters", "t.b: 1 cell(s) are longer than the 32,767"
    options = ["--dialect", "spreadsheet", "-o"]
    result = CliRunner().invoke(program_export, ["table", str(path), "t", *options, str(tmp_path / "t.csv")])
    assert result.exit_code == 0 and all(line in result.output for line in told)
    before = csv.field_size_limit(100_000)
    rows = read((tmp_path / "t.csv").read_bytes()[3:], ",")
    csv.field_size_limit(before)
    assert [row[0] for row in rows[1:4]] == [text for (text,) in long[:3]] and rows[4][0] == "'" + long[3][0]
    result = CliRunner().invoke(program_export, ["database", str(path), "-f", "csv", *options, str(tmp_path / "t.zip")])
    assert result.exit_code == 0 and all(line in result.output for line in told)
    about = json.loads(zipfile.ZipFile(tmp_path / "t.zip").read("datapackage.json"))["program_export"]
    assert [w[:20] for w in about["coverage"]["warnings"]] == [line[:20] for line in told]
    result = CliRunner().invoke(program_export, ["table", str(path), "t", "-o", str(tmp_path / "exact.csv")])
    assert result.exit_code == 0 and "32,767" not in result.output


def test_more_lines_and_columns_than_a_spreadsheet_holds_are_told() -> None:
    def batches() -> Iterator[list]:
        yield from ([(None,)] * 2**16 for _ in range(16))  # with the header one line too many

    table = TableStream("t", (Field("a", "TEXT"),), batches())
    request = Request(table="t", format="csv", dialect="spreadsheet")
    encode = get_format("csv").encode_table
    assert encode is not None and sum(chunk.count(b"\r\n") for chunk in encode(table, request)) == 2**20 + 1
    (warning,) = table.warnings
    assert warning.startswith("t: 1,048,577 lines with the header, and a spreadsheet holds 1,048,576; ")
    assert overflow("t", ["a"], [0], 2**20) == [] == overflow("t", ["a"] * 16_384, [0] * 16_384, 1)
    (warning,) = overflow("t", ["a"] * 16_385, [0] * 16_385, 1)
    assert warning.startswith("t: 16,385 columns, and a spreadsheet holds 16,384; ")


def test_several_tables_are_a_zip_that_tells_its_dialect() -> None:
    def archive(**asked: str) -> zipfile.ZipFile:
        connection = database(None, "CREATE TABLE a (x)", "CREATE TABLE b (y)", "INSERT INTO a VALUES ('+1')")
        return zipfile.ZipFile(io.BytesIO(exported(connection, None, **asked)))

    for form in ("csv", "package"):
        found = archive(format=form, dialect="spreadsheet", delimiter="semicolon")
        assert (
            found.read("data/a.csv") == b'\xef\xbb\xbfx\r\n"=""+1"""\r\n'
            and found.read("data/b.csv") == b"\xef\xbb\xbfy\r\n"
        )
        about = json.loads(found.read("datapackage.json"))["program_export"]
        assert about["dialect"] == {"name": "spreadsheet", "delimiter": ";", "importable": False}
    about = json.loads(archive(format="tsv").read("datapackage.json"))["program_export"]
    assert about["dialect"] == {"name": "exact", "delimiter": "\t", "importable": True}


WRONG = ["", ",,", '"', "'", "\r", "\n", "a", "7", " ", ".", "-", "+", "=", "@", "/", "\0", "§", "；", "\udcff", "tabs"]


@pytest.mark.parametrize("delimiter", WRONG)
def test_a_delimiter_that_nobody_could_read_is_refused(delimiter: str, tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="delimiter: must be comma, semicolon, tab, pipe, or one sign"):
        Request(table="t", format="csv", **parse_options([("_export_delimiter", delimiter)]))
    database(tmp_path / "x.db", "CREATE TABLE t (a)").close()
    words = ["table", str(tmp_path / "x.db"), "t", "-f", "csv", "--delimiter", delimiter]
    result = CliRunner().invoke(program_export, words)
    assert result.exit_code == 2 and "delimiter: must be comma" in result.output


@pytest.mark.parametrize("delimiter", list(",;\t|:~^#!$%&*_<>?()[]{}\\`") + ["comma", "semicolon", "tab", "pipe"])
def test_a_delimiter_is_a_word_or_the_character_and_comes_back_from_text(delimiter: str) -> None:
    request = Request(table="t", format="csv", dialect="spreadsheet", delimiter=delimiter)
    assert request.delimiter == {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|"}.get(delimiter, delimiter)
    assert Request(table="t", **parse_options(format_options(request))) == request
    words = arguments(request, "x.db")
    assert words[words.index("--delimiter") + 1] == ("tab" if delimiter in ("\t", "tab") else request.delimiter)


@pytest.mark.parametrize("form", ["programjson", "ndjson"])
@pytest.mark.parametrize("asked", [{"dialect": "spreadsheet"}, {"delimiter": ";"}])
def test_a_format_without_dialects_says_with_which_it_goes(form: str, asked: dict) -> None:
    connection = database(None, "CREATE TABLE t (a)")
    with pytest.raises(UnsupportedError, match=rf"{next(iter(asked))} goes with csv, tsv and \w+, not with {form}"):
        exported(connection, "t", format=form, **asked)


def test_a_tsv_keeps_its_tab() -> None:
    connection = database(None, "CREATE TABLE t (a, b)")
    assert exported(connection, "t", format="tsv", delimiter="tab") == b"a\tb\r\n"
    with pytest.raises(UnsupportedError, match="tsv has a tab between its fields; for another delimiter, take csv"):
        exported(connection, "t", format="tsv", delimiter=";")


async def test_the_dialect_by_its_address(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    database(path, "CREATE TABLE t (a, b)", "INSERT INTO t VALUES ('00123', 5)").close()
    profiles = {"excel": {"format": "csv", "dialect": "spreadsheet", "delimiter": "semicolon"}}
    client = make_datasette(path, settings={"profiles": profiles}).client
    sheet = b'\xef\xbb\xbfa;b\r\n"=""00123""";5\r\n'
    answer = await client.get("/x/t.programcsv?_export_dialect=spreadsheet&_export_delimiter=;")
    assert (answer.status_code, answer.content) == (200, sheet)
    answer = await client.get("/x/t/-/program-export/download?_export_profile=excel")
    assert (answer.status_code, answer.content) == (200, sheet)
    for query, status, said in (
        ("t.programcsv?_export_delimiter=x", 400, "delimiter: must be comma"),
        ("t.programcsv?_export_dialect=excel", 400, "_export_dialect must be exact or spreadsheet"),
        ("t.programjson?_export_dialect=spreadsheet", 422, "dialect goes with csv"),
    ):
        answer = await client.get(f"/x/{query}")
        assert answer.status_code == status and said in answer.json()["error"]
    # in the page's form the dialect stands beside every format
    answer = await client.get("/x/t/-/program-export/download?_export_format=programjson&_export_dialect=spreadsheet")
    assert answer.status_code == 200 and answer.json()["tables"]["t"] == [{"a": "00123", "b": 5}]


def test_a_profile_with_a_wrong_delimiter_is_refused(tmp_path: Path) -> None:
    database(tmp_path / "x.db", "CREATE TABLE t (a)").close()
    settings = parse_settings({"profiles": {"p": {"format": "csv", "delimiter": "xx"}}})
    with pytest.raises((RequestError, SettingsError), match="delimiter: must be comma"):
        Request(table="t", **settings.profiles["p"])


@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice (soffice) is not installed")
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_libreoffice_shows_every_text_and_number_as_it_is(tmp_path: Path, delimiter: str) -> None:
    kept = [text for text, _ in TEXTS if text and "\t" not in text] + ["+1-555-0123", "9007199254740993"]
    rows = [(text, 1.5, -7, 9007199254740993) for text in kept]
    (tmp_path / "t.csv").write_bytes(b"\xef\xbb\xbf" + SpreadsheetLines(delimiter, 4)([("=h", "n", "i", "l"), *rows]))
    words = ["soffice", f"-env:UserInstallation=file://{tmp_path}/profile", "--headless"]
    words += [f"--infilter=CSV:{ord(delimiter)},34,76,1,,1033", "--convert-to", "fods", "--outdir", str(tmp_path)]
    subprocess.run([*words, str(tmp_path / "t.csv")], check=True, capture_output=True, timeout=100)
    found = list(_cells(tmp_path / "t.fods"))
    assert found[0] == [("string", "=h"), ("string", "n"), ("string", "i"), ("string", "l")]
    for row, cells in zip(rows, found[1:], strict=True):
        assert cells == [("string", row[0]), ("float", "1.5"), ("float", "-7"), ("string", "9007199254740993")]


def _cells(path: Path) -> Iterator[list[tuple[str | None, str]]]:
    office, table, text = (f"{{urn:oasis:names:tc:opendocument:xmlns:{n}:1.0}}" for n in ("office", "table", "text"))
    for row in ElementTree.parse(path).iter(table + "table-row"):
        cells = []
        for cell in row.findall(table + "table-cell"):
            for blank in cell.iter(text + "s"):
                blank.text = " "
            if (kind := cell.get(office + "value-type")) is not None:
                shown = cell.get(office + "value") or "\n".join("".join(p.itertext()) for p in cell.iter(text + "p"))
                cells += [(kind, shown)] * int(cell.get(table + "number-columns-repeated", "1"))
        if cells:
            yield cells


def test_an_infinity_beside_a_null_is_written_as_one() -> None:
    """Both are null to the encoder that writes a column of numbers at once."""
    rows = [(1, 1.5), (2, inf), (3, None), (4, -inf), (5, 0)]
    assert CsvLines(",", 2)(rows) == b"1,1.5\r\n2,Infinity\r\n3,\r\n4,-Infinity\r\n5,0\r\n"
    connection = database(None, "CREATE TABLE t (id INTEGER PRIMARY KEY, x)", "INSERT INTO t VALUES (1, 9e999)")
    connection.execute("INSERT INTO t VALUES (2, NULL), (3, 2.5)")
    assert exported(connection, "t", format="csv") == b"id,x\r\n1,Infinity\r\n2,\r\n3,2.5\r\n"
