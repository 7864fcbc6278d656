"""The export page in process: opened, its words, what its form means."""

from __future__ import annotations

import html
import re
from urllib.parse import parse_qsl, urlencode, urlsplit

from datasette_program_export.demo import ANNA
from datasette_program_export.plugin.request.form import MARK

ANNAS = f"/practice/clients/{ANNA}/-/program-export"


async def opened(ds, path: str, pairs: list[tuple[str, str]] = (), **headers: str):
    return await ds.client.get(f"{path}?{urlencode(pairs)}" if pairs else path, headers=headers)


def said(page: str) -> str:
    """The page's words."""
    return html.unescape(" ".join(re.sub(r"<[^>]+>", " ", page).split()))


async def meant(ds, path: str, pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """The address to which the form's fields lead."""
    answer = await opened(ds, path, [(MARK, "1"), *pairs])
    assert answer.status_code == 302, answer.text
    return parse_qsl(urlsplit(answer.headers["location"]).query, keep_blank_values=True)
