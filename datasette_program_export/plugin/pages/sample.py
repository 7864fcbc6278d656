"""How a file begins: runs the real export and stops it after the first bytes.

It is the page's own, not an address: a look at a few rows before the export is no export, so
the log has no line for it. Therefore secrets, which are logged when they leave, are not shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from threading import Timer

from ...errors import CancelledError, ExportError
from ...exporting.exporter import Export
from ...formats.registry import get_format
from ...options.request import PACKAGE
from ..request.asked import ExportContext
from ..server.slots import SLOTS

_HEAD, _ROWS = 1500, 4000  # bytes before the first row, and from it on
_ZIPPED = (
    "The file is a zip: it holds a file for each table, and one that describes them. Its bytes are not for reading."
)
_DATABASE = "The file is a database: open it with a program for SQLite. Its bytes are not for reading."


@dataclass(frozen=True)
class FileSample:
    """``head`` is what stands before the first row, ``left_out`` so many bytes of it after that; ``rows`` what
    comes from the first row on; ``note`` a sentence about it, or instead of it. ``whole``: there is no more."""

    head: str = ""
    left_out: int = 0
    rows: str = ""
    note: str = ""
    whole: bool = False


def beginning(asked: ExportContext) -> FileSample:
    """The beginning of the file that this request would give, or a sentence why it is not shown. To be called on
    a thread of its own; it takes a place among the exports that run at once."""
    request, note = asked.request, ""
    if request.secrets == "include":
        return FileSample(note="Not shown, as the file would hold secrets: they only leave with a line in the log.")
    if not get_format(request.format).streams:
        return FileSample(note=_DATABASE)
    if request.compress is not None:
        note = f"The file is compressed ({request.compress}); this is what it holds."
        request = request.model_copy(update={"compress": None})
    try:
        SLOTS.take(asked.settings.max_concurrent_exports)
    except ExportError as error:
        return FileSample(note=str(error))
    export = Export(
        asked.source, request, settings=asked.settings, visible=asked.visible, max_seconds=asked.max_seconds
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
        SLOTS.give_back()


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
