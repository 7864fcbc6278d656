"""Text that is safe to print on a terminal."""

from __future__ import annotations


def printable(line: str) -> str:
    """The line without what would move a terminal's cursor, colour it, or turn its direction: names can be hostile."""
    return line if line.isprintable() else "".join(c if c.isprintable() else ascii(c)[1:-1] for c in line)
