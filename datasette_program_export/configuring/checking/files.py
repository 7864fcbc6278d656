"""Checks the folders of files that rows name: is each there, and how many of the files are?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ...database.schema import Schema
from ...database.source import Source
from ...errors import ExportError, SettingsError
from ...exporting.file_columns import check_file_columns
from ...formats.description.file_text import file_sentences, files_in_all
from ...options.request import Request
from ...options.settings import Settings
from ...planning.planner import plan
from .report import CheckedDatabase, Problem

_SETTING = "files"


def check_files(settings: Settings, schema: Schema) -> Iterator[Problem]:
    """Yield the columns that are not there, and the folders that cannot be read."""
    there = {name: folder for name, folder in settings.files.items() if schema.find(name.rpartition(".")[0])}
    try:
        check_file_columns(schema, there)
    except SettingsError as error:
        yield Problem(setting=_SETTING, message=f"{str(error).removeprefix(f'{_SETTING}: ')}.")
    for name, folder in there.items():
        if not Path(folder).is_absolute():
            told = f"{name}: {folder} depends on where the site is started. Write it from the root on: /{folder}"
            yield Problem(level="warning", setting=_SETTING, message=told)
        if not Path(folder).is_dir():
            yield Problem(setting=_SETTING, message=f"{name}: {folder} is no folder that is there.")


def count_files(checked: CheckedDatabase, source: Source, settings: Settings) -> None:
    """Add how many of the files that rows name are there, and which are not."""
    if not settings.files:
        return
    try:
        found = plan(source, Request(), settings=settings).coverage.files
    except ExportError as error:
        checked.problems.append(Problem(setting=_SETTING, message=str(error)))
        return
    checked.files = files_in_all(found)
    checked.problems += [
        Problem(level="warning", setting=_SETTING, message=sentence) for sentence in file_sentences(found)
    ]
