"""A dossier on paper: what is read there is what stands on the screen."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from datasette_program_export import Request, export
from datasette_program_export.formats.dossier.page.markup import cell
from tests.support.databases.building import database

_BETWEEN_MARGINS = 672  # pixels of A4
_COLUMNS = ("track", "name", "media", "genre", "composer", "milliseconds", "bytes", "price")
_LONG = "https://example.org/" + "x" * 300
_ROW = (1201, "Different World", 2, 1, "Adrian Smith/Steve Harris/Bruce Dickinson", 258692, 143837640, 0.99)


@pytest.fixture
def paper(browser: Any, tmp_path: Path) -> Iterator[Any]:
    """A page of one table of numbers and names, with a word in one row that no page is wide enough for."""
    with closing(database(None, f"CREATE TABLE tracks ({', '.join(_COLUMNS)})")) as connection:
        many = [_ROW] * 40 + [(_LONG[:99], *_ROW[1:])]
        connection.executemany(f"INSERT INTO tracks VALUES ({', '.join('?' * len(_ROW))})", many)
        (tmp_path / "x.html").write_bytes(b"".join(export(connection, Request(format="dossier"))))
    context = browser.new_context(viewport={"width": _BETWEEN_MARGINS, "height": 900}, java_script_enabled=True)
    page = context.new_page()
    page.goto((tmp_path / "x.html").as_uri())
    page.emulate_media(media="print")
    yield page
    context.close()


def test_no_number_is_broken_and_no_table_is_cut(paper: Any) -> None:
    lines = paper.evaluate(
        """[...document.querySelectorAll('main tr.row:first-child td, main th')].map(cell => {
            const range = document.createRange(); range.selectNodeContents(cell);
            return [cell.textContent, range.getClientRects().length]; })"""
    )
    assert {text: count for text, count in lines if " " not in text and count != 1} == {}
    assert len(lines) > 8 and paper.evaluate("document.documentElement.scrollWidth") <= _BETWEEN_MARGINS


def test_what_is_folded_is_printed_or_its_fold_is_seen(paper: Any) -> None:
    shown = paper.evaluate(
        """[...document.querySelectorAll('details.more')].map(one =>
            [one.querySelector('.row').checkVisibility(), one.querySelector('summary').checkVisibility()])"""
    )
    assert shown and all(row != fold for row, fold in shown)


def test_only_a_word_that_would_push_the_table_off_the_page_is_broken() -> None:
    assert cell("143837640", 10) == "<td>143837640</td>"
    assert cell("<code>" + "a" * 33 + "</code>", 3) == "<td><code>" + "a" * 33 + "</code></td>"
    assert cell("a" * 21, 10, ' scope="col"', "th") == '<th scope="col" class="long">' + "a" * 21 + "</th>"
    assert cell(" ".join(["word"] * 50), 10).startswith("<td>word")
