"""Rows that C reads are those that Python reads; what C cannot judge is left to Python, with the same findings."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from datasette_program_export import Request, Settings, compare, export, verify
from datasette_program_export.cli.main import program_export
from datasette_program_export.database.fetching import read_in_c, rows_in_c
from datasette_program_export.database.fetching.read_in_c import LinePlan, LinesInC, LinesRead
from datasette_program_export.errors import UnreadableError
from datasette_program_export.files.reading_limits import CAREFUL
from datasette_program_export.formats.dataset import Field
from datasette_program_export.formats.description.digest import pack_rows
from datasette_program_export.formats.json import quick_reading
from datasette_program_export.formats.json.reading import RowReader
from datasette_program_export.formats.json.writing import RowLines
from tests.support.databases.strategies import VALUES
from tests.support.databases.torture import JOURNALS, JSON_COLUMNS, write
from tests.support.native import Ways
from tests.support.runs.thorough import examples, some

FORMS = {"programjson": {}, "pretty": {"layout": "pretty"}, "ndjson": {"format": "ndjson", "layout": "envelope"}}


@pytest.fixture(autouse=True)
def rows_read(in_c: Ways, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """A list that receives the number of rows of each piece that C reads; few rows are worth it here."""
    seen: list[int] = []
    read = LinesInC.read

    def looked_at(self: LinesInC, lines: Any) -> LinesRead | None:
        found = read(self, lines)
        seen.append(found.rows if found else 0)
        return found

    monkeypatch.setattr(LinesInC, "read", looked_at)
    monkeypatch.setattr(quick_reading, "_FEW", 1)
    yield seen


def told(path: Path) -> dict[str, Any]:
    return verify(path).model_dump()


def exported(source: Any, to: Path, known: Settings | None = None, **how: Any) -> Path:
    with export(source, Request(**how), settings=known) as chunks:
        to.write_bytes(b"".join(chunks))
    return to


@pytest.mark.parametrize("encoding", some(tuple(JOURNALS), 2))
@pytest.mark.parametrize("form", FORMS)
def test_every_awkward_value(form: str, encoding: str, in_c: Ways, tmp_path: Path, rows_read: list[int]) -> None:
    path, known = write(tmp_path / "torture.db", encoding, only="values"), Settings(json_columns=JSON_COLUMNS)
    file = exported(path, tmp_path / "f", known, **FORMS[form])
    found, same = told(file), compare(file, path)
    assert found["status"] == "complete" and same.same
    assert (sum(rows_read) > 1000) == (form != "pretty")
    in_c(False)
    assert told(file) == found
    assert compare(file, path).model_copy(update={"seconds": same.seconds}) == same


rows = st.lists(st.tuples(VALUES, VALUES, st.one_of(VALUES, st.text('{}[]",:\\u$0e9+-. tn', max_size=12))), max_size=40)


@settings(max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=rows)
def test_random_rows_and_the_keys_of_references(rows: list[Any], in_c: Ways, tmp_path: Path) -> None:
    known = Settings(json_columns={"t": ["c"]})
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE p (a, b TEXT COLLATE NOCASE)")
        connection.execute("CREATE TABLE t (a REFERENCES p(a), b REFERENCES p(b), c)")
        connection.executemany("INSERT INTO p VALUES (?, ?)", [(a, b) for a, b, _ in rows[::2]])
        connection.executemany("INSERT INTO t VALUES (?, ?, ?)", rows)
        connection.commit()
        file = exported(connection, tmp_path / "f", known)
        found = told(file)
        assert found["status"] == "complete" and compare(file, connection).same
        in_c(False)
        assert told(file) == found
        in_c(True)


NAMES = ["a", "c"]
BASE64 = ("", "AA==", "AAA=", "AAAA", "/+8=", "AB==", "A===", "====", "A", "AA", "AA=", "AAAAA", "A A=", "\\/+8=")
SPELLED = (
    *('{"a":1,"c":null}', '{"a":-1.5e3,"c":[1, {"$x":2}]}', '{"a":"\\u00e9\\ud83d\\ude00\\/\\"","c":{"k": "\\n"}}'),
    *('{"a":0,"c":"[1]"}', '{"a":-0,"c":0}', '{"a":-0.0,"c":0}', '{"a":01,"c":0}', '{"a":1.,"c":0}', '{"a":.5,"c":0}'),
    *('{"a":1e400,"c":0}', '{"a":1e-400,"c":0}', '{"a":9223372036854775807,"c":-9223372036854775808}'),
    *('{"a":9223372036854775808,"c":0}', '{"a":18446744073709551616,"c":0}', '{"a":1E5,"c":0}', '{"a":1e+05,"c":0}'),
    *('{"c":1,"a":2}', '{"a":1}', '{"a":1,"c":2,"d":3}', '{"a":1,"a":1,"c":2}', '{"a":1,"c":2,"c":3}', "{}", "", "[]"),
    *('{ "a":1,"c":2}', '{"a":1, "c":2}', '{"a": 1,"c":2}', '{"a":1,"c":2 }', '{"\\u0061":1,"c":2}', '{"a":1,"c":2}x'),
    *('{"a":[1],"c":2}', '{"a":{"b":1},"c":2}', '{"a":true,"c":2}', '{"a":nul,"c":2}', '{"a":NaN,"c":2}'),
    '{"a":,"c":2}',
    *('{"a":"\\ud800","c":2}', '{"a":"\\ud800\\u0041","c":2}', '{"a":"\\udc00","c":2}', '{"a":"\\x","c":2}'),
    *('{"a":"\x01","c":2}', '{"a":"\x7f\\u0000","c":2}', '{"a":"é李😀","c":"é"}', '{"a":"","c":""}'),
    '{"a":"1","c":"x}',
    *('{"a":1,"c":{"$x":1}}', '{"a":1,"c":{"b":1,"$x":1}}', '{"a":1,"c":{ "$x":1}}', '{"a":1,"c":[1,]}'),
    '{"a":1,"c":[}',
    *('{"a":{"$real":"Infinity"},"c":{"$real":"-Infinity"}}', '{"a":{"$real":"NaN"},"c":1}', '{"a":{"$real":1},"c":1}'),
    *(f'{{"a":{{"$base64":true,"encoded":"{text}"}},"c":1}}' for text in BASE64),
    *(f'{{"a":{{"$base64":true,"encoded":"{text}","type":"text"}},"c":1}}' for text in BASE64),
    *('{"a":{"$base64":false,"encoded":""},"c":1}', '{"a":{"encoded":"","$base64":true},"c":1}'),
    '{"a":{"$file":"x"},"c":1}',
    *('{"a":{"$base64":true,"encoded":"","type":"blob"},"c":1}', '{"a":{"$base64":true,"encoded":"" },"c":1}'),
    '{"a":1,"c":' + "[" * 64 + "]" * 64 + "}",
    '{"a":1,"c":' + "[" * 70 + "]" * 70 + "}",
    '{"a":1,"c":[' + "9" * 400 + "]}",
    '{"a":' + "9" * 400 + ',"c":1}',
    '{"a":0.' + "3" * 60 + ',"c":1}',
    '{"a":"' + "x" * 70_000 + '","c":1}',
)  # fmt: skip
BYTES = (b'{"a":"\xff","c":1}', b'{"a":"\xc3","c":1}', b'{"a":1,"c":["\xed\xa0\x80"]}', b'{"a":"\xc3\\n\xa9","c":1}')


def in_python(line: bytes) -> bytes | None:
    """The row of a line as MessagePack; None if it is no row."""
    try:
        return pack_rows(RowReader("t", [Field("a", ""), Field("c", "", holds_json=True)], CAREFUL)([line], 1))
    except UnreadableError:
        return None


def test_a_line_means_in_c_what_it_means_in_python_or_nothing() -> None:
    lines = [line.encode() for line in SPELLED] + [*BYTES]
    plan = RowLines([Field("a", ""), Field("c", "", holds_json=True)]).plan()
    read = 0
    with closing(LinesInC(LinePlan(plan.before, plan.row_end, [1], [0, 1]))) as in_c:
        for line in lines:
            found = in_c.read(line + b"\n" + lines[0] + b"\n" + b'{"a":1')
            if found is not None:
                here, behind = in_python(line), in_python(lines[0])
                assert here is not None and behind is not None, line
                assert (found.rows, found.size, found.packed) == (2, len(line + lines[0]) + 2, here + behind), line
                read += 1
    assert read >= 20


@pytest.mark.parametrize("form", ["programjson", "ndjson"])
def test_a_byte_changed_anywhere_is_found_in_the_same_words(form: str, in_c: Ways, tmp_path: Path) -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE p (id INTEGER PRIMARY KEY, x)")
        connection.execute("CREATE TABLE t (p REFERENCES p, a, b, c)")
        connection.executemany("INSERT INTO p VALUES (?, ?)", [(n, f"n{n}") for n in range(30)])
        values = [(n % 33, f'é"{n}', n / 7, b"\xff" * (n % 5) if n % 3 else f'[{n}, "x"]') for n in range(60)]
        connection.executemany("INSERT INTO t VALUES (?, ?, ?, ?)", values)
        connection.commit()
        file = exported(connection, tmp_path / "f", Settings(json_columns={"t": ["c"]}), **FORMS[form])
    content, draw = file.read_bytes(), random.Random(form)
    assert told(file)["status"] == "complete"
    for _ in range(examples(400)):
        place = draw.randrange(len(content))
        how = draw.choice([b"", bytes([draw.randrange(256)]), b'"', b"\n", b"}{", b",", b"{", b"},\n{", b" "])
        file.write_bytes(content[:place] + how + content[place + draw.randrange(2) :])
        in_c(True)
        found = told(file)
        in_c(False)
        assert told(file) == found, (place, how)


def test_rows_that_c_leaves_to_python_are_read_between_those_it_reads(
    in_c: Ways, tmp_path: Path, rows_read: list[int]
) -> None:
    """A row of 100 kB here, one that somebody has spelled otherwise there: none is lost, none read twice."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, x)")
        large = [(n, "x" * (100_000 if n % 10_000 == 5000 else 100)) for n in range(30_000)]
        connection.executemany("INSERT INTO t VALUES (?, ?)", large)
        connection.commit()
        for how in (FORMS["programjson"], FORMS["ndjson"]):
            rows_read.clear()
            file = exported(connection, tmp_path / "f", **how)
            found = verify(file)
            assert (found.status, found.rows) == ("complete", 30_000)
            assert 10_000 < sum(rows_read) < 30_000
            assert compare(file, connection).same


def test_names_that_are_the_same_are_left_to_python(tmp_path: Path, rows_read: list[int]) -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE t (a, b)")
        connection.executemany("INSERT INTO t VALUES (?, ?)", [(1, 1)] * 100)
        connection.commit()
        content = exported(connection, tmp_path / "f").read_bytes()
    (tmp_path / "f").write_bytes(content.replace(b'"b"', b'"a"').replace(b'"b":', b'"a":'))
    assert verify(tmp_path / "f").status not in ("complete", "changed") and not rows_read


def test_an_older_package_writes_and_python_reads(
    in_c: Ways, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows_read: list[int]
) -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE t (a)")
        connection.executemany("INSERT INTO t VALUES (?)", [(n,) for n in range(100)])
        connection.commit()
        file = exported(connection, tmp_path / "f")
    monkeypatch.setattr("datasette_program_export.cli.main.find_spec", lambda name: object())
    assert "(rows in C)" in CliRunner().invoke(program_export, ["--version"]).output
    monkeypatch.setattr(read_in_c, "_CALL", "SELECT program_export_of_a_later_one(?, ?)")
    assert verify(file).status == "complete" and not any(rows_read)
    output = CliRunner().invoke(program_export, ["--version"]).output
    assert "rows in C; files are read in Python: build datasette-program-export-native again" in output


def test_what_nobody_calls_is_an_error_or_nothing() -> None:
    with closing(rows_in_c.connect(sqlite3, ":memory:")) as connection:
        assert rows_in_c.load(connection, sqlite3)
        for plan in (b"", b"\1", b"\0\0\0\0", b"\1\0\0\0\n", b"\1\0\0\0x\0\1\0\0\0[", b"\1\0\0\0\n\0\xff\0\0\0["):
            with pytest.raises(sqlite3.OperationalError, match="no plan"):
                connection.execute("SELECT program_export_read(?, ?)", [plan, b"x"])
        for lines in (b"", b"\n", b"[", b"[1]", None, 7, "["):
            plan = bytes(LinePlan([b"["], b"]\n", (), ()))
            assert connection.execute("SELECT program_export_read(?, ?)", [plan, lines]).fetchone() == (None,)
        plan = bytes(LinePlan([b"[\n"], b"]\n", (), ()))  # what stands before the value ends the line
        assert connection.execute("SELECT program_export_read(?, ?)", [plan, b"[\n"]).fetchone() == (None,)
