"""START-HERE.html in a package: for somebody who has never seen one."""

from __future__ import annotations

import io
import re
import zipfile
from contextlib import closing
from pathlib import Path

import pytest

from datasette_program_export import Request, export, verify
from datasette_program_export.demo import ANNA
from datasette_program_export.errors import RequestError, UnsupportedError
from tests.support.databases.building import database


def package(source: object, **choices: object) -> bytes:
    return b"".join(export(source, Request(format="package", **choices)))  # type: ignore[arg-type]


def page_of(content: bytes) -> str:
    return zipfile.ZipFile(io.BytesIO(content)).read("START-HERE.html").decode()


def test_it_is_there_when_it_is_asked_for_and_each_link_opens_a_file(demo_file: Path) -> None:
    asked = {"table": "clients", "records": [(ANNA,)]}
    assert "START-HERE.html" not in zipfile.ZipFile(io.BytesIO(package(demo_file, **asked))).namelist()
    content = package(demo_file, guide="page", **asked)
    links = re.findall(r'href="([^"]+)"', page_of(content))
    assert len(links) == 7 and set(links) < set(zipfile.ZipFile(io.BytesIO(content)).namelist())
    assert "not included" in page_of(content) and "<script" not in page_of(content)


def test_it_speaks_german_and_a_language_needs_a_page(demo_file: Path) -> None:
    assert "Beginnen Sie hier" in page_of(package(demo_file, table="clients", guide="page", language="de"))
    with pytest.raises(UnsupportedError):
        package(demo_file, table="clients", language="de")
    with pytest.raises(RequestError):
        Request(format="csv", guide="page")


def test_a_changed_byte_of_it_is_found(demo_file: Path, tmp_path: Path) -> None:
    whole, other = tmp_path / "whole.zip", tmp_path / "other.zip"
    whole.write_bytes(package(demo_file, table="clients", guide="page"))
    assert verify(whole).status == "complete"
    with zipfile.ZipFile(whole) as before, zipfile.ZipFile(other, "w") as after:
        for name in before.namelist():
            after.writestr(name, before.read(name).replace(b"Start here", b"Start then"))
    assert verify(other).status == "changed"


def test_names_that_look_like_html_stay_names() -> None:
    with closing(database(None, 'CREATE TABLE "<b>&""\x01" (x)', 'INSERT INTO "<b>&""\x01" VALUES (1)')) as connection:
        page = page_of(package(connection, guide="page"))
    assert "&lt;b&gt;&amp;&quot;?" in page and "<b>" not in page
