"""The tutorial: its commands run, its pictures are there, small, told in words, and its buttons are on the pages."""

from __future__ import annotations

import contextlib
import re
import shlex
import sqlite3
import zipfile
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

import datasette_program_export
from datasette_program_export.cli.main import program_export

ROOT = Path(__file__).parents[2]
TUTORIAL = ROOT / "docs" / "tutorial.md"
WORDS = Path(datasette_program_export.__file__).parent / "plugin" / "words" / "en.yml"
OTHERS = {"Apply", "practice", "clients"}  # Datasette's own word, and names in the demo
PICTURE = re.compile(r"!\[([^\]]*)\]\(([^)]+\.(?:png|gif))\)")


def test_the_commands_run_as_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    """In their order; what the accident destroyed is back at the end."""
    monkeypatch.chdir(tmp_path)
    said = []
    for block in re.findall(r"```sh\n(.*?)```", TUTORIAL.read_text("utf-8"), re.S):
        for command in block.splitlines():
            program, *words = shlex.split(command)
            if program == "python3":
                run_python(words)
                continue
            assert program == "program-export"
            done = CliRunner().invoke(program_export, words)
            assert done.exit_code == 0, f"{command}: {done.output}"
            said.append(done.output)
    assert "README.txt" in capsys.readouterr().out
    assert "complete and unchanged" in said[3] and "3 insert" in said[-2] and "1 update" in said[-2]
    assert "3 insert" not in said[-1] and "3 unchanged" in said[-1]
    with contextlib.closing(sqlite3.connect("practice.db")) as connection:
        found = connection.execute("SELECT email FROM clients WHERE last_name = 'Ascendant'").fetchall()
    assert found == [("client1.a000@example.org",)]


def run_python(words: list[str]) -> None:
    """What the tutorial has Python do: a module with words, or code."""
    if words[:2] == ["-m", "zipfile"]:
        return zipfile.main(words[2:])
    kind, code = words
    assert kind == "-c"
    return exec(compile(code, "tutorial.md", "exec"), {})


@pytest.mark.parametrize("page", [ROOT / "README.md", TUTORIAL], ids=lambda p: p.name)
def test_pictures_are_small_and_told_in_words(page: Path) -> None:
    pictures = PICTURE.findall(page.read_text("utf-8"))
    assert len(pictures) >= 3
    for told, name in pictures:
        assert (page.parent / name).stat().st_size < (400_000 if name.endswith(".gif") else 60_000), name
        assert len(told) > 40, name


def test_each_step_has_one_picture_which_its_script_makes() -> None:
    text = TUTORIAL.read_text("utf-8")
    steps = re.findall(r"^## (\d+)\. ", text, re.M)
    pictures = [name.removeprefix("tutorial/") for _, name in PICTURE.findall(text)]
    assert len(steps) <= 10 and [name.partition("-")[0] for name in pictures] == steps
    assert {path.name for path in (ROOT / "docs" / "tutorial").iterdir()} == set(pictures)
    script = (ROOT / "docs" / "tutorial_pictures.py").read_text("utf-8")
    assert re.findall(r'"([\w-]+\.png)"', script) and set(re.findall(r'"([\w-]+\.png)"', script)) == set(pictures)


def test_what_is_to_be_pressed_is_called_so_on_the_pages() -> None:
    pressed = set(re.findall(r"\*\*([^*]+)\*\*", TUTORIAL.read_text("utf-8"))) - OTHERS
    assert len(pressed) >= 7
    assert {re.sub(r"\d+", "{n}", words) for words in pressed} <= set(_texts(yaml.safe_load(WORDS.read_text("utf-8"))))


def _texts(words: object) -> list[str]:
    if isinstance(words, dict):
        return [text for inner in words.values() for text in _texts(inner)]
    return [str(words)]
