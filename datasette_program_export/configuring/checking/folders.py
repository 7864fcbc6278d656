"""Checks that the folders and files that settings name can be written to."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from ...database.source import belongs_to
from ...options.settings import Settings
from .report import Problem

_FOLDERS = ("spool_dir", "jobs_dir", "safety_copy_dir")


def check_folders(settings: Settings, databases: list[Path]) -> Iterator[Problem]:
    """Yield the folders and the log that cannot be written to, or that are a database's own files."""
    for key in _FOLDERS:
        named = getattr(settings, key)
        if named is not None and (why := _not_writable(Path(named), made=key != "spool_dir")):
            yield Problem(setting=key, message=why)
    if settings.audit_log is not None:
        log = Path(settings.audit_log)
        if any(belongs_to(path, log) for path in databases):
            yield Problem(setting="audit_log", message=f"{log} is a file of a database. Name another one.")
        elif log.exists() and not (log.is_file() and os.access(log, os.W_OK)):
            yield Problem(setting="audit_log", message=f"{log} cannot be written to.")
        elif not log.exists() and (why := _not_writable(log.parent, made=False)):
            yield Problem(setting="audit_log", message=why)


def _not_writable(folder: Path, made: bool) -> str | None:
    """Return why no file can be made in a folder; with ``made``, it is made where only it is missing."""
    if folder.is_dir():
        return None if os.access(folder, os.W_OK | os.X_OK) else f"{folder} cannot be written to by this user."
    if folder.exists():
        return f"{folder} is not a folder."
    if made and folder.parent.is_dir() and os.access(folder.parent, os.W_OK | os.X_OK):
        return None
    return f"{folder} is not there. Make it: mkdir -p {folder}"
