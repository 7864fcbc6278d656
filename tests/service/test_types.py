"""A type checker sees what the Python functions take and give: no result is Any."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.source_code import PACKAGE

PROGRAM = """
from pathlib import Path

from datasette_program_export import Export, ExportService, ImportReport, ImportService, Plan, Report, Request
from datasette_program_export import export, load, plan, verify
from datasette_program_export.service.import_models import DryRunResult, ImportResult, ValidationResult
from datasette_program_export.service.import_options import ImportMode, ImportOptions


def write(made: Export, path: Path) -> int:
    with made, path.open("wb") as file:
        return sum(map(file.write, made))


anna = Request(table="clients", records=(("3",),))
foreseen: Plan = plan("practice.db", anna)
written: int = write(export("practice.db", anna), Path("anna.json"))
checked: Report = verify("anna.json")
report: ImportReport = load("copy.db", "anna.json", on_conflict="update", preview=True)
service = ImportService("copy.db", backup_dir="copies")
done: ImportResult = service.import_full_database({"clients": [{"id": "3"}]}, ImportOptions(mode=ImportMode.SKIP))
shown: DryRunResult = service.import_table("clients", [{"id": "3"}], {"mode": "skip"}, dry_run=True)
valid: ValidationResult = service.validate([{"id": "3"}], {"table": "clients"})
rows: int = foreseen.rows + report.tables["clients"].insert + done.inserted_records + shown.would_insert
told: list[str] = checked.problems + done.errors + [error.error for error in valid.errors]
exports = ExportService("practice.db")
for text in exports.stream_table_export("charts"):
    print(text.upper())
"""
REVEALED = """
reveal_type(plan("a"))
reveal_type(export("a"))
reveal_type(next(iter(export("a"))))
reveal_type(load("a", "b"))
reveal_type(verify("a"))
reveal_type(service.import_clients([], dry_run=True))
reveal_type(service.import_charts([]).table_stats["charts"].inserted)
"""
WRONG = {
    'load("a", "b", on_conflict="upsert")': "on_conflict",
    'load("a", "b", previeww=True)': "previeww",
    "ImportOptions(typo=1)": "typo",
    "service.import_table(5, [])": "import_table",
    'export("a", "clients")': "request",
    "done.nothing": "nothing",
}


def checked(program: str, tmp_path: Path) -> str:
    """What mypy says of a program; its cache is that of ``make check``, which makes it quick."""
    root = PACKAGE.parent
    (tmp_path / "program.py").write_text(program)
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file", str(root / "setup.cfg"), "--no-error-summary"]
    return subprocess.run([*command, str(tmp_path / "program.py")], cwd=root, capture_output=True, text=True).stdout


@pytest.mark.timeout(600)
def test_a_program_and_its_mistakes(tmp_path: Path) -> None:
    mistakes = "\n".join(WRONG)
    said = checked(PROGRAM + REVEALED + mistakes + "\n", tmp_path).splitlines()
    first = len((PROGRAM + REVEALED).splitlines())
    by_line: dict[int, str] = {}
    for line in said:
        _, number, text = line.split(":", 2)
        by_line[int(number)] = by_line.get(int(number), "") + text
    notes = [by_line[number] for number in sorted(by_line) if "Revealed type" in by_line[number]]
    assert len(notes) == len(REVEALED.strip().splitlines()) and not any("Any" in note for note in notes)
    for number, what in enumerate(WRONG.values(), first + 1):
        assert "error" in by_line.pop(number, ""), what
    assert not [text for text in by_line.values() if "error" in text]
