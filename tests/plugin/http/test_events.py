"""Datasette's events: one for each export and import that has ended; nothing on a line that has none."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from datasette import hookimpl
from datasette.plugins import pm

from datasette_program_export.plugin.host import events
from tests.support.plugins.registered import plugged
from tests.support.sites.imports import CSV, UPDATE, imported, looked_at
from tests.support.sites.jobs import done, keeping
from tests.support.sites.permissions import house
from tests.support.sites.server import make_datasette, reader, running, wait_until

EVENTS = events.HAS_EVENTS


class Tracker:
    """A plugin of Datasette's that keeps our events."""

    __name__ = "tracker"

    def __init__(self) -> None:
        self.heard: list[Any] = []
        self.fails = False

    @hookimpl
    async def track_event(self, event: Any) -> None:
        if event.name.startswith("program-"):
            self.heard.append(event)
            if self.fails:
                raise RuntimeError("canary")

    async def told(self) -> list[tuple[Any, ...]]:
        """What was heard, once something has been; on a line without events, that nothing was."""
        for _ in range(300 if EVENTS else 5):
            await asyncio.sleep(0.01)
            if self.heard:
                await asyncio.sleep(0.02)  # a second word of the same end would come now
                break
        return [(e.name, (e.actor or {}).get("id"), e.properties()) for e in self.heard]


@pytest.fixture
def tracker() -> Iterator[Tracker]:
    with plugged(Tracker(), "tracker", pm) as plugin:
        yield plugin


@pytest.fixture
def house_file(tmp_path: Path) -> Path:
    return house(tmp_path)


def expected(kind: str, who: str | None, **facts: Any) -> list[tuple[Any, ...]]:
    return [(f"program-{kind}-finished", who, facts)] if EVENTS else []


def test_the_classes_are_told_where_there_are_events() -> None:
    names = [kind.__name__ for kind in events.event_classes()]
    assert names == (["ExportFinished", "ImportFinished"] if EVENTS else [])


async def test_a_download(house_file: Path, tracker: Tracker) -> None:
    ds = make_datasette(house_file)
    cookies = {"ds_actor": ds.sign({"a": {"id": "anna"}}, "actor")}
    answer = await ds.client.get("/house/artists/1.programjson?_export_cascade=0", cookies=cookies)
    facts = {"database": "house", "what": "record", "format": "programjson", "tables": ["artists"], "rows": 1}
    size = len(answer.content)
    assert await tracker.told() == expected("export", "anna", **facts, bytes=size, outcome="complete")


async def test_a_failure_is_told_and_a_look_is_not(house_file: Path, tracker: Tracker) -> None:
    ds = make_datasette(house_file)
    for path in ("/house/-/program-export?_export_sample=1", "/house/-/program-export.json"):
        await ds.client.get(path, headers={"accept": "text/html"})
    await ds.client.get("/house/-/query.programjson?sql=select+'canary'+from+nix")
    facts = {"database": "house", "what": "query", "format": "programjson", "tables": [], "rows": 0, "bytes": 0}
    assert await tracker.told() == expected("export", None, **facts, outcome="failed")


async def test_a_reader_who_leaves(house_file: Path, tracker: Tracker) -> None:
    endless = "WITH+RECURSIVE+c(x)+AS+(SELECT+1+UNION+ALL+SELECT+x+%2B+1+FROM+c)+SELECT+x+FROM+c"
    with running(make_datasette(house_file)) as server:
        with reader(server.port, f"/house/-/query.programjson?sql={endless}", most=1000):
            pass
        if EVENTS:
            await asyncio.to_thread(wait_until, lambda: tracker.heard, "the event")
    assert [e.outcome for e in tracker.heard] == (["cancelled"] if EVENTS else [])


async def test_a_job(house_file: Path, tmp_path: Path, tracker: Tracker) -> None:
    with keeping(tmp_path / "jobs", house_file) as ds:
        state = await done(ds, "/house/artists/-/program-export/job?_export_format=csv&_export_cascade=0", "anna")
        told = await tracker.told()
    facts = {"database": "house", "what": "table", "format": "csv", "tables": ["artists"]}
    facts |= {"rows": state["rows"], "bytes": state["bytes"], "outcome": "complete"}
    assert told == expected("export", "anna", **facts)


async def test_an_import_and_not_its_preview(demo: Path, tmp_path: Path, tracker: Tracker) -> None:
    with keeping(tmp_path / "jobs", demo, root=True) as ds:
        one = await looked_at(ds, CSV, options=UPDATE)
        assert tracker.heard == []
        assert (await imported(ds, one))["state"] == "done"
        told = await tracker.told()
    facts = {"database": "practice", "what": "csv", "tables": ["clients"], "rows": 1, "bytes": len(CSV)}
    assert told == expected("import", "root", **facts, outcome="complete")


async def test_an_import_that_is_refused(demo: Path, tmp_path: Path, tracker: Tracker) -> None:
    with keeping(tmp_path / "jobs", demo, root=True) as ds:
        one = await looked_at(ds, CSV, options="?table=clients")
        assert (await imported(ds, one))["state"] == "refused"
        told = await tracker.told()
    assert [(name, facts["rows"], facts["outcome"]) for name, _, facts in told] == (
        [("program-import-finished", 0, "refused")] if EVENTS else []
    )
    assert "Annerl" not in str(told) and "a.csv" not in str(told)


@pytest.mark.skipif(not EVENTS, reason="this line has no events")
async def test_a_plugin_that_fails_spoils_nothing(
    house_file: Path, tracker: Tracker, caplog: pytest.LogCaptureFixture
) -> None:
    tracker.fails = True
    with caplog.at_level(logging.ERROR):
        answer = await make_datasette(house_file).client.get("/house/artists.programjson")
    assert answer.status_code == 200 and answer.json()["integrity"]
    assert len(tracker.heard) == 1
    assert "failed in track_event (RuntimeError)" in caplog.text and "canary" not in caplog.text
