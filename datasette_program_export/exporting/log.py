"""Logs exports: their begin and end with counts and seconds, and what they left out. No SQL, and no value of a row."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Protocol

from ..database.source import Source
from ..formats.description.coverage import Coverage
from ..formats.description.coverage_text import coverage_sentences
from ..options.request import Request
from .table_reading import Progress

_log = logging.getLogger(__package__)
_log.addHandler(logging.NullHandler())  # a program that sets up no log has none printed


class Logged(Protocol):
    """What is logged of an export."""

    source: Source
    request: Request
    coverage: Coverage
    progress: Progress


@contextmanager
def told(export: Logged) -> Iterator[None]:
    """Log the begin and the end of an export at INFO, and what it left out unasked at WARNING."""
    name, request, started = export.source.name, export.request, time.monotonic()
    _log.info("An export from %s begins: a %s, as %s.", name, request.scope, request.format)
    how = "failed"
    try:
        yield
        how = "is complete"
    except GeneratorExit:
        how = "was closed before its end"
        raise
    except BaseException as error:
        how = f"failed ({type(error).__name__})"  # without its message: it may not be one of ours
        raise
    finally:
        seconds = time.monotonic() - started
        _log.info("The export from %s %s: %s rows, %.3f seconds.", name, how, f"{export.progress.rows:,}", seconds)
    for sentence in _left_out(export.coverage):
        _log.warning("The export from %s: %s", name, sentence)


def _left_out(coverage: Coverage) -> list[str]:
    unasked = tuple(part for part in coverage.left_out if part.why is not None)
    files = tuple(replace(one, gaps=tuple(replace(gap, names=()) for gap in one.gaps)) for one in coverage.files)
    told = replace(coverage, people=None, left_out=unasked, dangling=(), warnings=(), files=files)  # names are values
    return coverage_sentences(told)
