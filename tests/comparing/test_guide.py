"""The page about comparing: its commands run, its Python runs, what it quotes is said."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from datasette_program_export.cli.main import program_export

PAGE = Path(__file__).parents[2] / "docs" / "compare.md"


def test_the_page_runs_as_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A text below a command is what that says, line by line; only a comparison that found something ends with 1."""
    monkeypatch.chdir(tmp_path)
    said = ""
    for kind, code in re.findall(r"```(sh|text|python)\n(.*?)```", PAGE.read_text("utf-8"), re.S):
        if kind == "python":
            exec(compile(code, "compare.md", "exec"), {})
        elif kind == "text":
            assert [line for line in code.splitlines() if line not in said.splitlines()] == []
        else:
            said = ""
            for command in code.splitlines():
                words = shlex.split(command)[1:]
                done = CliRunner().invoke(program_export, words)
                assert done.exit_code == (words[0] == "compare"), f"{command}: {done.output}"
                said += done.output
    assert len((tmp_path / "differences.csv").read_text().splitlines()) == 4
