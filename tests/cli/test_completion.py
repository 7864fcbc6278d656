"""What the shell completes, by click: commands, formats, and the tables of the database on the line."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.shell_completion import BashComplete

from datasette_program_export.cli.main import program_export


def offered(words: list[str], begun: str) -> list[str]:
    completion = BashComplete(program_export, {}, "program-export", "_PROGRAM_EXPORT_COMPLETE")
    return [item.value for item in completion.get_completions(words, begun)]


@pytest.mark.parametrize(
    ("words", "begun", "expected"),
    [
        ([], "pr", ["prove"]),
        (["table", "DB"], "Client", ["clients", "client_summary"]),
        (["plan", "DB"], "sess", ["session_notes"]),
        (["table", "nofile.db"], "c", []),
        (["table", "DB", "-f"], "p", ["programjson", "package", "parquet"]),
        (["table", "DB"], "--quie", ["--quiet"]),
    ],
)
def test_words_are_completed(demo_file: Path, words: list[str], begun: str, expected: list[str]) -> None:
    assert offered([str(demo_file) if w == "DB" else w for w in words], begun) == expected
