"""Where the source code is: the package and its tests."""

from __future__ import annotations

from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "datasette_program_export"
TESTS = Path(__file__).parents[1]


FILES = sorted(PACKAGE.rglob("*.py"))
