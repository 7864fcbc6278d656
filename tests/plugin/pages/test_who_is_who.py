"""The export page says who was taken for people, first, and lets it be said otherwise."""

from __future__ import annotations

import html
import re
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from datasette_program_export.demo import ANNA
from datasette_program_export.plugin.request.form import MARK
from tests.support.databases.people import people_file
from tests.support.sites.server import make_datasette

PAGE = "/forum/users/1/-/program-export"


@pytest.fixture
def forum(tmp_path: Path) -> Path:
    return people_file(tmp_path, "forum")


def links(page: str) -> dict[str, str]:
    """The links of the part about people, by their words."""
    part = page.partition('<p class="people"')[2].partition("<form")[0]
    return {words: html.unescape(url) for url, words in re.findall(r'<a href="([^"]*)">([^<]*)</a>', part)}


async def test_the_guess_stands_first_with_a_link_that_takes_it_back(forum: Path) -> None:
    ds = make_datasette(forum)
    page = (await ds.client.get(PAGE)).text
    assert page.index("users was taken for people") < page.index("Download")
    nobody = await ds.client.get(PAGE + links(page)["These are not people"])
    assert nobody.status_code == 200 and "No table was taken for people, as was asked for" in nobody.text
    again = await ds.client.get(PAGE + links(nobody.text)["Guess instead"])
    assert "users was taken for people, by its name" in again.text


async def test_of_a_thing_what_is_kept_back_stands_first_too(forum: Path) -> None:
    ds = make_datasette(forum)
    page = html.unescape((await ds.client.get("/forum/threads/1/-/program-export")).text)
    assert "Kept back, as they are other people's: 1 row of posts" in page.partition("Download")[0]
    included = await ds.client.get("/forum/threads/1/-/program-export" + links(page)["Include them"])
    assert included.status_code == 200 and "Kept back, as" not in included.text
    assert "Rows of people who were not asked for are in this file, as was asked for" in included.text


async def test_the_addresses_of_the_page_hold_the_guess(forum: Path) -> None:
    ds = make_datasette(forum)
    page = (await ds.client.get(PAGE)).text
    assert "/forum/users/1.programjson?_export_person=users" in page
    assert "--person users" in page
    assert (await ds.client.get(PAGE + ".json")).json()["person"] == ["users"]
    document = (await ds.client.get("/forum/users/1.programjson?_export_person=users")).json()
    assert document["export"]["request"]["person"] == ["users"] and "CANARY" not in str(document)


@pytest.mark.parametrize(
    ("ticked", "meant"),
    [([], ["none"]), (["users"], ["users"]), (["users", "posts"], ["users", "posts"])],
    ids=["no tick", "one", "two"],
)
async def test_ticks_of_the_form(forum: Path, ticked: list[str], meant: list[str]) -> None:
    ds = make_datasette(forum)
    pairs = [(MARK, "1"), ("_export_person", "none"), *(("_export_person", name) for name in ticked)]
    answer = await ds.client.get(f"{PAGE}?{urlencode(pairs)}")
    query = parse_qsl(urlsplit(answer.headers["location"]).query)
    assert [value for name, value in query if name == "_export_person"] == meant
    alone = await ds.client.get(f"{PAGE}?{urlencode([*pairs, ('_export_cascade', '0')])}")
    assert "_export_person" not in alone.headers["location"]  # without references nobody else's rows can come


async def test_where_people_are_known_nothing_is_guessed_nor_said(forum: Path, demo_file: Path) -> None:
    ds = make_datasette(demo_file)
    assert "taken for people" not in (await ds.client.get(f"/practice/clients/{ANNA}/-/program-export")).text
    said = make_datasette(forum, settings={"persons": ["users"]})
    page = (await said.client.get(PAGE)).text
    assert "taken for people" not in page and "_export_person" not in page


async def test_a_table_that_does_not_exist_is_an_error(forum: Path) -> None:
    answer = await make_datasette(forum).client.get("/forum/users/1.programjson?_export_person=nix")
    assert answer.status_code == 400 and "person: there is no table nix" in answer.text
