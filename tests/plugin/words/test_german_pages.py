"""Each page in German: no English sentence on its unfolded part; files and data are the same for everybody."""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import Any

import pytest

from datasette_program_export.demo import ANNA
from datasette_program_export.plugin.words import sentences_of
from tests.support.sites.export_page import ANNAS, PAGES
from tests.support.sites.imports import BROWSER, CSV, FORM, ended, send
from tests.support.sites.jobs import ask, keeping
from tests.support.sites.server import make_datasette

GERMAN = {"accept": "text/html", "accept-language": "de-DE,de;q=0.9,en;q=0.5"}
ENGLISH = {"accept": "text/html", "accept-language": "en"}
# words that stand in names of tables, formats and programs, or in both languages
_SAME = {"in", "an", "so", "die", "data", "export", "name", "program", "status", "version"}
_ENGLISH_WORDS = {
    "the", "of", "and", "is", "are", "to", "not", "with", "that", "this", "as", "by", "it", "you", "your", "or", "for",
    "which", "what", "from", "rows", "row", "asked", "included", "about", "least", "no", "all", "they", "was", "were",
}  # fmt: skip
ROOT = {"actor": {"id": "root"}}
SENT = {  # a file to import, choices, and what its page says in German
    "other values": ("a.csv", CSV, "?table=clients", "1 Eintrag aus clients ist schon da, mit anderen Werten."),
    "an unknown column": ("a.csv", b"id,nix\n1,2\n", "?table=clients", "nix: Die Spalten passen nicht zur Tabelle."),
    "no number": ("a.csv", b"id,latitude\n9,x\n", "?table=birth_data", "Zeile 2: Ein Wert passt nicht zum Typ"),
    "no table": ("nix.csv", b"a,b\n1,2\n", "", "Bevor die Datei eingelesen werden kann, fehlt noch eine Angabe."),
}


def ours(page: str) -> str:
    """Our part of a page, without what is folded."""
    found = page[page.index('<div class="program-export-page') :]
    found = re.split(r'<p class="program-export-news|<footer', found)[0]
    found = re.sub(r"<(details)\b.*?</\1>", " ", found, flags=re.DOTALL)
    return re.sub(r"<(pre|code|bdi)\b.*?</\1>", " ", found, flags=re.DOTALL)


def sentences(part: str) -> list[str]:
    labels = re.findall(r'(?:(?:aria-label|data-label|title)|type="submit" value)="([^"]*)"', part)
    found = [" ".join(html.unescape(text).split()) for text in [*re.split(r"<[^>]+>", part), *labels]]
    return [text for text in found if text]


def in_english(part: str) -> list[str]:
    said = {str(s) for s in sentences_of("en").values() if isinstance(s, str)}
    said -= {str(s) for s in sentences_of("de").values() if isinstance(s, str)} | {"table", "database", "record", "tab"}
    found = []
    for text in sentences(part):
        words = set(re.findall(r"[a-z]+", text.lower())) - _SAME
        if text in said or len(words & _ENGLISH_WORDS) > 1:
            found.append(text)
    return found


def site(demo_file: Path, tmp_path: Path) -> Any:
    log = {"audit_log": str(tmp_path / "log.ndjson"), "allow_audit": True, "allow_setup": True}
    return make_datasette(demo_file, settings=log)


async def page(ds: Any, path: str, headers: dict[str, str]) -> Any:
    cookies = {"ds_actor": ds.sign({"a": {"id": "root"}}, "actor")}
    return await ds.client.get(path, headers=headers, cookies=cookies)


@pytest.mark.parametrize("name", PAGES)
async def test_a_german_page_has_no_english_sentence(demo_file: Path, tmp_path: Path, name: str) -> None:
    ds = site(demo_file, tmp_path)
    answer = await page(ds, PAGES[name], GERMAN)
    assert answer.headers["content-language"] == "de" and "accept-language" in answer.headers["vary"]
    assert 'lang="de"' in answer.text
    assert in_english(ours(answer.text)) == []
    english = await page(ds, PAGES[name], ENGLISH)
    assert english.headers["content-language"] == "en" and 'lang="en"' in english.text
    assert in_english(ours(english.text)) != []  # the test would see it


async def test_files_and_data_are_the_same_for_everybody(demo_file: Path, tmp_path: Path) -> None:
    ds = site(demo_file, tmp_path)
    row = f"/practice/clients/{ANNA}"
    stamp = re.compile(rb"\d{4}-\d\d-\d\dT[\d:.]+Z|\"sha256\": ?\"\w+\"|[0-9a-f]{64}|\"id\": ?\"[\w-]+\"")
    for path in (f"{row}.programjson", f"{row}.programcsv?_export_cascade=0", f"{ANNAS}.json"):
        german, english = await page(ds, path, GERMAN), await page(ds, path, ENGLISH)
        assert german.status_code == english.status_code == 200
        assert stamp.sub(b"", german.content) == stamp.sub(b"", english.content)
        assert "content-language" not in german.headers


async def test_what_is_kept_back_is_told_in_german(demo_file: Path, tmp_path: Path) -> None:
    said = html.unescape((await page(site(demo_file, tmp_path), ANNAS, GERMAN)).text)
    for sentence in (
        "Zurückgehalten, weil es andere Personen betrifft: 1 Horoskop",
        "Herunterladen",
        "Nicht enthalten, und warum",
    ):
        assert sentence in said
    assert "nicht enthalten" in said and "as you" not in said


@pytest.mark.parametrize("name", SENT)
async def test_a_page_of_a_file_to_import_is_german(demo: Path, tmp_path: Path, name: str) -> None:
    file, content, options, told = SENT[name]
    with keeping(tmp_path / "jobs", demo, root=True) as ds:
        sent = await send(ds, content, file, FORM + options, headers={**BROWSER, **GERMAN})
        page = sent.headers["location"]
        await ended(ds, {"links": {"self": f"{page}.json"}})
        german = await ask(ds, "get", page, "root", headers=GERMAN)
        english = await ask(ds, "get", page, "root", headers=ENGLISH)
    assert german.headers["content-language"] == "de" and 'page" lang="de"' in german.text
    assert in_english(ours(german.text)) == [] != in_english(ours(english.text))
    assert told in html.unescape(german.text)
    assert told not in english.text and "exact words" not in english.text


async def test_a_picture_in_place_of_a_file_to_import_is_called_so_in_german(demo: Path, tmp_path: Path) -> None:
    with keeping(tmp_path / "jobs", demo, root=True) as ds:
        sent = await send(ds, b"\x89PNG\r\n\x1a\n", "a.png", FORM, headers={**BROWSER, **GERMAN})
    assert sent.status_code == 422 and in_english(ours(sent.text)) == []
    assert "Das ist ein Bild (PNG): kein Export dieses Programms" in html.unescape(sent.text)
