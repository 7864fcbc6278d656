"""Reads a file of any kind into the staging database and collects its findings."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import IO

from ..errors import OtherKindError, UnreadableError, UnsupportedError
from ..files.input_file import check_is_file, open_input
from ..files.reading_limits import CAREFUL, TRUSTING, Limits
from ..formats.registry import detect, get_format
from ..options.settings import Settings
from ..verifying.report import Report
from ..verifying.verifier import examine
from .choices import ImportChoices
from .other_files.concerns import check_concerned
from .other_files.detection import BINARY, read_foreign
from .report import EDITED, OTHER_KIND, FindingCollector, ImportReport
from .staging.columns import ColumnMapping

_LINES = (".ndjson", ".jsonl", ".nl")


def limits_of(settings: Settings) -> Limits:
    """Return the limits for a file that is not trusted."""
    disk = int(settings.spool_disk_mb * 1e6)
    return replace(CAREFUL, cell=int(settings.cell_mb * 1e6), folder=settings.spool_dir, disk=disk)


def read(
    path: Path,
    intake: ColumnMapping,
    choices: ImportChoices,
    report: ImportReport,
    findings: FindingCollector,
    careful: Limits = CAREFUL,
) -> None:
    """Stage every row of the file. A truncated, changed or inconsistent file becomes a finding.

    Raises NotFoundError, RequestError (the file names no table and none was given), OSError."""
    check_is_file(path)
    limits = TRUSTING if choices.trusted else careful
    about = Report(file=path.name, status="unknown", bytes=path.stat().st_size)
    try:
        with open_input(path) as file:
            found, report.compression, _, start = detect(file, limits)
            file.seek(0)
            if found is not None:
                report.format = found
                if _examined(file, about, limits, intake, start):
                    check_concerned(choices, "document")  # not before: some files only begin like ours
                else:
                    found = None
            elif about.bytes == 0:
                _no_lines(path, intake, choices, report)
        if found is None and about.bytes:
            read_foreign(path, intake, choices, report, limits)
    except (UnreadableError, UnsupportedError) as error:
        limits.go_on()  # an interrupted statement is no fault of the file
        findings.add(OTHER_KIND if isinstance(error, OtherKindError) else "file", str(error))
        return
    except RecursionError:
        findings.add("file", "The file is nested far too deeply.")
        return
    if found is None:
        return
    report.export = about.export
    changed = about.status in ("changed", "damaged") and get_format(found).edited
    if changed:
        told = (
            "The file was changed after it was written: what it holds now is imported. Rows that were deleted in it "
            "stay in the database."
        )
        findings.add(EDITED, told, error=False)
    for problem in about.problems:
        findings.add("read" if changed else "file", problem, error=not changed)
    if about.status != "complete" and not about.problems:
        findings.add("file", "The file is not complete.")
    for sentence in about.left_out:
        findings.add("left_out", sentence, error=False)


def _examined(file: IO[bytes], about: Report, limits: Limits, intake: ColumnMapping, start: bytes) -> bool:
    """Examine and stage a file in a format of ours; return False for a text that only begins like one."""
    try:
        examine(file, about, limits, intake.through)
    except UnreadableError as error:
        is_other = about.format is not None and get_format(about.format).edited  # a workbook of another program
        if error.reason != "unknown" or about.export or (start.startswith(BINARY) and not is_other):
            raise
        return False
    return True


def _no_lines(path: Path, intake: ColumnMapping, choices: ImportChoices, report: ImportReport) -> None:
    """Stage no row for an empty file, if that is how an empty table looks as lines. Raises UnreadableError if not."""
    table = intake.find(choices.table) if choices.table and path.suffix.lower() in _LINES and intake.schema else None
    if table is None:
        raise UnreadableError("The file is empty.", "cut")
    intake.loose(table, texts=False, unit="line")
    report.format, report.layout = "ndjson", "lines of rows, of which there are none"
