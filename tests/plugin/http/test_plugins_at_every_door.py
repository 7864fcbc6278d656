"""Plugins of our hooks on a site: told after each download and job, failing with a sentence, never with the site."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from datasette import hookimpl as datasettes
from datasette.plugins import pm

from datasette_program_export import ExportFacts, Format, OwnerRule
from datasette_program_export.options.hooks.specs import hookimpl
from tests.support.plugins.registered import plugged
from tests.support.plugins.toys import FormatPlugin
from tests.support.sites.jobs import done, keeping
from tests.support.sites.permissions import house
from tests.support.sites.server import make_datasette, reader, running, wait_until


def lines(table: Any, request: Any) -> Iterator[bytes]:
    for rows in table.batches:
        yield b"".join(f"{row}\n".encode() for row in rows)


LINES = Format("lines", "Rows as lines.", "lines", "text/x-lines", False, False, encode_table=lines, ending="lines")


class Listener:
    """A plugin of Datasette's that keeps what it hears, and of which site."""

    __name__ = "listener"

    def __init__(self) -> None:
        self.heard: list[ExportFacts] = []
        self.sites: list[Any] = []
        self.threads: list[str] = []

    @datasettes
    def export_finished(self, datasette: Any, facts: ExportFacts) -> Any:
        async def inner() -> None:
            await asyncio.sleep(0)
            self.heard.append(facts)

        self.sites.append(datasette)
        self.threads.append(threading.current_thread().name)
        return inner


@pytest.fixture
def listener() -> Iterator[Listener]:
    with plugged(Listener(), "listener", pm) as plugin:
        yield plugin


@pytest.fixture
def house_file(tmp_path: Path) -> Path:
    return house(tmp_path)


async def test_after_a_download(house_file: Path, listener: Listener) -> None:
    ds = make_datasette(house_file)
    cookies = {"ds_actor": ds.sign({"a": {"id": "anna"}}, "actor")}
    answer = await ds.client.get("/house/artists/1.programjson", cookies=cookies)
    (facts,) = listener.heard
    assert (facts.who, facts.outcome, facts.database, facts.scope) == ("anna", "complete", "house", "record")
    assert facts.sha256 == hashlib.sha256(answer.content).hexdigest() and facts.bytes == len(answer.content)
    assert dict(facts.rows) == {t: d["rows"] for t, d in answer.json()["integrity"]["tables"].items()}
    assert listener.sites == [ds] and listener.threads != ["MainThread"]


async def test_looking_is_no_export_and_a_failure_is_one(house_file: Path, listener: Listener) -> None:
    ds = make_datasette(house_file)
    for path in ("/house/-/program-export?_export_sample=1", "/house/-/program-export.json", "/house/nix.programjson"):
        await ds.client.get(path, headers={"accept": "text/html"})
    assert listener.heard == []
    await ds.client.get("/house/-/query.programjson?sql=select+nix")
    assert [(f.outcome, f.who) for f in listener.heard] == [("failed", None)]
    assert listener.heard[0].error is not None and listener.heard[0].error.startswith("The query cannot be run")


async def test_a_reader_who_leaves(house_file: Path, listener: Listener) -> None:
    endless = "WITH+RECURSIVE+c(x)+AS+(SELECT+1+UNION+ALL+SELECT+x+%2B+1+FROM+c)+SELECT+x+FROM+c"
    with running(make_datasette(house_file)) as server:
        with reader(server.port, f"/house/-/query.programjson?sql={endless}", most=1000):
            pass
        await asyncio.to_thread(wait_until, lambda: listener.heard, "the word of the end")
    assert [(f.outcome, f.sha256) for f in listener.heard] == [("cancelled", None)]


async def test_after_a_job(house_file: Path, tmp_path: Path, listener: Listener) -> None:
    with plugged(FormatPlugin(LINES)), keeping(tmp_path / "jobs", house_file) as ds:
        state = await done(ds, "/house/artists/-/program-export/job?_export_format=lines", "anna")
        for _ in range(200):
            await asyncio.sleep(0.01)
            if listener.heard:
                break
        (facts,) = listener.heard
    assert (facts.who, facts.outcome, facts.format, facts.sha256) == ("anna", "complete", "lines", state["sha256"])


class Failing:
    """A plugin that fails after the export, in both ways."""

    __name__ = "failing"

    @hookimpl
    def export_finished(self, facts: ExportFacts) -> Any:
        if facts.format == "csv":
            raise RuntimeError("canary")

        async def inner() -> None:
            raise RuntimeError("canary")

        return inner()


@pytest.mark.parametrize("form", ["csv", "programjson"])
async def test_an_error_after_the_end_is_logged_and_the_download_is_whole(house_file: Path, caplog, form: str) -> None:
    with plugged(Failing(), "failing", pm):
        answer = await make_datasette(house_file).client.get(f"/house/artists.programjson?_export_format={form}")
    assert answer.status_code == 200 and "bea" in answer.text
    (said,) = [r.getMessage() for r in caplog.records if r.levelno == logging.ERROR]
    assert said.startswith("The plugin failing failed in export_finished (RuntimeError).") and "canary" not in said


class Rule:
    """A plugin whose rule cannot be run."""

    __name__ = "odd"

    @hookimpl
    def export_owner_rules(self) -> list[OwnerRule]:
        return [OwnerRule("artists", "nix", "why")]


def broken(table: Any, request: Any) -> Iterator[bytes]:
    raise KeyError(f"canary {list(table.batches)}")
    yield b""


ODD = FormatPlugin(replace(LINES, encode_table=broken))
MISSING = FormatPlugin(replace(LINES, encode_table=None))
SAID = {
    "The owner rule of the plugin odd for artists cannot be run": (Rule(), "programjson"),
    "The format lines of the plugin odd failed (KeyError).": (ODD, "lines"),
    "There is no format lines; a plugin failed to register its own: The plugin odd": (MISSING, "lines"),
}


@pytest.mark.parametrize("said", SAID)
@pytest.mark.parametrize("accept", ["text/html", "application/json"])
async def test_a_plugin_that_fails_is_a_sentence_with_500(house_file: Path, said: str, accept: str) -> None:
    plugin, form = SAID[said]
    with plugged(plugin, "odd"):
        ds = make_datasette(house_file)
        await ds.invoke_startup()  # the site starts
        headers = {"accept": accept}
        answer = await ds.client.get(f"/house/artists.programjson?_export_format={form}", headers=headers)
        assert answer.status_code == 500 and "canary" not in answer.text
        assert said in (answer.text if accept == "text/html" else answer.json()["error"])
        assert (await ds.client.get("/house/artists")).status_code == 200
        if form != "programjson":
            assert (await ds.client.get("/house/artists.programcsv")).status_code == 200


async def test_a_site_says_at_its_start_what_could_not_be_registered(house_file: Path, caplog) -> None:
    with plugged(MISSING, "odd"):
        await make_datasette(house_file).invoke_startup()
    assert "The plugin odd registers no sound format" in caplog.text


async def test_a_format_at_each_address_and_on_the_page(house_file: Path) -> None:
    with plugged(FormatPlugin(LINES), "good", pm):
        ds = make_datasette(house_file)
        assert (await ds.client.get("/house/artists.programlines")).text == "(1, 'ada')\n(2, 'bea')\n"
        page = await ds.client.get("/house/artists/-/program-export", headers={"accept": "text/html"})
        assert 'value=".lines"' in page.text and "Rows as lines." in page.text
