"""Which tests one Datasette line is enough for: they touch nothing of Datasette, so another version changes nothing."""

from __future__ import annotations

import re
from pathlib import Path

TESTS = Path(__file__).parents[1]
# Not exporting/, formats/, database/: they write rows, in Python on the stable line and in C on the alpha line
CORE = ("cli", "files", "importing", "options", "planning", "project", "selection", "service", "verifying")
_SITE = re.compile(
    r"\b(?:from|import) (?:datasette|datasette_program_export\.plugin|tests\.conftest|tests\.support\.sites)\b"
    r"|[\"']datasette[\"']"  # as a command of another process
)


def one_line_is_enough(path: Path) -> bool:
    """Whether this is a file of tests of the core that imports neither Datasette, nor the plugin, nor sites."""
    if not path.name.startswith("test_") or not path.is_relative_to(TESTS):
        return False
    return path.relative_to(TESTS).parts[0] in CORE and not _SITE.search(path.read_text("utf-8"))


def told() -> str:
    """What a run says in which such files did not run."""
    folders = ", ".join(f"{name}/" for name in CORE)
    return (
        f"Tests that touch nothing of Datasette (in {folders}) did not run on this line: "
        "make test runs them on the other, make test-all on both"
    )
