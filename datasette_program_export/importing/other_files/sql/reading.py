"""Reads another program's SQL script: it is run in a private database, and that is exported to the import."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import IO

from ....database.library import sqlite3
from ....database.source import Source
from ....errors import UnreadableError
from ....exporting.exporter import Export
from ....files.reading_limits import Limits
from ....files.temporary.folder import TemporaryFolder, new_private
from ....formats.dataset import Dataset
from ....formats.description.coverage import EMPTY
from ....formats.description.coverage_text import coverage_sentences
from ....formats.description.schema_text import schema_sentences
from ....options.request import Request
from ....options.settings import Settings
from ...report import ImportReport
from ...staging.columns import ColumnMapping
from .running import run_script

_SCRIPT = re.compile(
    rb"(?:\xef\xbb\xbf)?(?:\s+|--[^\n]*\n|/\*.*?\*/;?)*"
    rb"(?:pragma\s+\w+\s*[=;(]|begin(?:\s+transaction)?\s*;\s*\n|start\s+transaction\s*;"
    rb"|(?:create|drop)\s+(?:temp\s+|temporary\s+)?(?:table|(?:unique\s+)?index|view|virtual\s+table|trigger|database)\s"
    rb"|insert\s+(?:or\s+\w+\s+)?into\s|replace\s+into\s|set\s+[@\w.]+\s*=|lock\s+tables\s|use\s+\S+;\s*\n)",
    re.IGNORECASE | re.DOTALL,
)
_OTHERS = re.compile(r"csv|tsv|tab|json|ndjson|jsonl")  # suffixes that say what a file is
Content = Callable[[], AbstractContextManager[IO[bytes]]]


def is_script(start: bytes, file_name: str) -> bool:
    """Return whether a file is an SQL script, by its name or, where that says nothing else, how it begins."""
    names = file_name.lower().split(".")[1:][-2:]
    return "sql" in names or (_SCRIPT.match(start) is not None and not any(map(_OTHERS.fullmatch, names)))


def read_script(content: Content, intake: ColumnMapping, report: ImportReport, limits: Limits) -> str:
    """Stage all rows of a script and return its layout in words. Raises UnreadableError, SpoolFullError."""
    report.format = "sql"
    with TemporaryFolder(limits.folder) as folder:
        path = new_private(folder / "script.db")
        with content() as file:
            for told in run_script(file, path, limits):
                intake.findings.add("set_aside", told, error=False)
        if not _tables(path):
            raise UnreadableError("The script makes no table, so there are no rows in it.", "unknown")
        source = Source("script", path, immutable=True, spool_dir=limits.folder)
        with Export(source, Request(secrets="include"), settings=Settings(), tell=False) as export:
            export.read(lambda dataset: _staged(dataset, intake, limits))
    return "a script of another program"


def _tables(path: object) -> bool:
    connection = sqlite3.connect(str(path))
    try:
        return connection.execute("SELECT 1 FROM sqlite_master WHERE type = 'table'").fetchone() is not None
    finally:
        connection.close()


def _staged(dataset: Dataset, intake: ColumnMapping, limits: Limits) -> None:
    through = intake.through(dataset)
    for table in through.tables:
        for _ in table.batches:
            limits.go_on()
    through.integrity()
    made = {one.name for one in dataset.schema.objects}  # views and search indexes have no rows to bring along
    left = tuple(part for part in through.coverage().left_out if part.table not in made)
    for sentence in (*coverage_sentences(replace(EMPTY, left_out=left)), *schema_sentences(dataset.schema)):
        intake.findings.add("left_out", sentence, error=False)
