"""The audit log of exports: one line of JSON for each export.

A line is written when an export ends, whatever the outcome. A download is not finished before
its line is written: if the log cannot be written, no export is complete.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ...errors import AuditError
from ...formats.description.moments import now_text
from ...options.request import Request
from ..host.protocols import Actor

_WINDOW = 256 * 1024  # bytes of the file that are read for one page


class AuditLog:
    """The log in a file that only the server's user can read."""

    def __init__(self, path: str) -> None:
        self.path = Path(path)

    def check(self) -> None:
        """Check that lines can be written. Raises AuditError if not."""
        self._append(b"")

    def write(self, entry: dict[str, Any]) -> None:
        """Append one line. Raises AuditError."""
        self._append(json.dumps(entry, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n")

    def _append(self, data: bytes) -> None:
        try:
            file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
            try:
                size = os.fstat(file).st_size
                if data and size and os.pread(file, 1, size - 1) != b"\n":
                    data = b"\n" + data  # the previous line was cut
                if data and os.write(file, data) != len(data):
                    raise OSError("the line was cut")
            finally:
                os.close(file)
        except OSError:
            raise AuditError(
                "The log of exports cannot be written, so nothing is exported. Tell the person who runs this site."
            ) from None

    def newest(self, before: int | None = None) -> tuple[list[dict[str, Any]], int | None]:
        """Return lines that end before the offset ``before``, newest first, and the offset for older lines or None."""
        try:
            with self.path.open("rb") as file:
                end = file.seek(0, os.SEEK_END) if before is None else before
                start = max(0, end - _WINDOW)
                file.seek(start)
                data = file.read(end - start)
        except FileNotFoundError:
            return [], None
        except OSError:
            raise AuditError("The log of exports cannot be read. Tell the person who runs this site.") from None
        if start > 0:  # the first line may begin before the window
            skipped = data.find(b"\n") + 1
            start, data = start + skipped, data[skipped:]
        return [_parsed(line) for line in reversed(data.splitlines()) if line], start or None


def _parsed(line: bytes) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(line)
    except ValueError:
        return {"outcome": "unreadable line"}
    return found


class LogEntry:
    """The log line of one export, collected while it runs."""

    def __init__(self, log: AuditLog, actor: Actor, database: str, request: Request) -> None:
        log.check()
        self.log = log
        self._hash = hashlib.sha256()
        self._bytes = 0
        self._written = False
        self._entry: dict[str, Any] = {
            "started": now_text(),
            "actor": actor.get("id") if actor else None,
            "database": database,
            "scope": request.scope,
            "request": request.as_recorded(),
        }

    def watch(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """Yield the chunks unchanged; count and hash them."""
        for chunk in chunks:
            self._hash.update(chunk)
            self._bytes += len(chunk)
            yield chunk

    def end(self, outcome: str, rows: int) -> None:
        """Write the line, once. ``outcome`` is ``complete``, or a sentence that says what went wrong."""
        if self._written:
            return
        self._written = True
        complete = outcome == "complete"
        facts = {"ended": now_text(), "outcome": outcome, "rows": rows, "bytes": self._bytes}
        self.log.write({**self._entry, **facts, "sha256": self._hash.hexdigest() if complete else None})
