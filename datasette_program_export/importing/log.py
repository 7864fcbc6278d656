"""Logs imports: their begin and end with counts and seconds, and what they left out. No SQL, and no value of a row."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable

from .report import ImportReport

_log = logging.getLogger(__package__)
_log.addHandler(logging.NullHandler())  # a program that sets up no log has none printed
_COUNTS = ("insert", "update", "unchanged", "skip", "left_out")


def logged(target: str, preview: bool, run: Callable[[], ImportReport]) -> ImportReport:
    """Run an import, and log its begin and its end at INFO, and at WARNING why it is refused and what it left out."""
    what, started = "preview of an import" if preview else "import", time.monotonic()
    _log.info("The %s into %s begins.", what, target)
    try:
        report = run()
    except BaseException as error:  # without its message: it may not be one of ours
        seconds = time.monotonic() - started
        _log.info("The %s into %s failed (%s): %.3f seconds.", what, target, type(error).__name__, seconds)
        raise
    counts = ", ".join(f"{report.total(count):,} {count}" for count in _COUNTS)
    how, seconds = report.status, time.monotonic() - started
    _log.info("The %s into %s, of %s, is %s: %s; %.3f seconds.", what, target, report.format, how, counts, seconds)
    for (kind, table), rows in Counter((f.kind, f.table) for f in (*report.findings, *report.left_out)).items():
        _log.warning("The %s into %s: %d of the kind %s in %s.", what, target, rows, kind, table or "the file")
    return report
