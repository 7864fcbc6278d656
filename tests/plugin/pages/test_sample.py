"""How the file begins, as the export page shows it."""

from __future__ import annotations

import html
import re
from pathlib import Path

import pytest

from datasette_program_export.demo import PASSWORD_HASH
from datasette_program_export.plugin.request.form import SAMPLE
from datasette_program_export.plugin.server.slots import SLOTS
from tests.support.sites.export_page import ANNAS, opened, said
from tests.support.sites.server import make_datasette


def beginning(page: str) -> str:
    """The text of the sample."""
    (found,) = re.findall(r'<pre tabindex="0" role="region"[^>]*>(.*?)</pre>', page, re.DOTALL)
    return html.unescape(re.sub(r"<span.*?</span>", "", found))


@pytest.mark.parametrize("name", ["csv", "tsv", "ndjson"])
async def test_the_first_rows_are_shown_exactly_as_they_will_be(demo_file: Path, name: str) -> None:
    ds = make_datasette(demo_file)
    pairs = [("country", "Brazil"), ("_export_format", name)]
    page = (await opened(ds, "/practice/birth_data/-/program-export", [*pairs, (SAMPLE, "1")])).text
    file = (await opened(ds, "/practice/birth_data/-/program-export/download", pairs)).text.replace("\r\n", "\n")
    shown = beginning(page).strip("\n")
    assert shown and file.startswith(shown[:3000])


async def test_the_beginning_of_a_document_shows_rows_too(demo_file: Path) -> None:
    page = (await opened(make_datasette(demo_file), "/practice/-/program-export", [(SAMPLE, "1")])).text
    shown = beginning(page)
    assert shown.startswith('{"format":"programjson"') and "bytes of description are not shown here" in page
    assert '"app_version"' in shown and PASSWORD_HASH not in page


@pytest.mark.parametrize(
    ("pairs", "sentence"),
    [
        ([("_export_format", "package")], "The file is a zip"),
        ([("_export_format", "sqlite")], "The file is a database"),
        ([("_export_compress", "gzip")], "The file is compressed (gzip)"),
    ],
)
async def test_of_a_file_that_is_no_text_it_is_said_what_it_is(demo_file: Path, pairs: list, sentence: str) -> None:
    assert sentence in said((await opened(make_datasette(demo_file), ANNAS, [*pairs, (SAMPLE, "1")])).text)


async def test_a_look_at_the_beginning_is_limited_and_not_logged(demo_file: Path, tmp_path: Path) -> None:
    ds = make_datasette(demo_file, settings={"max_concurrent_exports": 1, "audit_log": str(tmp_path / "log")})
    assert "Anna" in beginning((await opened(ds, ANNAS, [(SAMPLE, "1")])).text)
    assert SLOTS.taken == 0 and not (tmp_path / "log").read_bytes()
    SLOTS.take(1, None)
    try:
        page = await opened(ds, ANNAS, [(SAMPLE, "1")])
    finally:
        SLOTS.give_back(None)
    assert page.status_code == 200 and "Too many exports are running at once." in said(page.text)


async def test_what_would_take_too_long_to_begin_is_broken_off(demo_file: Path) -> None:
    slow = "with recursive n(i) as (select 1 union all select i + 1 from n) select max(i) from n"
    ds = make_datasette(demo_file, settings={"plan_seconds": 0.2})
    ds._settings["sql_time_limit_ms"] = 60_000
    page = await opened(ds, "/practice/-/program-export", [("sql", slow), (SAMPLE, "1")])
    assert page.status_code in (200, 429) and SLOTS.taken == 0


async def test_secrets_are_not_shown_before_they_are_logged(demo_file: Path) -> None:
    ds = make_datasette(demo_file, settings={"allow_secrets": True})
    page = (await opened(ds, "/practice/-/program-export", [("_export_secrets", "include"), (SAMPLE, "1")])).text
    assert "they only leave with a line in the log" in page and PASSWORD_HASH not in page
