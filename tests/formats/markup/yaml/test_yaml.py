"""YAML: the same values in other readers, and what is refused when it is read."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import shutil
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import yaml
from ruamel.yaml import YAML

from datasette_program_export import Request, export, load, prove, verify
from datasette_program_export.errors import ExportError, UnreadableError, UnsupportedError
from datasette_program_export.files.reading_limits import CAREFUL, Limits
from datasette_program_export.formats.markup.yaml.reading import decode
from tests.support.databases.building import database
from tests.support.markup.yaml_reader import read_yaml

NODE = Path(os.environ.get("PROGRAM_EXPORT_NODE") or Path(__file__).parents[3] / ".venv" / "node-yaml") / "node_modules"
WORDS = (
    *(
        "no",
        "y",
        "~",
        "null",
        "true",
        "1e3",
        "0o7",
        "010",
        "1_0",
        "12:30",
        "2024-01-01",
        ".inf",
        "",
        " a ",
        "- a",
        "a: b",
    ),
    *(
        "# a",
        "&a",
        "*a",
        "!a",
        "%a",
        "@a",
        "`a",
        "{}",
        "[]",
        "'",
        '"',
        "\\",
        "a\nb\n",
        "\r\n",
        "\t",
        "\0",
        "\x7f",
        "\x85",
    ),
    *("\u2028", "\ufeff", "\ufffe", "\uffff", "\U0001f600", "\x9f", "---", "...", "<<", "=", "\b\f\x1b/"),
)
NUMBERS = (
    0,
    -1,
    2**53,
    2**63 - 1,
    -(2**63),
    0.1,
    1.0,
    1e22,
    1e-7,
    5e-324,
    1.7976931348623157e308,
    1e16,
    -0.0,
    9e999,
    -9e999,
)


def written(statements: Any = (), rows: Any = (), **how: Any) -> bytes:
    with closing(database(None, *statements)) as connection:
        if rows:
            connection.executemany("INSERT INTO t VALUES (?, ?)", rows)
        return b"".join(export(connection, Request(format="yaml", **how)))


def awkward() -> bytes:
    columns = ", ".join(f'"{word}"' for word in ("no", "a: b", "\x85\u2028", '"" \\', "1e3", "x" * 900))
    values = (*WORDS, *NUMBERS, None, b"", b"\0\xff")
    return written(
        (
            "CREATE TABLE t (a, b JSON)",
            f'CREATE TABLE "yes: \n\'" ({columns})',
            'INSERT INTO "yes: \n\'" DEFAULT VALUES',
        ),
        [(value, '{"a" : 1e5}') for value in values],
    )


def read(data: bytes, limits: Limits = CAREFUL) -> list:
    found = decode(io.BytesIO(data), limits)
    return [row for table in found.tables for rows in table.batches for row in rows]


def sealed(data: bytes) -> bytes:
    """The document with the digest of what stands in it now."""
    body, mark, end = data.rpartition(b'"integrity": ')
    return (
        body
        + mark
        + re.sub(rb'"document": "\w+"', b'"document": "%s"' % hashlib.sha256(body).hexdigest().encode(), end)
    )


def test_every_value_stands_on_its_own_line() -> None:
    found = written(
        ("CREATE TABLE t (a, b JSON)", "CREATE TABLE u (a)"), [("no", "[1]"), (1e22, None), (b"\0", '"\u2028')]
    )
    assert found.startswith(b'"format": "yaml"\n"version": 1\n"export": {"created_at": "')
    assert (
        b'"tables":\n  "t":\n'
        b'    - "a": "no"\n      "b": "[1]"\n'
        b'    - "a": 1.0e+22\n      "b": null\n'
        b'    - "a": {"$base64":true,"encoded":"AA=="}\n      "b": "\\"\\u2028"\n'
        b'  "u": []\n"coverage": {"tables": {' in found
    )


LOADERS = {
    "PyYAML": yaml.safe_load,
    "libyaml": lambda data: yaml.load(data, yaml.CSafeLoader),
    "ruamel.yaml": lambda data: YAML(typ="safe", pure=True).load(data),
}


@pytest.mark.parametrize("name", LOADERS)
def test_readers_find_the_values_that_were_written(name: str) -> None:
    data = awkward()
    assert yaml.__with_libyaml__ or name != "libyaml"
    assert read_yaml(data, LOADERS[name]).tables[0].rows == read_yaml(data, _by_lines).tables[0].rows
    assert len(read_yaml(data, LOADERS[name]).tables[1].columns) == 6


def _by_lines(data: bytes) -> dict:
    """The document by its lines, whose values are JSON."""
    found: dict = {"tables": {}}
    for line in data.decode().split("\n")[:-1]:
        margin, key, value = re.fullmatch(r'( *(?:- )?)("(?:[^"\\]|\\.)*"):(?: (.*))?', line).groups()
        name = json.loads(key)
        if margin == "  ":
            rows = found["tables"][name] = []
        elif margin == "    - ":
            rows.append({name: json.loads(value)})
        elif margin:
            rows[-1][name] = json.loads(value)
        elif name != "tables":
            found[name] = json.loads(value)
    order = ("format", "version", "export", "schema", "tables", "coverage", "integrity")
    return {name: found[name] for name in order}


JAVASCRIPT = {
    "yaml": "require('yaml').parse(text, {intAsBigInt: true})",
    "js-yaml": "require('js-yaml').load(text)",
}
TELL = """const text = require('fs').readFileSync(0, 'utf8'); const bits = new DataView(new ArrayBuffer(8));
const tell = (v) => { if (typeof v === 'bigint') return 'integer ' + v; if (typeof v !== 'number') return v;
  bits.setFloat64(0, v); return 'real ' + bits.getBigUint64(0).toString(16).padStart(16, '0'); };
console.log(JSON.stringify(%s.tables.t.map((row) => tell(row.a))));"""


@pytest.mark.parametrize("package", JAVASCRIPT)
def test_javascript_finds_the_values_that_were_written(package: str) -> None:
    if shutil.which("node") is None or not (NODE / package).is_dir():
        pytest.skip(f"there is no node here with the package {package}")
    asked = ["node", "-e", TELL % JAVASCRIPT[package]]
    done = subprocess.run(asked, input=awkward(), capture_output=True, env={"NODE_PATH": str(NODE)}, timeout=60)
    found = json.loads(done.stdout)
    count = len(WORDS)
    assert found[:count] == list(WORDS)
    assert found[count + len(NUMBERS) :] == [
        None,
        {"$base64": True, "encoded": ""},
        {"$base64": True, "encoded": "AP8="},
    ]
    wanted = [row[0] for row in read_yaml(awkward()).tables[0].rows[count : count + len(NUMBERS)]]
    for told, number, (kind, exact) in zip(found[count:], NUMBERS, wanted):
        if isinstance(told, dict):
            assert told == {"$real": "Infinity" if number > 0 else "-Infinity"}
        elif package == "yaml":  # js-yaml has no way to tell 1 from 1.0, and rounds beyond 2^53
            assert told == (f"integer {number}" if kind == "integer" else f"real {exact.hex()}")
        elif kind == "real":
            assert told == f"real {exact.hex()}"


def test_it_proves_itself_and_reads_back(tmp_path: Path) -> None:
    file = tmp_path / "x.yml"
    file.write_bytes(awkward())
    report = verify(file)
    assert (report.status, report.problems, report.format) == ("complete", [], "yaml")
    assert prove(file).proven
    load(tmp_path / "new.db", file)
    with closing(database(tmp_path / "new.db")) as connection:
        found = [a for (a,) in connection.execute("SELECT a FROM t")]
    assert list(map(repr, found)) == list(
        map(repr, (*WORDS, *NUMBERS[:-2], float("inf"), -float("inf"), None, b"", b"\0\xff"))
    )


def test_a_file_that_is_cut_or_changed_is_refused(tmp_path: Path) -> None:
    data, file = written(("CREATE TABLE t (a, b)",), [(i, f"text {i}") for i in range(9)]), tmp_path / "x.yaml"
    for place in (40, 300, len(data) // 2, data.index(b'"text 3"'), data.rindex(b'"coverage"'), len(data) - 1):
        file.write_bytes(data[:place])
        assert verify(file).status in ("cut", "damaged"), place
        with pytest.raises(ExportError):
            load(tmp_path / "new.db", file)
    assert not prove(file).proven
    for old, new in (
        (b'"a": 1\n', b'"a": 7\n'),
        (b'"scope"', b'"Scope"'),
        (b'"text 5"', b"text 5"),
        (b'    - "a": 2', b'    - "c": 2'),
    ):
        file.write_bytes(data.replace(old, new, 1))
        assert verify(file).status in ("changed", "damaged"), new
        file.write_bytes(sealed(data.replace(old, new, 1)))
        assert verify(file).status in ("changed", "damaged"), new
    file.write_bytes(data + b"\n")
    assert verify(file).status == "damaged"


def test_lines_out_of_their_place_are_told_by_their_number() -> None:
    data = written(("CREATE TABLE t (a, b)",), [(i, f"text {i}") for i in range(9)])
    first = data[: data.index(b'    - "a": 0')].count(b"\n") + 1
    with pytest.raises(UnreadableError, match=f"Line {first + 8:,} is not a row of t"):
        read(data.replace(b'"a": 4', b'"a": x'))
    with pytest.raises(UnreadableError, match="not one line for each column"):
        read(data.replace(b'      "b": "text 4"', b'    - "b": "text 4"'))
    with pytest.raises(UnreadableError, match="should end a row of t"):
        read(data.replace(b'      "b": "text 8"\n', b""))
    with pytest.raises(UnreadableError, match="should begin the table t"):
        read(data.replace(b'  "t":\n', b'  "u":\n'))
    with pytest.raises(UnreadableError, match="This is version 2 of yaml"):
        read(data.replace(b'"version": 1\n', b'"version": 2\n'))


@pytest.mark.parametrize("place", [0, 3, 599])
def test_a_large_row_is_read_by_itself(place: int) -> None:
    rows = [(i, ("é" * 700_000, "\x7f" * 220_000)[i % 2] if i == place else "é") for i in range(600)]
    data = written(("CREATE TABLE t (a, b)",), rows)
    assert read(data) == rows
    with pytest.raises(UnreadableError, match="takes more than 1.1 MB"):
        read(data, Limits(cell=1_100_000))


def test_a_name_that_is_too_long_for_a_key_is_refused() -> None:
    for statement in (f"CREATE TABLE t ({'x' * 1100})", f"CREATE TABLE {'x' * 1100} (a)"):
        with pytest.raises(UnsupportedError, match="too long for a key of YAML"):
            written((statement,))
