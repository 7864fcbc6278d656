"""A dossier at the doors of a site: seen first for a record, in the language that the address says, a download."""

from __future__ import annotations

from pathlib import Path

import pytest

from datasette_program_export.demo import ANNA
from datasette_program_export.formats.dossier import kept_rows
from tests.support.dossiers.files import big
from tests.support.dossiers.reader import Page
from tests.support.sites.server import make_datasette

PAGE = {"accept": "text/html"}


async def test_it_is_a_purpose_of_a_record_and_another_kind_of_a_table(demo_file: Path) -> None:
    ds = make_datasette(demo_file)
    record = (await ds.client.get(f"/practice/clients/{ANNA}/-/program-export", headers=PAGE)).text
    first, _, folded = record.partition("</fieldset>")
    assert 'value="read"' in first and "To read: one page that opens in any browser" in first
    assert first.index('value="keep"') < first.index('value="read"') < first.index('value="spreadsheet"')
    assert '<option value="de">Deutsch</option>' in folded
    table = (await ds.client.get("/practice/clients/-/program-export", headers=PAGE)).text
    first, _, folded = table.partition("</fieldset>")
    assert 'value="read"' not in first and 'value="read"' in folded
    german = await ds.client.get(
        f"/practice/clients/{ANNA}/-/program-export", headers={**PAGE, "accept-language": "de"}
    )
    assert '<option value="de" selected>Deutsch</option>' in german.text


async def test_the_address_says_the_language_and_not_the_browser(demo_file: Path) -> None:
    ds = make_datasette(demo_file)
    address = f"/practice/clients/{ANNA}.programhtml"
    english = await ds.client.get(address, headers={"accept-language": "de"})
    assert english.status_code == 200 and english.headers["content-type"] == "text/html; charset=utf-8"
    assert english.headers["content-disposition"].startswith("attachment")
    assert english.headers["x-content-type-options"] == "nosniff"
    assert "What the words mean" in Page(english.content).text
    german = await ds.client.get(f"{address}?_export_language=de")
    told = Page(german.content).text
    assert "Was die Wörter bedeuten" in told and "Horoskope" in told and "Charts" not in told
    wrong = await ds.client.get(f"{address}?_export_language=xx")
    assert wrong.status_code == 400 and "language" in wrong.json()["error"]


async def test_what_is_too_large_is_answered_with_advice(demo_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_rows, "MOST_ROWS", 10)
    ds = make_datasette(demo_file)
    answer = await ds.client.get(f"/practice/clients/{ANNA}.programhtml")
    assert answer.status_code == 422 and "Take a package" in answer.json()["error"]
    page = await ds.client.get(
        f"/practice/clients/{ANNA}.programhtml", headers={**PAGE, "accept-language": "de", "sec-fetch-mode": "navigate"}
    )
    assert "Nehmen Sie ein Paket" in page.text


@pytest.mark.parametrize(("rows", "size", "told"), [(20_001, 1, "20,001"), (400, 80_000, "32 MB")])
async def test_what_will_be_refused_is_said_before(tmp_path: Path, rows: int, size: int, told: str) -> None:
    ds = make_datasette(big(tmp_path / "big.db", rows, size))
    page = "/big/t/-/program-export"
    english = (await ds.client.get(page, headers=PAGE)).text
    assert told in english and "guide: page" in english
    chosen = (await ds.client.get(f"{page}?_export_format=dossier", headers=PAGE)).text
    assert chosen.count("guide: page") == 1 and 'class="message-warning">A dossier' in chosen
    german = (await ds.client.get(page, headers={**PAGE, "accept-language": "de"})).text
    assert "ein Browser bewältigen muss" in german
