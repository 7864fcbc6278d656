"""Which tests one Datasette line is enough for: they touch nothing of Datasette, so another version changes nothing."""

from __future__ import annotations

import re
from pathlib import Path

TESTS = Path(__file__).parents[2]
CORE = (
    "cli", "comparing", "configuring", "database", "exporting", "files", "formats", "importing", "options", "planning",
    "project", "promises", "selection", "service", "verifying",
)  # fmt: skip
# These write rows: in Python on the stable line, in C on the alpha line
_WRITES_ROWS = ("formats/test_contract.py", "formats/test_torture.py", "formats/test_values.py")
# Both lines have the same pages: one is enough for the browser, but for what people do, step by step
_IN_BROWSER, _JOURNEYS = "plugin/browser", "test_journeys.py"
_SITE = re.compile(
    r"\b(?:from|import) (?:datasette|datasette_program_export\.plugin|tests\.conftest|tests\.support\.sites)\b"
    r"|[\"']datasette[\"']"  # as a command of another process
)


def one_line_is_enough(path: Path) -> bool:
    """Whether this is a file of tests of the core that imports neither Datasette, nor the plugin, nor sites.

    Tests in a browser count too, but for the journeys."""
    if not path.name.startswith("test_") or not path.is_relative_to(TESTS):
        return False
    place = path.relative_to(TESTS)
    if place.parent.as_posix() == _IN_BROWSER:
        return place.name != _JOURNEYS
    if place.as_posix() in _WRITES_ROWS:
        return False
    return place.parts[0] in CORE and not _SITE.search(path.read_text("utf-8"))


def told() -> str:
    """What a run says in which such files did not run."""
    folders = ", ".join(f"{name}/" for name in CORE)
    return (
        f"Tests that touch nothing of Datasette (in {folders}) and most in a browser did not run on this line: "
        "make test runs them on the other, make test-all on both"
    )
