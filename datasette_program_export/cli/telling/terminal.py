"""Make text safe to print on a terminal, and to write where not every character can be."""

from __future__ import annotations

import codecs
import sys
from contextlib import suppress

_AS_JSON = "program_export_as_json"


def printable(line: str) -> str:
    """Escape what would move the cursor, set colours or change the text direction: names can be hostile."""
    return line if line.isprintable() else "".join(c if c.isprintable() else ascii(c)[1:-1] for c in line)


def write_any_character() -> None:
    """Have the standard outputs write a character that their encoding lacks as JSON does (``\\u65e5``).

    So a name never ends a command with an error of its terminal, and what is printed as JSON stays JSON."""
    codecs.register_error(_AS_JSON, _escaped)
    for stream in (sys.stdout, sys.stderr):
        if getattr(stream, "errors", None) in (
            "strict",
            "surrogateescape",
        ):  # a stream that says how it wants it keeps that
            with suppress(AttributeError, ValueError):  # a stream of another kind; one that is closed
                stream.reconfigure(errors=_AS_JSON)  # type: ignore[union-attr]


def _escaped(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    units = error.object[error.start : error.end].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2)), error.end
