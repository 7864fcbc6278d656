"""Make text safe to print on a terminal."""

from __future__ import annotations


def printable(line: str) -> str:
    """Escape what would move the cursor, set colours or change the text direction: names can be hostile."""
    return line if line.isprintable() else "".join(c if c.isprintable() else ascii(c)[1:-1] for c in line)
