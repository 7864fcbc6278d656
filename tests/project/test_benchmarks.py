"""What the benchmarks write: each its own part of the page, and no other."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from tests.support.source_code import PACKAGE


def test_a_part_of_the_page_is_written_in_its_place(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    publish = runpy.run_path(str(PACKAGE.parent / "benchmarks" / "serving.py"))["publish"]
    page = tmp_path / "performance.md"
    publish("## A", "About a.", ["| a |"], page)
    publish("## A b", "About both.", ["| ab |"], page)
    publish("## C", "About c.", ["| c |"], page)
    assert (
        page.read_text()
        == "## A\n\nAbout a.\n\n| a |\n\n## A b\n\nAbout both.\n\n| ab |\n\n## C\n\nAbout c.\n\n| c |\n"
    )
    before = page.read_text()
    publish("## A", "About a, again.", ["| new |"], page)
    publish("## C", "About c.", ["| newer |"], page)
    expected = before.replace("About a.\n\n| a |", "About a, again.\n\n| new |").replace("| c |", "| newer |")
    assert page.read_text() == expected
    publish("## C", "About c.", ["| shown only |"], None)
    assert page.read_text() == expected and "| shown only |" in capsys.readouterr().out
