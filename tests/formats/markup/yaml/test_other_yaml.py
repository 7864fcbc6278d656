"""YAML of other programs: what its words mean, and what is refused."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO, Any

import pytest

from datasette_program_export import load
from datasette_program_export.errors import ExportError, UnreadableError
from datasette_program_export.files.reading_limits import Limits
from datasette_program_export.importing.choices import ImportChoices
from datasette_program_export.importing.other_files.json.yaml import as_json
from tests.support.databases.building import database


def rows(tmp_path: Path, data: str | bytes, name: str = "f.yaml", **choices: Any) -> list:
    file, target = tmp_path / name, tmp_path / "t.db"
    file.write_bytes(data if isinstance(data, bytes) else data.encode())
    target.unlink(missing_ok=True)
    with closing(database(target, "CREATE TABLE t (a, b)")):
        report = load(target, file, **choices)
    assert report.format == "yaml"
    with closing(database(target)) as connection:
        return connection.execute("SELECT * FROM t").fetchall()


@pytest.mark.parametrize(
    "written, wanted",
    [
        *(
            (word, word)
            for word in ("no", "Yes", "010", "0x1f", "12:30", "2024-01-01", "1_000", "1e3", ".5", "'1'", "007")
        ),
        *(("true", 1), ("False", 0), ("null", None), ("~", None), ("", None)),
        *(("1", 1), ("+1", 1), ("-0", 0), ("9223372036854775807", 2**63 - 1)),
        *(("1.50", 1.5), ("1.", 1.0), ("-1.0e+3", -1000.0), (".inf", float("inf")), ("-.INF", -float("inf"))),
        *(("!!str 1", "1"), ("!!binary AP8=", b"\0\xff"), ("! 1", "1"), ("!!int 3", 3)),
        *(("|\n    a\n    b\n", "a\nb\n"), ('"\\u2028"', "\u2028"), ("[1, {c: no}]", '[1,{"c":"no"}]')),
    ],
)
def test_what_two_versions_of_yaml_understand_alike_is_that_and_all_else_is_text(
    tmp_path: Path, written: str, wanted: Any
) -> None:
    found = rows(tmp_path, f"- a: {written}\n  b: 2\n", table="t")
    assert found == [(wanted.strip("'") if isinstance(wanted, str) else wanted, 2)]


def test_lists_under_names_of_tables_and_documents_one_behind_the_other(tmp_path: Path) -> None:
    assert rows(tmp_path, "metadata: {x: 1}\nt:\n  - {a: 1}\n  - {b: 2}\n") == [(1, None), (None, 2)]
    assert rows(tmp_path / "..", "---\na: 1\n---\na: 2\n...\n", "g.YML", table="t") == [(1, None), (2, None)]


def test_other_encodings_and_aliases(tmp_path: Path) -> None:
    assert rows(tmp_path, "- {a: ü}\n".encode("utf-16"), table="t") == [("ü", None)]
    assert rows(tmp_path, "- {a: ü}\n".encode("cp1252"), table="t", encoding="cp1252") == [("ü", None)]
    assert rows(tmp_path, "- {a: &x [1], b: *x}\n- {a: *x}\n", table="t") == [("[1]", "[1]"), ("[1]", None)]


def bomb() -> str:
    lines = ["- a: &a [x,x,x,x,x,x,x,x,x]"]
    names = "abcdefghi"
    lines += [f"  {new}: &{new} [{','.join([f'*{old}'] * 9)}]" for old, new in zip(names, names[1:])]
    return "\n".join(lines)


@pytest.mark.parametrize(
    "data, told",
    [
        (bomb(), "far too many parts"),
        ("- {a: &x [*x]}\n", "an alias of a value that is not known"),
        ("- {a: *y}\n", "Line 1 has an alias of a value that is not known"),
        (f"- {{a: &x {'y' * 1_000_000}, b: [{','.join(['*x'] * 60)}]}}\n", "takes more than"),
        ("- {a: 1}\n- {<<: {a: 1}}\n", r"Line 2 has a merge key \(<<\)"),
        ("- {a: 1, a: 2}\n", "Line 1 has a for the second time"),
        ("t: []\nt: []\n", "Line 2 has t for the second time"),
        ("- {[1]: 2}\n", "has a key that is no word"),
        ("- {a: !!python/object/apply:os.system [ls]}\n", "has a value with a tag of its own"),
        ("- {a: !ruby/sym x}\n", "has a value with a tag of its own"),
        ("- {a: !!binary x}\n", "has a value with a tag of its own"),
        ("- {a: [}\n", r"The file is not YAML \(line 1, column 8\)"),
        (b"- {a: \xff}\n", "The file is not YAML, or not UTF-8"),
        ('- {a: "\\ud800"}\n', "half a character|not YAML"),
        ("- %s\n" % ("[" * 5000), "nested far too deeply|not YAML"),
        ("- {a: .nan, b: 99999999999999999999}\n", "beyond|64|number|SQLite"),
    ],
)
def test_what_is_refused(tmp_path: Path, data: str | bytes, told: str) -> None:
    with pytest.raises(ExportError, match=told):
        rows(tmp_path, data, table=None if str(data).startswith("t:") else "t")


def test_small_rows_that_become_large_by_aliases_do_not_fill_the_disk() -> None:
    @contextmanager
    def opened() -> Iterator[IO[bytes]]:
        yield io.BytesIO(b"- a: &x [%s]\n" % b",".join([b"x"] * 1000) + b"- a: *x\n" * 500)

    with as_json(opened, ImportChoices(), Limits()) as made, made() as file:
        assert len(file.read()) > 2_000_000
    limits = Limits(free=1_000_000)
    with (
        pytest.raises(UnreadableError, match="unpacks to more than 250 times"),
        as_json(opened, ImportChoices(), limits),
    ):
        pass


def test_a_choice_that_is_not_for_yaml_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="This file is YAML, and the argument delimiter is only for CSV"):
        rows(tmp_path, "- {a: 1}\n", table="t", delimiter=";")
    assert rows(tmp_path, "- {a: .nan}\n", table="t", nan="null") == [(None, None)]


@pytest.mark.parametrize(
    "data, kind",
    [
        (
            '<?xml version="1.0"?>\n<!DOCTYPE x [<!ENTITY a "b">]>\n<x>&a;</x>',
            "XML of another program, with the outermost element x",
        ),
        (
            '\ufeff<?xml version="1.0"?><!-- a --><d:data xmlns:d="d"/>',
            "XML of another program, with the outermost element data",
        ),
        ('<svg xmlns="http://www.w3.org/2000/svg">', r"a picture \(SVG\)"),
        ('<?xml version="1.0"?><rss version="2.0">', r"a news feed \(RSS\)"),
        ('<?xml version="1.0"?><!DOCTYPE html><html>', "an HTML page"),
    ],
)
def test_xml_of_other_programs_is_called_by_what_it_is(tmp_path: Path, data: str, kind: str) -> None:
    with pytest.raises(ExportError, match=f"This is {kind}"):
        rows(tmp_path, data, "f.xml", table="t")
