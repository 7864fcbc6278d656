"""The documentation runs: its commands, its Python, its generated parts, its links."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from datasette_program_export.cli import program_export
from datasette_program_export.settings import Settings, read_settings

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_generated_parts_are_true(page: Path) -> None:
    done = subprocess.run([sys.executable, "-m", "cogapp", "--check", str(page)], capture_output=True, text=True)
    assert done.returncode == 0, f"run make docs: {done.stdout}"


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text("utf-8")):
        assert target.startswith("https://") or (page.parent / target).exists(), target


def test_the_readmes_recipes_run_as_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    text = (ROOT / "README.md").read_text("utf-8")
    commands = [line for block in re.findall(r"```sh\n(.*?)```", text, re.S) for line in block.splitlines()]
    assert len(commands) >= 7
    for command in commands:
        words = shlex.split(command)
        assert words[:2] == ["datasette", "program-export"]
        done = CliRunner().invoke(program_export, words[2:])
        assert done.exit_code == 0, f"{command}: {done.output}"
    assert json.loads((tmp_path / "anna.json").read_bytes())["integrity"]["rows"] == 28
    assert (tmp_path / "brazil.csv").read_text().count("Brazil") > 1
    (code,) = re.findall(r"```python\n(.*?)```", text, re.S)
    exec(compile(code, "README.md", "exec"), {})
    assert capsys.readouterr().out == "28 rows\n"
    again = json.loads((tmp_path / "anna-again.json").read_bytes())
    assert again["integrity"]["tables"] == json.loads((tmp_path / "anna.json").read_bytes())["integrity"]["tables"]


def test_the_demos_settings_are_valid() -> None:
    assert read_settings(ROOT / "metadata.yml", "practice") == Settings(preset="the-program")


def test_the_two_commands_of_the_readme_are_in_the_makefile() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    for target in re.findall(r"^    make (\w+)", (ROOT / "README.md").read_text("utf-8"), re.M):
        assert re.search(rf"^{target}:", makefile, re.M)
