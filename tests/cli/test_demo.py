"""The demo is a practice as it might be, the same every time, in any size."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from datasette_program_export.cli.main import program_export
from datasette_program_export.demo import write_demo
from datasette_program_export.demo.check import WAYS
from datasette_program_export.exporting.exporter import Export
from datasette_program_export.formats.dataset import TableStream
from datasette_program_export.formats.registry import NAMES

TABLES = {
    "app_config": 1, "user_preferences": 1, "clients": 50, "birth_data": 55, "charts": 97, "chart_interpretations": 193,
    "interpretations": 6, "aspect_patterns": 48, "transit_events": 387, "session_notes": 74, "location_cache": 10,
}  # fmt: skip


def test_the_practice(demo_file: Path) -> None:
    with closing(sqlite3.connect(demo_file)) as connection:

        def one(sql: str) -> object:
            return connection.execute(sql).fetchone()[0]

        assert {t: one(f"SELECT count(*) FROM {t}") for t in TABLES} == TABLES
        assert one("PRAGMA journal_mode") == "wal" and connection.execute("PRAGMA foreign_key_check").fetchall() == []
        assert one("SELECT count(*) FROM sqlite_master WHERE type = 'trigger'") == 11
        assert one("SELECT count(*) FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL") == 23
        assert one("SELECT count(*) FROM client_summary") == 50 and one("SELECT count(*) FROM recent_charts") == 97
        names = {f"{a} {b}" for a, b in connection.execute("SELECT first_name, last_name FROM clients")}
        assert {"Seán O'Brien", "José García", "Jürgen Müller", "李 小龙", "Maria Silva"} <= names
        assert len(names) == 49  # two of one name
        assert one("SELECT count(*) FROM charts WHERE client_id IS NULL") > 5
        assert one("SELECT count(*) FROM charts WHERE chart_type = 'synastry'") > 1
        assert one("SELECT count(*) FROM birth_data WHERE time_unknown AND birth_time IS NULL") > 3
        assert str(one("SELECT password_hash FROM app_config")).startswith("$2b$12$")
        charts = [json.loads(text) for (text,) in connection.execute("SELECT DISTINCT chart_data FROM charts")]
        layouts = {(type(c.get("planets")), type(c.get("houses")), "calculation_method" in c) for c in charts}
        assert len(layouts) >= 5 and {} in charts


@pytest.mark.parametrize("clients", [1, 2, 3, 400])
def test_any_size(tmp_path: Path, clients: int) -> None:
    with closing(sqlite3.connect(write_demo(tmp_path / "x.db", clients))) as connection:
        assert connection.execute("SELECT count(*) FROM clients").fetchone() == (clients,)
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "x.db").write_text("mine")
    with pytest.raises(FileExistsError):
        write_demo(tmp_path / "x.db")
    assert (tmp_path / "x.db").read_text() == "mine"


def test_it_checks_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = CliRunner().invoke(program_export, ["demo", str(tmp_path), "--check"])
    lines = done.output.splitlines()[1:]
    assert done.exit_code == 0 and all(line.startswith("ok ") for line in lines), done.output
    assert len(lines) == len(WAYS) * len(NAMES) + 2
    monkeypatch.setattr(Export, "_stream", lambda self, *a, kept=Export._stream: without_a_row(kept(self, *a)))
    done = CliRunner().invoke(program_export, ["demo", str(tmp_path / "again"), "--check"])
    assert done.exit_code == 1 and "failed  a client as csv" in done.output, done.output
    assert "failed  a query as sqlite: cannot be exported: query reads back" in done.output, done.output


def without_a_row(table: TableStream) -> TableStream:
    return replace(table, batches=(batch[1:] for batch in table.batches), written=None)
