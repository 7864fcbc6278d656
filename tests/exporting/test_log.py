"""What the Python functions log: begin, end, counts and seconds at INFO; what was left out at WARNING."""

from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path

import pytest

from datasette_program_export import ExportService, ImportService, Request, export, load, verify
from datasette_program_export.errors import NotFoundError, SourceError

PACKAGE = "datasette_program_export"


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    for name in ("exporting", "importing", "verifying"):  # a site of another test may have made them quiet
        caplog.set_level(logging.DEBUG, f"{PACKAGE}.{name}")
    return caplog


def lines(log: pytest.LogCaptureFixture, level: int) -> list[str]:
    return [r.getMessage() for r in log.records if r.levelno == level and r.name.startswith(PACKAGE)]


def test_an_export_and_what_it_leaves_out(demo: Path, log: pytest.LogCaptureFixture) -> None:
    b"".join(export(demo, Request(table="app_config")))
    begins, ends = lines(log, logging.INFO)
    assert begins == "An export from practice begins: a table, as programjson."
    assert ends.startswith("The export from practice is complete: 1 rows, ") and ends.endswith(" seconds.")
    (warning,) = lines(log, logging.WARNING)
    assert warning.startswith("The export from practice: app_config.password_hash: not included, ")
    assert {r.name for r in log.records} == {f"{PACKAGE}.exporting"}


def test_an_export_that_fails_or_is_closed(demo: Path, log: pytest.LogCaptureFixture) -> None:
    with pytest.raises(NotFoundError):
        b"".join(export(demo, Request(table="nowhere")))
    with export(demo, Request(table="clients", cascade=False)) as made:
        next(iter(made))
    ends = [line for line in lines(log, logging.INFO) if line.startswith("The export")]
    assert "failed (NotFoundError): 0 rows, " in ends[0] and "was closed before its end: " in ends[1]


def test_services_log_as_what_they_use(demo: Path, log: pytest.LogCaptureFixture) -> None:
    ExportService(demo).export_table("clients")
    ImportService(demo).import_table("clients", [{"id": "x"}, {"id": None}], {"continue_on_error": True})
    said = lines(log, logging.INFO)
    assert any(line.startswith("The export from practice is complete: ") for line in said)
    assert "The import into practice.db begins." in said
    assert any("is imported: 1 insert, 0 update, 0 unchanged, 0 skip, 1 left_out; " in line for line in said)
    assert lines(log, logging.WARNING) == ["The import into practice.db: 1 of the kind key in clients."]


def test_a_check(demo: Path, tmp_path: Path, log: pytest.LogCaptureFixture) -> None:
    file = tmp_path / "anna.json"
    file.write_bytes(b"".join(export(demo, Request(table="clients", cascade=False))))
    log.clear()
    assert verify(file).complete and load(demo, file, preview=True).ok
    said = lines(log, logging.INFO)
    assert said[0].startswith("A file was verified: complete, programjson, ") and "preview" in said[1]


def test_nothing_is_printed_by_a_program_that_sets_up_no_log(demo: Path) -> None:
    code = f"from {PACKAGE} import export, Request; b''.join(export({str(demo)!r}, Request(table='app_config')))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_developer_sees_the_cause_of_an_error(tmp_path: Path) -> None:
    broken = tmp_path / "broken.db"
    broken.write_bytes(b"no database " * 1000)
    with pytest.raises(SourceError, match="file is not a database") as caught:
        b"".join(export(broken, Request()))
    assert type(caught.value.__cause__).__name__ == "DatabaseError"
