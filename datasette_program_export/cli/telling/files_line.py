"""What an import does with the files that rows name, in a line."""

from __future__ import annotations

from ...importing.report import FilesReport


def files_line(files: FilesReport) -> str:
    """Return how many files there are, and what becomes of them."""
    counts = [f"{getattr(files, c):,} {c}" for c in ("new", "equal", "different") if getattr(files, c)]
    counts += [f"{files.aside:,} not written, as their rows were left out"] if files.aside else []
    counts += [f"{files.left:,} not written"] if files.left else []
    return f"  {files.packaged:>9,}  files that rows name, {files.bytes:,} bytes: {', '.join(counts)}"
