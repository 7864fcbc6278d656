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


def ours(page: str) -> str:
    """Our part of a page, without what is folded."""
    found = page[page.index('<div class="program-export-page') :]
    found = re.split(r'<p class="program-export-news|<footer', found)[0]
    found = re.sub(r"<(details)\b.*?</\1>", " ", found, flags=re.DOTALL)
    return re.sub(r"<(pre|code|bdi)\b.*?</\1>", " ", found, flags=re.DOTALL)


def sentences(part: str) -> list[str]:
    labels = re.findall(r'(?:aria-label|data-label|title|value)="([^"]*)"', part)
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
