"""Write proposals and checks of settings as text for the command line."""

from __future__ import annotations

from collections.abc import Iterator

from ...configuring.checking.report import CheckedDatabase, CheckReport, Problem
from ...configuring.proposal import Proposal
from ...configuring.wording import example_lines, introduction, listed, sections
from .terminal import printable


def proposal_as_text(made: Proposal) -> str:
    """Return what was found, why, and what an example's export would hold, as text for people."""
    lines = [introduction(made)]
    for heading, found in sections(made):
        lines += ["", heading, *(f"  {line}" for line in found)]
    if made.example is not None:
        lines += ["", "An export of one record would then hold", *(f"  {line}" for line in example_lines(made.example))]
    lines += ["", *made.notes] if made.notes else []
    return "\n".join(map(printable, lines))


def check_as_text(report: CheckReport) -> str:
    """Return a check of settings as text for people."""
    lines = [*_problems(report.problems)]
    for checked in report.databases:
        lines += _database(checked)
    errors = report.errors
    told = f"{errors} thing{' is' if errors == 1 else 's are'} wrong" if errors else "nothing is wrong"
    return "\n".join(map(printable, [*lines, f"{report.settings}: {told}."]))


def _database(checked: CheckedDatabase) -> Iterator[str]:
    yield f"{checked.database}: {checked.tables:,} table{'' if checked.tables == 1 else 's'}"
    yield from (f"  {line}" for line in _problems(checked.problems))
    if checked.known_by:
        by = {"guess": ", by a guess", "preset": ", by the preset"}.get(checked.known_by, "")
        yield f"  People: {listed(checked.persons) or 'none'}{by}"
        yield f"  Secrets, in no export: {listed(checked.secrets) or 'none'}"
    if checked.files is not None:
        yield f"  Files: {checked.files}"
    for example in checked.examples:
        yield from (f"  {line}" for line in example_lines(example))


def _problems(problems: list[Problem]) -> Iterator[str]:
    for problem in problems:
        mark = "WRONG" if problem.level == "error" else "look"
        yield f"{mark}: {problem.setting + ': ' if problem.setting else ''}{problem.message}"
