"""Rows written in C inside SQLite, for datasette-program-export. ``PATH`` is the extension that SQLite loads."""

from __future__ import annotations

from pathlib import Path

PATH = next((str(p) for p in sorted(Path(__file__).parent.glob("rows.*")) if p.suffix in (".so", ".pyd")), "")
