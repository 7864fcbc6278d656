"""The hook ``export_finished`` in Python and at the command line: facts after every export, whole or not."""

from __future__ import annotations

import gc
import hashlib
import json
import logging
from collections.abc import Iterator
from dataclasses import FrozenInstanceError
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from datasette_program_export import ExportFacts, ExportService, Request, Settings, Source, export, plan, verify
from datasette_program_export.cli.main import program_export
from datasette_program_export.errors import CancelledError, NotFoundError
from datasette_program_export.options.hooks.specs import hookimpl
from datasette_program_export.verifying.comparison import compare
from tests.support.databases.building import database
from tests.support.plugins.registered import plugged


class Listener:
    """A plugin that keeps what it hears."""

    def __init__(self) -> None:
        self.heard: list[ExportFacts] = []

    @hookimpl
    def export_finished(self, facts: ExportFacts) -> None:
        self.heard.append(facts)


@pytest.fixture
def heard() -> Iterator[list[ExportFacts]]:
    with plugged(Listener()) as plugin:
        yield plugin.heard


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "house.db"
    statements = [f"INSERT INTO c VALUES ({i}, 1, 'canary')" for i in range(2, 5)]
    made = "CREATE TABLE p (id INTEGER PRIMARY KEY)", "CREATE TABLE c (id INTEGER PRIMARY KEY, p REFERENCES p, x)"
    database(path, *made, "INSERT INTO p VALUES (1)", *statements).close()
    return path


def test_a_whole_export(source: Path, heard: list[ExportFacts]) -> None:
    content = b"".join(export(source, Request(table="p", records=[("1",)])))
    (facts,) = heard
    assert (facts.database, facts.scope, facts.format, facts.who) == ("house", "record", "programjson", None)
    assert (facts.outcome, facts.error, dict(facts.rows)) == ("complete", None, {"p": 1, "c": 3})
    assert (facts.bytes, facts.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    assert facts.request == {"table": "p", "records": [["1"]]}
    assert facts.started <= facts.ended and facts.started.endswith("Z")
    assert "canary" not in repr(facts)


def test_one_that_fails_before_its_first_byte(source: Path, heard: list[ExportFacts]) -> None:
    with pytest.raises(NotFoundError):
        b"".join(export(source, Request(table="nix")))
    (facts,) = heard
    assert (facts.outcome, facts.bytes, facts.sha256) == ("failed", 0, None)
    assert facts.error == "There is no table nix in house."


def test_one_that_is_left_cancelled_or_never_begun(source: Path, heard: list[ExportFacts]) -> None:
    with export(source, Request()) as made:
        next(iter(made))
    with export(source, Request()) as made:
        made.cancel()
        with pytest.raises(CancelledError):
            next(iter(made))
    left = export(source, Request())
    next(iter(left))
    del left
    gc.collect()
    export(source, Request()).close()
    assert [(f.outcome, f.sha256) for f in heard] == [("cancelled", None)] * 3


def test_commands_and_the_service_are_heard_and_looking_is_not(source: Path, tmp_path: Path, heard: list) -> None:
    file = tmp_path / "x.json"
    assert CliRunner().invoke(program_export, ["database", str(source), "-o", str(file)]).exit_code == 0
    assert [(f.outcome, f.sha256) for f in heard] == [("complete", hashlib.sha256(file.read_bytes()).hexdigest())]
    heard.clear()
    ExportService(source).export_table("c")
    assert [(f.outcome, dict(f.rows), f.bytes, f.sha256) for f in heard] == [("complete", {"c": 3}, 0, None)]
    heard.clear()
    plan(source, Request())
    compare(report := verify(file), source, Settings())
    assert report.differences == []
    assert heard == []


def test_the_facts_cannot_be_changed(source: Path, heard: list[ExportFacts]) -> None:
    b"".join(export(source, Request()))
    with pytest.raises(FrozenInstanceError):
        heard[0].outcome = "failed"  # type: ignore[misc]
    with pytest.raises(TypeError):
        heard[0].rows["c"] = 0  # type: ignore[index]
    with pytest.raises(TypeError):
        heard[0].request["table"] = "c"  # type: ignore[index]


class Raising:
    @hookimpl
    def export_finished(self, facts: ExportFacts) -> None:
        raise RuntimeError("canary")


class Exiting:
    @hookimpl
    def export_finished(self, facts: ExportFacts) -> None:
        raise SystemExit(3)


class Printing:
    @hookimpl
    def export_finished(self, facts: ExportFacts) -> None:
        print("printed")


class Async:
    @hookimpl
    async def export_finished(self, datasette: Any, facts: ExportFacts) -> None:
        raise AssertionError("nobody waits for it")


@pytest.mark.parametrize("plugin", [Raising(), Exiting()])
def test_an_error_in_it_is_logged_and_breaks_nothing(source: Path, plugin: Any, caplog, heard: list) -> None:
    with plugged(plugin, "odd"):
        assert json.loads(b"".join(export(source, Request())))["integrity"]["rows"] == 4
    (record,) = caplog.records
    assert record.levelno == logging.ERROR and "The plugin odd failed in export_finished (" in record.getMessage()
    assert "test_ending.py" in record.getMessage() and "canary" not in record.getMessage()
    assert [f.outcome for f in heard] == ["complete"]  # the others hear of it


def test_an_async_one_is_for_a_site_only(source: Path, caplog) -> None:
    with plugged(Async(), "odd"):
        b"".join(export(source, Request()))
    assert [r.getMessage() for r in caplog.records] == [
        "The plugin odd has an async export_finished, which only a site can wait for."
    ]


def test_what_a_plugin_prints_does_not_get_into_the_export(source: Path) -> None:
    with plugged(Printing()):
        done = CliRunner().invoke(program_export, ["table", str(source), "p", "-f", "csv"])
    assert (done.stdout, "printed\n" in done.stderr) == ("id\n1\n", True)


def test_nothing_is_hashed_for_nobody(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = export(Source.of(source), Request())
    b"".join(made)
    assert made.ending.facts("complete").sha256 is None
