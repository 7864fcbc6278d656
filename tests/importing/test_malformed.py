"""Files that are cut, changed, made to lie or to harm: each a sentence, exit 1, and the target as it was."""

# ruff: noqa: E501

from __future__ import annotations

import gzip
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard
from click.testing import CliRunner

from datasette_program_export import Request, export
from datasette_program_export.cli.main import program_export
from tests.support.databases.building import database
from tests.support.files.changing import digests, resealed

MADE = (
    "CREATE TABLE p (id INTEGER PRIMARY KEY, x TEXT NOT NULL)",
    "CREATE TABLE c (id INTEGER PRIMARY KEY, p REFERENCES p)",
    "INSERT INTO p VALUES (1, 'one'), (2, 'two')",
    "INSERT INTO c VALUES (1, 1), (2, 2)",
)
Maker = Callable[[dict[str, bytes]], bytes]


def rows(text: str) -> Maker:
    return lambda good: text.encode()


def repacked(change: Callable[[dict[str, bytes]], None]) -> Maker:
    """The package with other files in it, and without its comment."""

    def make(good: dict[str, bytes]) -> bytes:
        old = zipfile.ZipFile(io.BytesIO(good["package"]))
        files = {name: old.read(name) for name in old.namelist()}
        change(files)
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as new:
            for name, data in files.items():
                new.writestr(name, data)
        return out.getvalue()

    return make


def bomb(good: dict[str, bytes]) -> bytes:
    return gzip.compress(good["programjson"] + b" " * 250_000_000, 1)


# name: how it is made, what the sentence says, options of the command
FILES: dict[str, tuple[Maker, str, tuple[str, ...]]] = {
    "empty": (lambda g: b"", "The file is empty", ()),
    "only a beginning": (lambda g: g["programjson"][:20], "cut|not JSON", ()),
    "cut in the description": (lambda g: g["programjson"][:300], "cut", ()),
    "cut in a row": (lambda g: g["programjson"][: g["programjson"].index(b'"two"')], "cut", ()),
    "cut before the last byte": (lambda g: g["programjson"][:-1], "cut", ()),
    "cut before the end": (lambda g: g["programjson"][: g["programjson"].index(b'"integrity"')], "cut", ()),
    "a value changed": (lambda g: g["programjson"].replace(b'"two"', b'"TWO"'), "changed|digest", ()),
    "a row left out": (lambda g: g["programjson"].replace(b',\n{"id":2,"x":"two"}', b""), "changed|digest", ()),
    "a row twice": (lambda g: g["programjson"].replace(b'{"id":1,"p":1}', b'{"id":1,"p":1},\n{"id":1,"p":1}'), "digest", ()),
    "a lie about a value": (lambda g: resealed(g["programjson"].decode().replace('"two"', '"TWO"')).encode(), "not those that were written", ()),
    "a lie about a count": (lambda g: resealed(g["programjson"].decode().replace(',\n{"id":2,"p":2}', "")).encode(), "are announced", ()),
    "a lie about references": (lambda g: resealed(g["programjson"].decode().replace('"dangling":[]', '"dangling":[{"table":"c","columns":["p"],"other_table":"p","other_columns":["id"],"rows":1}]')).encode(), "1 are announced", ()),
    "a table renamed": (lambda g: g["programjson"].replace(b'"p":[', b'"q":['), "should begin the table", ()),
    "another version": (lambda g: g["programjson"].replace(b'"version":1', b'"version":9', 1), "version 9", ()),
    "a row with a column too many": (lambda g: g["programjson"].replace(b'"x":"two"', b'"x":"two","y":1'), "not a row", ()),
    "something behind the end": (lambda g: g["programjson"] + b"{}\n", "cannot be read", ()),
    "twice behind itself": (lambda g: g["programjson"] * 2, "cannot be read|not as this program", ()),
    "blanks put in": (lambda g: g["programjson"].replace(b",", b", "), "wrote it anew", ()),
    "ndjson cut": (lambda g: g["ndjson"][: g["ndjson"].rindex(b'{"integrity"')], "cut", ()),
    "ndjson with lines swapped": (lambda g: b"\n".join(_swapped(g["ndjson"])), "digest|changed", ()),
    "ndjson with a line that is none": (lambda g: g["ndjson"].replace(b'{"table":"p","row":{"id":2', b'{"table":"p","row":{"id":'), "not a row", ()),
    "a package cut": (lambda g: g["package"][:-40], "is cut|cut or damaged|comment is not", ()),
    "a package with a byte changed": (lambda g: _flipped(g["package"], 60), "digest|damaged|changed", ()),
    "a package without a table's file": (repacked(lambda f: f.pop("data/p.csv")), "does not hold data/p.csv", ()),
    "a package with a file changed": (repacked(lambda f: f.update({"data/p.csv": f["data/p.csv"].replace(b"two", b"TWO")})), "digest", ()),
    "a package with a file too many": (repacked(lambda f: f.update({"data/z.csv": b""})), "does not name", ()),
    "a package with a way out": (repacked(lambda f: f.update({"../z.csv": b""})), "leads out", ()),
    "a zip of somebody else": (repacked(lambda f: f.pop("datapackage.json")), "no package of this program", ()),
    "gzip cut": (lambda g: gzip.compress(g["programjson"])[:-9], "cut", ()),
    "gzip damaged": (lambda g: _flipped(gzip.compress(g["programjson"] * 3), 90), "damaged|not|cut", ()),
    "zstd cut": (lambda g: zstandard.compress(g["programjson"])[:-5], "cut", ()),
    "a file that fills the disk": (bomb, "--trust|more than a description", ()),
    "no file of any kind": (lambda g: bytes(range(256)) * 9, "none that can be imported", ("--table", "p")),
    "a package within gzip": (lambda g: gzip.compress(g["package"]), "not looked into", ()),
    "json cut": (rows('{"p": [{"id": 3, "x": "thr'), "cut", ()),
    "json with something behind": (rows('{"p": []} x'), "not JSON", ()),
    "json with NaN": (rows('{"p": [{"id": 3, "x": NaN}]}'), "not JSON", ()),
    "json with a comma too many": (rows('{"p": [{"id": 3, "x": "a"},]}'), "not JSON", ()),
    "json with a key twice": (rows('{"p": [{"id": 3, "x": "a", "x": "b"}]}'), "x twice", ()),
    "json with a table twice": (rows('{"p": [{"id": 3, "x": "a"}], "p": []}'), "p twice", ()),
    "json with half a character": (rows('{"p": [{"id": 3, "x": "\\ud800"}]}'), "half a character", ()),
    "json in cp1252": (lambda g: '{"p": [{"id": 3,\n"x": "é"}]}'.encode("cp1252"), "not utf-8, as JSON is (line 2, column 7)", ()),
    "json with a huge exponent": (rows('{"p": [{"id": 3, "x": 1e9999999999999999999}]}'), "too large or too small", ()),
    "json that is a number": (rows("[1, 2, 3]"), "no object, so it is no row", ("--table", "p")),
    "json without a row": (rows('{"a": 1, "b": {}}'), "no table of rows", ()),
    "json whose table is an object": (rows('{"p": {"id": 3}}'), "no list of rows", ()),
    "json that is very deep": (rows("[" * 200_000), "deep|cut|not JSON", ("--table", "p")),
    "a number too large": (rows('{"p": [{"id": 99999999999999999999, "x": "a"}]}'), "a value that SQLite cannot", ()),
    "a number beyond all": (rows('{"p": [{"id": 3, "x": 1e999}]}'), "a value that SQLite cannot", ()),
    "a tag that is none": (rows('{"p": [{"id": 3, "x": {"$base64": true, "encoded": "%"}}]}'), "a value that SQLite cannot", ()),
    "a table that is not there": (rows('{"q": [{"id": 3}]}'), "q is not in the target", ()),
    "a column that is not there": (rows('{"p": [{"id": 3, "x": "a", "z": 1}]}'), "no column z", ()),
    "a parent that is not there": (rows('{"c": [{"id": 3, "p": 9}]}'), "neither in the file nor in the target", ()),
    "no value where one is needed": (rows('{"p": [{"id": 3}]}'), "x needs a value", ()),
    "csv of uneven lines": (rows("id,x\n3,a\n4\n5,b\n"), "Line 3 has 1 fields, not 2", ("--table", "p")),
    "csv with an open quote": (rows('id,x\n3,"a\n4,b\n'), "quote is not closed", ("--table", "p")),
    "csv with a column twice": (rows("id,x,ID\n3,a,4\n"), "a column of p twice", ("--table", "p")),
    "csv with an unknown column": (rows("id,x,z\n3,a,4\n"), "no column z", ("--table", "p")),
    "csv of another table": (rows("a;b;c\n3;a;4\n"), "names no column of p", ("--table", "p")),
    "csv that is not utf-8 far behind": (lambda g: b"id,x\n" + b"3,a\n" * 99_999 + b"4,\xff\n", "is not utf-8", ("--table", "p")),
    "csv with words for numbers": (rows("id,x\nthree,a\n"), "id is no number", ("--table", "p")),
    "csv whose header could be a row": (rows("Nr,Text\n3,a\n"), "--no-header", ("--table", "p")),
    "csv with a bad byte": (lambda g: "id,x\n3,ä\n".encode() + b"4,\xff\n", "Line 3 has a byte", ("--table", "p")),
    "csv in some encoding": (lambda g: "id,x\n3,Привет\n".encode("cp1251"), "several fit", ("--table", "p")),
    "lines of which one is none": (rows('{"id": 3, "x": "a"}\n{"id": 4, "x": \n'), "Line 2 is no row", ("--table", "p")),
    "lines with a list": (rows('{"id": 3, "x": "a"}\n{"id": 4, "x": "b"}\n[]\n'), "Line 3 is no row", ("--table", "p")),
}  # fmt: skip


def _swapped(data: bytes) -> list[bytes]:
    lines = data.split(b"\n")
    lines[1], lines[2] = lines[2], lines[1]
    return lines


def _flipped(data: bytes, place: int) -> bytes:
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    path = tmp_path_factory.mktemp("good") / "s.db"
    database(path, *MADE).close()
    layouts = {"programjson": "rows", "ndjson": "envelope", "package": "rows"}
    return {f: b"".join(export(path, Request(format=f, layout=layout))) for f, layout in layouts.items()}


@pytest.mark.parametrize("name", FILES)
def test_a_malformed_file_is_told_in_a_sentence_and_never_touches_the_target(
    name: str, good: dict[str, bytes], tmp_path: Path
) -> None:
    make, words, options = FILES[name]
    (tmp_path / "file").write_bytes(make(good))
    target = tmp_path / "t.db"
    database(target, *MADE, "DELETE FROM c", "DELETE FROM p WHERE id = 2").close()
    before = digests(target)
    for preview in ((), ("--preview",)):
        done = CliRunner().invoke(program_export, ["import", str(tmp_path / "file"), str(target), *options, *preview])
        assert done.exit_code == 1, done.output
        said = done.output.splitlines()
        assert "REFUSED; nothing was changed" in said[0], said
        assert any(word in line for word in words.split("|") for line in said[1:]), said
        assert len(said) < 30 and not any("Traceback" in line or "sqlite3" in line for line in said)
    assert digests(target) == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "t.db"]
    if not options:
        done = CliRunner().invoke(program_export, ["import", str(tmp_path / "file"), str(tmp_path / "new.db")])
        assert done.exit_code in (1, 2) and not (tmp_path / "new.db").exists()


def test_there_are_many() -> None:
    assert len(FILES) >= 40


def test_the_good_files_go_in(good: dict[str, bytes], tmp_path: Path) -> None:
    """So that it is the damage that is refused."""
    for name, data in good.items():
        (tmp_path / name).write_bytes(data)
        done = CliRunner().invoke(
            program_export, ["import", str(tmp_path / name), str(tmp_path / f"{name}.db"), "--json"]
        )
        assert done.exit_code == 0 and json.loads(done.stdout)["tables"]["p"]["insert"] == 2
