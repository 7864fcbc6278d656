"""XML: what other readers find in it, what it cannot hold, and what is refused when it is read."""

from __future__ import annotations

import hashlib
import io
import re
from contextlib import closing
from pathlib import Path
from xml.etree import ElementTree

import pytest
from lxml import etree

from datasette_program_export import Request, export, load, prove, verify
from datasette_program_export.errors import ExportError, UnreadableError
from datasette_program_export.files.reading_limits import CAREFUL, Limits
from datasette_program_export.formats.markup.xml.reading import decode
from tests.support.databases.building import database
from tests.support.markup.xml_reader import SCHEMA

SPACE = "{urn:datasette-program-export:xml:1}"
PEOPLE = (
    'CREATE TABLE people (id INTEGER PRIMARY KEY, "a""<&>\t\n" TEXT, "b\x01" REAL, photo BLOB)',
    """INSERT INTO people VALUES
       (1, ' a ' || char(13) || char(10) || char(9) || '<&>]]>' || char(13), 1e999, X'00ff'),
       (2, char(0) || 'x', -9e999, X''),
       (3, CAST(X'ff' AS TEXT), 1e-7, NULL),
       (4, '', NULL, 9223372036854775807),
       (5, char(65534), -1.5e300, -0.0),
       (6, char(133) || char(8232) || 'ü' || char(128512), 0.1, 'text')""",
)


def made(path: Path, *statements: str, **how) -> Path:
    with closing(database(None, *statements)) as connection:
        path.write_bytes(b"".join(export(connection, Request(format="xml", **how))))
    return path


@pytest.fixture
def people(tmp_path: Path) -> Path:
    return made(tmp_path / "people.xml", *PEOPLE)


def read(data: bytes, limits: Limits = CAREFUL) -> list:
    found = decode(io.BytesIO(data), limits)
    return [row for table in found.tables for rows in table.batches for row in rows]


def sealed(data: bytes) -> bytes:
    """The document with the digest of what stands in it now."""
    body, mark, end = data.rpartition(b"<integrity ")
    return body + mark + re.sub(rb'document="\w+"', b'document="%s"' % hashlib.sha256(body).hexdigest().encode(), end)


def test_values_stand_in_elements_called_after_their_storage_class(people: Path) -> None:
    first, second, third, *_ = re.findall(b"<row>.*?</row>", people.read_bytes(), re.S)
    column = b'column="a&quot;&lt;&amp;&gt;&#9;&#10;"'
    assert first == (
        b'<row><integer column="id">1</integer><text %s> a &#13;\n\t&lt;&amp;&gt;]]&gt;&#13;</text>'
        b'<real column-base64="YgE=">INF</real><blob column="photo">AP8=</blob></row>' % column
    )
    assert b'<text %s encoding="base64">AHg=</text>' % column in second
    assert b'encoding="base64">/w==</text>' in third and third.endswith(b'<null column="photo"/></row>')


@pytest.mark.parametrize("parse", [ElementTree.fromstring, etree.fromstring])
def test_blanks_and_carriage_returns_survive_in_other_readers(people: Path, parse) -> None:
    root = parse(people.read_bytes())
    texts = [value.text for value in root.iter(f"{SPACE}text") if value.get("encoding") is None]
    assert texts[0] == " a \r\n\t<&>]]>\r" and texts[2] == "\x85\u2028ü\U0001f600"
    assert [column.get("name") for column in root.iter(f"{SPACE}column")] == ["id", 'a"<&>\t\n', None, "photo"]


def test_the_schema_refuses_what_is_none_of_ours(people: Path) -> None:
    assert SCHEMA.validate(etree.fromstring(people.read_bytes()))
    for old, new in (
        (b">1</integer>", b">1.5</integer>"),
        (b">AP8=<", b">A<"),
        (b"<row>", b"<line>"),
        (b"INF", b"NaNs"),
    ):
        data = people.read_bytes().replace(old, new).replace(b"</row>", b"</line>" if new == b"<line>" else b"</row>")
        assert not SCHEMA.validate(etree.fromstring(data)), new


def test_it_proves_itself_and_reads_back(people: Path, tmp_path: Path) -> None:
    report = verify(people)
    assert (report.status, report.problems, report.format, report.rows) == ("complete", [], "xml", 6)
    assert prove(people).proven
    load(tmp_path / "new.db", people)
    with closing(database(None, *PEOPLE)) as old, closing(database(tmp_path / "new.db")) as new:
        query = 'SELECT id, typeof(photo), quote(photo), quote("b\x01"), hex(CAST("a""<&>\t\n" AS BLOB)) FROM people'
        assert new.execute(query).fetchall() == old.execute(query).fetchall()


def test_a_file_that_is_cut_or_changed_is_refused(people: Path, tmp_path: Path) -> None:
    data, file = people.read_bytes(), tmp_path / "x.xml"
    for place in (60, 300, len(data) // 2, data.rindex(b"<coverage>"), len(data) - 30, len(data) - 1):
        file.write_bytes(data[:place])
        assert verify(file).status in ("cut", "damaged"), place
        with pytest.raises(ExportError):
            load(tmp_path / "new.db", file)
    assert verify(file).status != "complete" and not prove(file).proven
    for old, new in (
        (b">1</integer>", b">7</integer>"),
        (b"AP8=", b"AP4="),
        (b'"scope"', b'"Scope"'),
        (b"\n<row>", b"<row>"),
    ):
        file.write_bytes(data.replace(old, new, 1))
        assert verify(file).status in ("changed", "damaged"), new
        file.write_bytes(sealed(data.replace(old, new, 1)))
        assert new == b"<row>" or verify(file).status in ("changed", "damaged"), new
    for more in (b"\n", b"<!-- -->", b"<x/>"):
        file.write_bytes(data + more)
        assert verify(file).status == "damaged", more


BOMB = """<!DOCTYPE program-export [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>"""
OUTSIDE = """<!DOCTYPE program-export [<!ENTITY x SYSTEM "file:///etc/passwd">]>"""
PARAMETER = """<!DOCTYPE program-export SYSTEM "http://127.0.0.1:9/x.dtd">"""


@pytest.mark.parametrize("kind", [BOMB, OUTSIDE, PARAMETER])
def test_a_document_type_is_refused_at_every_door(people: Path, tmp_path: Path, kind: str) -> None:
    data = people.read_bytes().replace(b"?>\n", f"?>\n{kind}\n".encode(), 1)
    with pytest.raises(UnreadableError, match="has a document type"):
        read(data)
    file = tmp_path / "x.xml"
    file.write_bytes(data)
    assert "XML of another program, with the outermost element program-export" in " ".join(verify(file).problems)
    with pytest.raises(ExportError, match="XML of another program"):
        load(tmp_path / "new.db", file, table="t", create=True)


def test_an_entity_that_is_not_known_is_refused(people: Path) -> None:
    with pytest.raises(UnreadableError, match="no longer XML"):
        read(people.read_bytes().replace(b">AP8=<", b">&x;<"))


def test_what_takes_too_much_memory_is_refused(people: Path) -> None:
    data = people.read_bytes()
    row = b'<row><integer column="id">1</integer>'
    with pytest.raises(UnreadableError, match="out of its place"):
        read(data.replace(row, row + b"<a>" * 100_000, 1))
    with pytest.raises(UnreadableError, match="far too large"):
        read(data.replace(row, row.replace(b'"id"', b'"%s"' % (b"x" * 6_000_000)), 1))
    small = Limits(cell=2_000_000)
    for text in ("x" * 3_000_000, "ü" * 1_500_000):
        with pytest.raises(UnreadableError, match="A row of people takes more than 2 MB"):
            read(data.replace(b"AP8=", text.encode()), small)
    with pytest.raises(UnreadableError, match="description in the file is far too large"):
        read(data.replace(b"<export>", b"<export>" + b" " * 17_000_000, 1))


def test_what_is_not_as_it_is_written_is_no_value(people: Path) -> None:
    data = people.read_bytes()
    wrong = (
        (b">1</integer>", b"> 1</integer>"),
        (b">1</integer>", b">1_0</integer>"),
        (b">9223372036854775807<", b">9223372036854775808<"),
        (b">INF<", b">nan<"),
        (b">AP8=<", b">AP8<"),
        (b'<null column="photo"/>', b'<null column="photo">x</null>'),
        (b'<null column="photo"/>', b""),
        (b'<null column="photo"/>', b'<null column="photo"/><null column="photo"/>'),
        (b'column="photo">', b'column="other">'),
        (b'<blob column="photo">', b'<blob column="photo" encoding="base64">'),
        (b"</row>", b"</row>x"),
        (b'version="1"', b'version="2"'),
        (b'<table name="people">', b'<table name="others">'),
    )
    for old, new in wrong:
        assert old in data
        with pytest.raises(UnreadableError):
            read(sealed(data.replace(old, new, 1)))


def test_a_large_value_is_read_in_pieces(tmp_path: Path) -> None:
    fill = "INSERT INTO t VALUES (?, ?)"
    with closing(database(None, "CREATE TABLE t (a, b)")) as connection:
        connection.executemany(fill, [(i, "<&\r\x00é"[i % 5] * (3_000_000 if i == 7 else 70)) for i in range(900)])
        data = b"".join(export(connection, Request(format="xml")))
        assert read(data) == connection.execute("SELECT a, b FROM t").fetchall()
