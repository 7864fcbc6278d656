"""Every door leads to the same rows: files of every format, pages and their forms, actions, the command line."""

from __future__ import annotations

import csv
import io
import json
import re
import shlex
import zipfile
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlencode

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from datasette_program_export.cli import exporting
from datasette_program_export.cli.main import program_export
from datasette_program_export.demo import ANNA, BOB, C1
from datasette_program_export.errors import RequestError
from datasette_program_export.options.grammar import arguments
from datasette_program_export.options.request import Request
from datasette_program_export.options.settings import Settings
from datasette_program_export.plugin.host import V1
from tests.support.sites.server import make_datasette

QUERIES = {
    "databases": {"practice": {"queries": {"named": {"sql": "select id, last_name from clients where id > :least"}}}}
}
FORMATS = {"programjson": "json", "ndjson": "ndjson", "csv": "csv", "tsv": "tsv", "package": "zip"}
TYPES = {"json": "application/json", "ndjson": "application/x-ndjson", "csv": "text/csv"}
TYPES |= {"tsv": "text/tab-separated-values", "zip": "application/zip"}
# door: what comes before the ending, its parameters, the scope in the file's name, whether it is one table
DOORS = {
    "database": ("/practice", [("_export_table", "clients"), ("_export_table", "charts")], "practice_database_", False),
    "table": ("/practice/clients", [("last_name__startswith", "O")], "practice_clients_", True),
    "view": ("/practice/client_summary", [], "practice_client_summary_", True),
    "query": (
        "/practice/-/query",
        [("sql", "select id from clients where id > :x"), ("x", "b")],
        "practice_query_",
        True,
    ),
    "stored query": ("/practice/named", [("least", "b")], "practice_named_", True),
    "row": (f"/practice/clients/{ANNA}", [], "practice_clients_Anna-Ascendant_", False),
    "row alone": (f"/practice/clients/{ANNA}", [("_export_cascade", "0")], "practice_clients_Anna-Ascendant_", True),
}


async def site(demo_file: Path, **options):
    made = make_datasette(demo_file, **({"config": QUERIES} if V1 else {"metadata": QUERIES}), **options)
    await made.invoke_startup()
    return made


@pytest.fixture
async def ds(demo_file: Path):
    return await site(demo_file)


async def opened(ds, path: str, pairs=(), **options):
    return await ds.client.get(f"{path}?{urlencode(list(pairs))}" if pairs else path, **options)


async def rows_of(ds, path: str, pairs=()) -> dict:
    response = await opened(ds, path, pairs)
    assert response.status_code == 200, (path, response.text[:300])
    return response.json()["tables"]


def counts(content: bytes, kind: str) -> int:
    """How many rows a file holds, read by Python's own modules."""
    if kind == "json":
        return sum(map(len, json.loads(content)["tables"].values()))
    if kind == "ndjson":
        lines = [json.loads(line) for line in content.splitlines()]
        several = [line for line in lines if "table" in line and "row" in line]
        return len(several) if several else len(lines)
    if kind in ("csv", "tsv"):
        text = io.StringIO(content.decode(), newline="")
        return len(list(csv.reader(text, delimiter="," if kind == "csv" else "\t"))) - 1
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        return sum(
            counts(archive.read(name), name.rpartition(".")[2])
            for name in archive.namelist()
            if name.startswith("data/")
        )


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("door", DOORS)
async def test_every_format_at_every_door(ds, door: str, format: str) -> None:
    path, pairs, name, alone = DOORS[door]
    wanted = sum(map(len, (await rows_of(ds, f"{path}.programjson", pairs)).values()))
    assert wanted > 0
    kind = FORMATS[format]
    kind = kind if alone or kind in ("json", "ndjson") else "zip"
    answers = [await opened(ds, f"{path}.programjson", [*pairs, ("_export_format", format)])]
    if ending := {"csv": "csv", "package": "zip"}.get(format):
        answers.append(await opened(ds, f"{path}.program{ending}", pairs))
        answers.append(await opened(ds, f"{path}.program{ending}", [*pairs, ("_export_format", format)]))
    for answer in answers:
        assert answer.status_code == 200, answer.text[:300]
        assert answer.headers["content-type"].partition(";")[0] == TYPES[kind]
        assert re.search(
            rf'^attachment; filename="{name}\d{{8}}T\d{{6}}Z\.{kind}";', answer.headers["content-disposition"]
        )
        assert counts(answer.content, kind) == wanted


@pytest.mark.parametrize("door", DOORS)
async def test_an_address_that_contradicts_its_format(ds, door: str) -> None:
    path, pairs, _, _ = DOORS[door]
    for ending, format in (("csv", "ndjson"), ("zip", "csv"), ("csv", "programjson")):
        answer = await opened(ds, f"{path}.program{ending}", [*pairs, ("_export_format", format)])
        assert answer.status_code == 400 and f"_export_format={format} contradicts" in answer.json()["error"]


async def test_a_filtered_table_with_what_belongs_to_it(ds) -> None:
    pairs = [("id__in", f"{ANNA},{BOB}"), ("_export_cascade", "1")]
    filtered = await rows_of(ds, "/practice/clients.programjson", pairs)
    picked = [("_export_record", ANNA), ("_export_record", BOB)]
    assert filtered == await rows_of(ds, "/practice/clients.programjson", picked)
    assert len(filtered["charts"]) > 1


async def test_several_records_are_a_union(ds) -> None:
    one, two, both = [
        await rows_of(ds, "/practice/clients.programjson", [("_export_record", key) for key in keys])
        for keys in ((ANNA,), (BOB,), (ANNA, BOB, ANNA))
    ]
    assert [row["id"] for row in both["clients"]].count(ANNA) == 1 and len(both["clients"]) == 2
    for found in (one, two):
        for table, rows in found.items():
            assert all(both[table].count(row) == 1 for row in rows), table
    same = await rows_of(ds, f"/practice/clients/{ANNA}.programjson", [("_export_record", BOB)])
    assert same == both
    missing = await opened(ds, "/practice/clients.programjson", [("_export_record", ANNA), ("_export_record", "nix")])
    assert missing.status_code == 404 and "no row nix in clients" in missing.json()["error"]


PAGES = {
    "row": (f"/practice/clients/{ANNA}", [], f"/practice/clients/{ANNA}/-/program-export"),
    "table": ("/practice/clients", [("last_name__startswith", "O"), ("_sort_desc", "id")], None),
    "view": ("/practice/client_summary", [("_sort", "id")], None),
    "query": (
        "/practice/-/query" if V1 else "/practice",
        [("sql", "select id from clients")],
        "/practice/-/program-export",
    ),
    "stored query": ("/practice/named", [("least", "b")], None),
    "database": ("/practice", [], None),
}
ACTION = re.compile(r'href="([^"]*/-/program-export(?:\?[^"]*)?)"')


@pytest.mark.parametrize("page", PAGES)
async def test_pages_lead_to_the_export_page_with_their_filters(ds, page: str) -> None:
    path, pairs, leads_to = PAGES[page]
    more = [("_facet", "id"), ("_size", "1")] if page in ("table", "view") else []
    found = ACTION.findall((await opened(ds, path, [*pairs, *more], follow_redirects=True)).text)
    wanted = (leads_to or f"{path}/-/program-export") + (f"?{urlencode(pairs)}" if pairs else "")
    assert {link.replace("&amp;", "&") for link in found} == {wanted}  # 1.0 shows it twice on a row
    assert (await opened(ds, wanted)).status_code == 200


@pytest.mark.parametrize("page", PAGES)
async def test_who_may_not_export_gets_no_link(demo_file: Path, page: str) -> None:
    ds = await site(demo_file, settings={"allow": {"id": "anna"}})
    path, pairs, _ = PAGES[page]
    for actor, links in (("bob", 0), ("anna", 1)):
        cookies = {"ds_actor": ds.sign({"a": {"id": actor}}, "actor")}
        answer = await opened(ds, path, pairs, cookies=cookies, follow_redirects=True)
        assert answer.status_code == 200 and len(set(ACTION.findall(answer.text))) == links


_ALWAYS_SENT = ("hidden", "search", "date")


class Form(HTMLParser):
    """What a browser would send by the Download button, and the command that the page tells."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.target, self.pairs, self._inside, self._code, self.command = "", [], False, False, ""
        self.feed(page)

    def handle_starttag(self, tag, attrs) -> None:
        found = dict(attrs)
        if tag == "form":
            self._inside = "program-export" in found.get("action", "")
        self._code = tag == "code"
        if not self._inside:
            return
        if tag == "select":
            self.pairs.append((found["name"], None))  # its first option, if none is chosen
        elif tag == "option" and (self.pairs[-1][1] is None or "selected" in found):
            self.pairs[-1] = (self.pairs[-1][0], found["value"])
        elif tag == "input" and found.get("value") == "Download":
            self.target = found["formaction"]
        elif tag == "input" and "name" in found and (found["type"] in _ALWAYS_SENT or "checked" in found):
            self.pairs.append((found["name"], found.get("value") or ""))

    def handle_endtag(self, tag) -> None:
        self._code = False
        self._inside = self._inside and tag != "form"

    def handle_data(self, data) -> None:
        self.command = data if self._code else self.command


SCOPES = {
    "database": ("/practice", [("_export_table", "clients"), ("_export_without", "clients.phone")]),
    "whole database": ("/practice", []),
    "table": ("/practice/clients", [("last_name__startswith", "O"), ("_sort_desc", "id"), ("_nocol", "phone")]),
    "table with its own": (
        "/practice/clients",
        [("id", ANNA), ("_export_cascade", "1"), ("_export_others", "include")],
    ),
    "part of a table": ("/practice/clients", [("_export_limit", "2"), ("_export_offset", "3"), ("_where", "id > 'a'")]),
    "view": ("/practice/client_summary", []),
    "query": ("/practice", [("sql", "select id, ':x' as s from clients where id > :x"), ("x", "b")]),
    "stored query": ("/practice/named", [("least", "b")]),
    "row": (f"/practice/clients/{ANNA}", [("_export_without", "session_notes"), ("_export_stop", "charts.client_id")]),
    "rows": (f"/practice/clients/{ANNA}", [("_export_record", BOB)]),
    "row alone": (f"/practice/charts/{C1}", [("_export_cascade", "0")]),
}


@pytest.mark.parametrize("scope", SCOPES)
async def test_the_form_and_the_command_of_a_page_give_the_same_rows(ds, demo_file: Path, scope: str) -> None:
    path, pairs = SCOPES[scope]
    document = f"{path}/-/query.programjson" if scope == "query" else f"{path}.programjson"
    wanted = await rows_of(ds, document, pairs)
    pairs = [*pairs, ("_export_format", "programjson")]
    page = await opened(ds, f"{path}/-/program-export", pairs, headers={"accept": "text/html"})
    assert page.status_code == 200, page.text[-500:]
    form = Form(page.text)
    assert await rows_of(ds, form.target, form.pairs) == wanted
    words = shlex.split(form.command)
    assert words[:2] == ["datasette", "program-export"] and words.count("practice.db") == 1
    run = CliRunner().invoke(program_export, [str(demo_file) if w == "practice.db" else w for w in words[2:]])
    assert run.exit_code == 0, (form.command, run.output[-300:])
    found = json.loads(run.stdout_bytes)["tables"]
    assert found == ({"query": wanted["named"]} if scope == "stored query" else wanted)  # there it has no name


words = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=8)
several = st.lists(words, max_size=2).map(tuple)
options = {
    "format": st.sampled_from(list(FORMATS)),
    "layout": st.sampled_from(["rows", "pretty"]),
    "secrets": st.sampled_from(["withhold", "include"]),
    "cascade": st.sampled_from([None, True, False]),
    "parents": st.sampled_from([None, "needed", "none"]),
    "others": st.sampled_from(["withhold", "include"]),
    "without": several,
    "stop": several,
    "sort": st.lists(st.tuples(words, st.booleans()), max_size=2).map(tuple),
    "profile": st.sampled_from([None, "saved"]),
    "columns": st.none() | st.lists(words, min_size=1, max_size=2).map(tuple),
}
requests = st.one_of(
    st.fixed_dictionaries(
        {
            "table": words,
            "records": st.lists(st.lists(words, min_size=1, max_size=2).map(tuple), min_size=1, max_size=2),
        },
        optional=options,
    ),
    st.fixed_dictionaries(
        {"table": words},
        optional={**options, "where": several, "params": st.dictionaries(words, words, max_size=2)}
        | {"limit": st.integers(0, 2**63 - 1), "offset": st.integers(0, 2**63 - 1)},
    ),
    st.fixed_dictionaries({"sql": words, "params": st.dictionaries(words, words, max_size=2)}),
    st.fixed_dictionaries({}, optional={"tables": several, "without": several, "format": options["format"]}),
)


@settings(deadline=None)
@given(requests)
def test_a_request_comes_back_from_its_command_line(fields: dict) -> None:
    try:
        request = Request(**fields)
    except RequestError:  # it contradicts itself
        return
    met = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(exporting, "_export", lambda database, *asked: met.append(exporting._request(*_known(*asked))))
        run = CliRunner().invoke(program_export, arguments(request, "x.db"))
    assert run.exit_code == 0, run.output
    assert met == [request]


def _known(table, keys, found: dict) -> tuple:
    fields = {name: value for name, value in found.items() if name not in ("metadata", "output", "prove", "quiet")}
    return table, keys, fields, Settings(profiles={"saved": {}})
