"""The export page in process: opened, its words, what its form means."""

from __future__ import annotations

import html
import re
from urllib.parse import parse_qsl, urlencode, urlsplit

from datasette_program_export.demo import ANNA, BOB
from datasette_program_export.plugin.request.form import MARK

ANNAS = f"/practice/clients/{ANNA}/-/program-export"
PAGES = {
    "record": ANNAS,
    "record, people by guess": f"{ANNAS}?_export_person=clients",
    "record with choices": f"{ANNAS}?_export_stop=charts.client_id&_export_without=transit_events&_export_format=csv",
    "table": "/practice/clients/-/program-export",
    "filtered": "/practice/charts/-/program-export?chart_type__contains=a&_sort=id",
    "picked": f"/practice/clients/-/program-export?_export_record={ANNA}&_export_record={BOB}&_export_find=a",
    "rows of a csv": "/practice/charts/-/program-export?_export_format=csv&_export_dialect=exact&_export_cascade=0",
    "query": "/practice/-/program-export?sql=select+*+from+charts&_export_sample=1",
    "database": "/practice/-/program-export",
    "importing": "/practice/-/program-import",
    "checking a file": "/-/program-export/verify",
    "jobs": "/-/program-export/jobs",
    "saved options": "/-/program-export/profiles",
    "log": "/-/program-export/audit",
    "settings": "/practice/-/program-export/setup",
    "no such database": "/nothing/-/program-export",
    "an unknown option": f"{ANNAS}?_export_format=nothing",
    "no such file": "/practice/-/program-import/abcdefghijklmnopqrstuvwxyz012345",
    "no such job": "/-/program-export/jobs/abcdefghijklmnopqrstuvwxyz012345",
}


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
