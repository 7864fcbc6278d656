"""What the benchmarks write: each its own part of the page, and no other."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import pytest

from tests.support.source_code import PACKAGE


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch):
    """Runs a module of the benchmarks, which import one another by their names."""
    folder = PACKAGE.parent / "benchmarks"
    monkeypatch.syspath_prepend(str(folder))
    yield lambda name: runpy.run_path(str(folder / f"{name}.py"))
    for name in ("timing", "serving", "databases"):
        sys.modules.pop(name, None)


def test_a_part_of_the_page_is_written_in_its_place(tmp_path: Path, capsys: pytest.CaptureFixture[str], module) -> None:
    publish = module("serving")["publish"]
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


def test_ratios_are_of_the_same_turn_and_what_takes_long_runs_once(module) -> None:
    timing = module("timing")
    contender, run = timing["Contender"], timing["Run"]
    seconds = iter([1, 3, 30, 2, 2])  # of base, ours, slow; then of base and ours
    given = lambda: run(next(seconds), 20, 5)  # noqa: E731
    found = [contender("base", given), contender("ours", given, "base", 1.5), contender("slow", given, "ours")]
    timing["take_turns"](found, 2)
    others = {c.name: c for c in found}
    assert timing["ratios_of"](found[1], others) == [1, 3] and timing["ratios_of"](found[2], others) == [10]
    lines = timing["table_of"](found)
    assert lines[3] == "| ours | base | 1.00 | 2.00 | 3.00 | 1.5 | 2.50 | 5.0 | 20 |" and lines[2].startswith(
        "| base |  |  |"
    )


def test_a_ratio_that_got_worse_is_said_until_it_is_mended(tmp_path: Path, module) -> None:
    timing, kept = module("timing"), tmp_path / "ratios.json"

    def told(ours: float) -> list[str]:
        base = timing["Contender"]("base", None, runs=[timing["Run"](1.0)])
        mine = timing["Contender"]("ours", None, "base", runs=[timing["Run"](ours)])
        return timing["keep_ratios"](kept, "export", [base, mine])

    assert told(1.0) == [] and told(1.19) == []
    assert told(1.21) == told(1.21) == ["ours / base: 1.21, was 1.00"]
    assert told(0.9) == [] and told(0.5) == [] and told(0.9) == ["ours / base: 0.90, was 0.50"]
    with pytest.raises(SystemExit):
        timing["end"](["ours"])


def test_stacks_become_a_picture(module) -> None:
    flames = module("flames")
    svg = flames["picture"]("A <title>", flames["tree_of"]("a:f;b:g 30\na:f;c:h 69\nrare:r 0\n"))
    assert svg.count("<rect") == 4 and "c:h: 69.7%" in svg and "A &lt;title&gt;" in svg and "rare" not in svg
