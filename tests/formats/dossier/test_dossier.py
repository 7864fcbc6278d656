"""What a dossier says, what it never lets through, and that any change of it shows."""

from __future__ import annotations

import base64
import hashlib
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from datasette_program_export import Request, Settings, export, load, prove, verify
from datasette_program_export.errors import TooLargeError, UnsupportedError
from datasette_program_export.formats.dossier import kept_rows
from datasette_program_export.options.settings import Subject
from datasette_program_export.verifying.converter import Conversion
from tests.support.databases.building import database
from tests.support.dossiers.reader import Page

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
PEOPLE = (
    "CREATE TABLE people (id INTEGER PRIMARY KEY, first_name TEXT, last_name TEXT, born TEXT, is_here INTEGER,"
    " height REAL)",
    "CREATE TABLE letters (id INTEGER PRIMARY KEY, person_id REFERENCES people, title TEXT, body TEXT, picture BLOB,"
    " facts JSON)",
    "CREATE TABLE payments (id INTEGER PRIMARY KEY, person_id REFERENCES people, letter_id REFERENCES letters,"
    " paid REAL)",
    "INSERT INTO people VALUES (1, 'Änne', 'Groß', '1984-07-03', 1, 1.6543219876), (2, 'Canary', 'Second', NULL, 0, 2)",
    "INSERT INTO letters VALUES (1, 1, 'First', '# Head\n\n*soft* and **loud**', NULL, '{\"a\": [1, true]}'),"
    " (2, 1, 'Second one', 'plain\nlines', NULL, NULL), (3, 2, 'Canary letter', 'Canary', NULL, NULL)",
    "INSERT INTO payments VALUES (1, 1, 1, 12.5), (2, 1, 2, 3.0), (3, 1, 1, 4.25), (4, 2, 3, 99.125)",
)
HOSTILE = (
    "<script>alert(1)</script>",
    "</script><img src=x onerror=alert(1)>",
    "--> <!-- </style></title></textarea>",
    '" onmouseover="alert(1)',
    "' autofocus onfocus='alert(1)",
    "[x](javascript:alert(1))\n\n**b**",
    "[x](JaVaScRiPt:alert(1)) and <javascript:alert(1)>\n\n- [y](data:text/html;base64,PHNjcmlwdD4=)\n- ![z](http://evil.test/x.png)",
    "[x](ftp://evil.test/x) [y](//evil.test/y) [z](file:///etc/passwd)\n\n**b**",
    "javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    'https://evil.test/"onclick=alert(1)',
    "&lt;script&gt;&#60;script&#62;",
    '<script type="application/gzip;base64" id="program-export-copy">\nAAAA\n</script>\n',
    '<script type="application/json" id="program-export-end">{"document":"","complete":true}</script>',
    "a\x00b\x1b[31m\u202e\ufeff\u2028 \ufffe",
    "```html\n<script>alert(1)</script>\n```\n\n<b onclick=alert(1)>x</b>",
    '{"<script>": "</script>", "b": ["<img src=x onerror=alert(1)>"]}',
)


def made(*statements: str, form: str = "dossier", **how: Any) -> bytes:
    with closing(database(None, *statements)) as connection:
        return b"".join(export(connection, Request(format=form, **how)))


def of_person(**how: Any) -> bytes:
    return made(*PEOPLE, table="people", records=(("1",),), person=("people",), **how)


def test_a_person_reads_everything_in_words() -> None:
    page = Page(of_person())
    text = page.text
    for told in ("Änne Groß", "3 July 1984", "Yes", "1.6543", "Letters", "First", "Head", "12.5"):
        assert told in text, told
    assert "6 rows in 3 tables" in text and "# Head" not in text
    assert ("p", {"class": "heading"}) in page.tags and ("strong", {}) in page.tags
    assert ("data", {"value": "1.6543219876", "title": "1.6543219876"}) in page.tags
    ids = {attrs["id"] for _, attrs in page.tags if "id" in attrs}
    links = {str(attrs["href"])[1:] for tag, attrs in page.tags if tag == "a"}
    assert links and links <= ids  # each link leads somewhere within the page
    assert re.search(r"<h3[^>]*><a href=\"#t\d+-1\"><bdi>First</bdi></a></h3>", of_person().decode())  # grouped


def test_nothing_of_a_second_person_is_in_it() -> None:
    page = Page(of_person())
    assert b"Canary" not in of_person() and b"Canary" not in page.document and "99.125" not in page.text
    assert "not included" in page.text  # and it says so


def test_german_is_german_throughout() -> None:
    text = Page(of_person(language="de")).text
    for told in ("3. Juli 1984", "Vorname", "1,6543", "Ja", "6 Einträge in 3 Tabellen", "Was diese Datei enthält"):
        assert told in text, told
    for english in ("What this file", "not included", " rows", "Search", "Show the rest"):
        assert english not in text, english
    with pytest.raises(UnsupportedError, match="language goes with dossier, and with a guide"):
        made(*PEOPLE, table="people", form="csv", language="de")


def test_no_value_becomes_markup() -> None:
    with closing(database(None, "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT, j JSON)")) as connection:
        connection.executemany("INSERT INTO t (v, j) VALUES (?, ?)", [(value, value) for value in HOSTILE])
        connection.execute("""CREATE TABLE "<script>alert(1)</script>" ("<img src=x onerror=alert(1)>" TEXT)""")
        connection.execute("""INSERT INTO "<script>alert(1)</script>" VALUES ('x')""")
        data = b"".join(export(connection, Request(format="dossier")))
    page = Page(data)
    assert [tag for tag, _ in page.tags if tag == "script"] == ["script"] * 3  # ours, the copy, the end
    assert [tag for tag, _ in page.tags if tag == "style"] == ["style"] and "img" not in {tag for tag, _ in page.tags}
    for tag, attrs in page.tags:
        assert not {name for name in attrs if name.startswith("on") or name in ("style", "srcdoc", "autofocus")}, tag
        assert tag != "a" or re.match(r"#|https?://|mailto:", str(attrs["href"])), attrs
        assert "src" not in attrs
    assert "<script>alert(1)</script>" in page.text  # it is shown as what it is
    assert b"\x00" not in data and data.count(b"</html>") == 1


def test_only_our_style_and_script_may_run() -> None:
    page = Page(of_person())
    policies = [attrs["content"] for tag, attrs in page.tags if attrs.get("http-equiv") == "Content-Security-Policy"]
    digests = {
        name: base64.b64encode(hashlib.sha256(page.scripts[name].encode()).digest()).decode()
        for name in ("style", "script")
    }
    assert policies == [
        f"default-src 'none'; style-src 'sha256-{digests['style']}'; script-src 'sha256-{digests['script']}'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    ]


def test_pictures_are_shown_and_other_bytes_are_told() -> None:
    with closing(database(None, *PEOPLE)) as connection:
        connection.execute("UPDATE letters SET picture = ? WHERE id = 1", (PNG,))
        connection.execute("UPDATE letters SET picture = ? WHERE id = 2", (b"%PDF-1.7",))
        connection.commit()
        page = Page(b"".join(export(connection, Request(table="letters", format="dossier"))))
    (image,) = [attrs for tag, attrs in page.tags if tag == "img"]
    assert image["src"] == "data:image/png;base64," + base64.b64encode(PNG).decode() and image["alt"]
    assert "Binary data, 8 bytes" in page.text


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "anne.html"
    path.write_bytes(of_person())
    return path


def test_it_is_verified_proven_imported_and_converted(file: Path, tmp_path: Path) -> None:
    report = verify(file)
    assert (report.format, report.status, report.rows) == ("dossier", "complete", 6)
    assert prove(file).proven
    load(tmp_path / "new.db", file)
    with closing(sqlite3.connect(tmp_path / "new.db")) as connection:
        assert connection.execute("SELECT height FROM people").fetchall() == [(1.6543219876,)]
    other = tmp_path / "other.json"
    other.write_bytes(b"".join(Conversion(file, Request(format="programjson"))))
    assert verify(other).tables.keys() == report.tables.keys()
    again = tmp_path / "again.html"
    again.write_bytes(b"".join(Conversion(other, Request(format="dossier", language="de"))))
    assert verify(again).status == "complete" and "Änne Groß" in Page(again.read_bytes()).text


def test_any_changed_byte_shows(file: Path) -> None:
    whole = file.read_bytes()
    places = [*range(64, len(whole), max(1, len(whole) // 60)), len(whole) - 3, len(whole) - 30, len(whole) - 100]
    places.append(whole.index("Groß".encode()))
    for place in places:
        file.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        report = verify(file)
        assert report.status in ("changed", "cut") and report.problems, place
    file.write_bytes(whole + b"\n")
    assert verify(file).status != "complete"


@pytest.mark.parametrize("left", [0.1, 0.5, 0.9, 0.999])
def test_a_cut_file_is_refused(file: Path, tmp_path: Path, left: float) -> None:
    whole = file.read_bytes()
    file.write_bytes(whole[: int(len(whole) * left)])
    assert verify(file).status == "cut"
    with pytest.raises(Exception, match="cut"):
        load(tmp_path / "new.db", file)


def test_what_a_browser_does_not_bear_is_refused_with_advice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_rows, "MOST_ROWS", 5)
    with pytest.raises(TooLargeError, match="at most 5 rows .* Take a package"):
        of_person()
    monkeypatch.setattr(kept_rows, "MOST_ROWS", 20_000)
    monkeypatch.setattr(kept_rows, "MOST_BYTES", 20)
    with pytest.raises(TooLargeError, match="package"):
        of_person()


def test_long_tables_are_folded_and_settings_name_rows() -> None:
    rows = ", ".join(f"({i}, 'thing {i}')" for i in range(100))
    with closing(database(None, "CREATE TABLE t (k INTEGER, what TEXT)", f"INSERT INTO t VALUES {rows}")) as connection:
        known = Settings(subjects={"t": Subject(label="thing", plural="things", title=["what"])})
        data = b"".join(export(connection, Request(table="t", format="dossier"), settings=known))
    page = Page(data)
    assert page.text.count("thing 99") == 1 and ("details", {"class": "more"}) in page.tags
    assert sum(tag == "tr" and "id" in attrs for tag, attrs in page.tags) == 100
    assert "Things" in page.text


def test_without_the_library_markdown_is_plain_text(monkeypatch: pytest.MonkeyPatch) -> None:
    from datasette_program_export.formats.dossier.page import markup

    monkeypatch.setattr(markup, "_parser", lambda: None)
    assert "# Head" in Page(of_person()).text
