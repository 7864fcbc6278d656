"""Show how a file begins: run the real export and stop it after the first bytes.

The sample is part of the page and has no address of its own: looking at a few rows before the export
is not an export, so the audit log has no line for it. Secrets must be logged when they leave, so they
are not shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from threading import Event, Timer

from ...errors import CancelledError, ExportError
from ...exporting.exporter import Export
from ...formats.registry import get_format
from ...options.request import PACKAGE
from ..request.asked import ExportContext
from ..server.identity import person_of
from ..server.slots import SLOTS

_HEAD, _ROWS = 1500, 4000  # bytes shown before the first row, and from it on
_ZIPPED = (
    "The file is a zip: it holds a file for each table, and one that describes them. Its bytes are not for reading."
)
_DATABASE = "The file is a database: open it with a program for SQLite. Its bytes are not for reading."


@dataclass(frozen=True)
class FileSample:
    """The beginning of a file as text.

    ``head`` is the text before the first row, cut by ``left_out`` bytes; ``rows`` the text from the
    first row on; ``note`` a sentence about the sample, or instead of it. ``whole`` is True if the
    file ends here."""

    head: str = ""
    left_out: int = 0
    rows: str = ""
    note: str = ""
    whole: bool = False


def beginning(asked: ExportContext, unwanted: Event | None = None) -> FileSample:
    """Return the beginning of the file that this request would produce, or a sentence why it is not shown.

    Call it on its own thread; it takes one of the ``max_concurrent_exports``. It ends when ``unwanted`` is set."""
    request, note = asked.request, ""
    if request.secrets == "include":
        return FileSample(note="Not shown, as the file would hold secrets: they only leave with a line in the log.")
    if not get_format(request.format).streams:
        return FileSample(note=_DATABASE)
    if request.compress is not None:
        note = f"The file is compressed ({request.compress}); this is what it holds."
        request = request.model_copy(update={"compress": None})
    person = person_of(asked.http.actor)
    try:
        SLOTS.take(asked.settings.max_concurrent_exports, person)
    except ExportError as error:
        return FileSample(note=str(error))
    export = Export(
        asked.source,
        request,
        settings=asked.settings,
        visible=asked.visible,
        max_seconds=asked.max_seconds,
        cancelled=unwanted,
        tell=False,
    )
    timer = Timer(asked.settings.plan_seconds, export.cancel)
    timer.start()
    try:
        return _begun(export, note)
    except CancelledError:
        return FileSample(note=f"Not shown, as it would take longer than {asked.settings.plan_seconds:g} seconds.")
    except ExportError as error:
        return FileSample(note=str(error))
    finally:
        timer.cancel()
        export.close()
        SLOTS.give_back(person)


def _begun(export: Export, note: str) -> FileSample:
    before, after, whole = b"", b"", True
    for chunk in export:
        if export.media_type == get_format(PACKAGE).media_type:
            return FileSample(note=_ZIPPED)
        if after or export.progress.rows:
            after += chunk
        else:
            before += chunk
        if len(after) >= _ROWS:
            whole = False
            break
    if b"\0" in before + after:
        return FileSample(note="The file is not text; its bytes are not for reading.")
    head, rows = _text(before[:_HEAD]), _text(after[:_ROWS])
    return FileSample(head, max(0, len(before) - _HEAD), rows, note, whole and len(after) <= _ROWS)


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace").replace("\r\n", "\n")
