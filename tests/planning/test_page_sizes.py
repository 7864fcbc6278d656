"""A plan tells how large a page to read will be, and that one will be refused, before anybody waits for it."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from datasette_program_export import Request, export, plan
from datasette_program_export.cli.main import program_export
from datasette_program_export.demo import ANNA
from datasette_program_export.errors import TooLargeError
from datasette_program_export.formats.registry import get_format
from datasette_program_export.planning.warnings import cautions, too_large
from datasette_program_export.planning.written_sizes import size_as
from tests.support.dossiers.files import FILES, PNG, Case, big

FORM = get_format("dossier")
DEMO: list[dict[str, Any]] = [
    {"table": "clients", "records": [[ANNA]]}, {"table": "clients", "cascade": False},
    {"table": "charts", "cascade": False}, {},
]  # fmt: skip
REAL = [
    ("chinook", {"table": "Artist", "records": [["90"]]}), ("chinook", {"table": "Customer", "records": [["5"]]}),
    ("chinook", {}), ("northwind_small", {"table": "Customers", "records": [["ALFKI"]]}), ("northwind_small", {}),
]  # fmt: skip


def near(source: Path, request: Request) -> float:
    """How many times as large as it is a page is foretold."""
    planned = plan(source, request)
    foretold = size_as(planned, FORM, len(planned.tables) > 1)
    assert planned.complete and foretold is not None and too_large(planned, FORM) is None
    return foretold / len(b"".join(export(source, request)))


@pytest.mark.parametrize("asked", DEMO, ids=str)
def test_the_size_of_a_page_is_about_as_said(demo_file: Path, asked: dict[str, Any]) -> None:
    assert 0.7 < near(demo_file, Request(**asked, format="dossier")) < 1.4


@pytest.mark.parametrize(("name", "asked"), REAL, ids=str)
def test_also_of_real_databases(real_data: Path, name: str, asked: dict[str, Any]) -> None:
    assert 0.7 < near(real_data / f"{name}.db", Request(**asked, format="dossier")) < 1.4


def test_files_are_a_part_of_it(tmp_path: Path) -> None:
    case = Case(tmp_path)
    case.put("letter.pdf", bytes(range(256)) * 4000)
    request = Request(format="dossier", table="clients", records=(("1",),))
    planned = plan(case.path, request, settings=case.settings)
    assert 0.9 < (size_as(planned, FORM, True) or 0) / 1_400_000 < 1.1
    assert not any("holds none" in told for told in cautions(planned, request))


def test_pictures_that_stand_in_their_rows_are_a_part_of_it(tmp_path: Path) -> None:
    case = Case(tmp_path)
    case.put("anna/portrait.png", PNG + random.Random(1).randbytes(250_000))
    request = Request(format="dossier", table="clients", records=(("1",),))
    planned = plan(case.path, request, settings=case.settings)
    assert 0.9 < (size_as(planned, FORM, True) or 0) / len(case.export()) < 1.1
    assert planned.picture_bytes > 250_000
    case.put("anna/portrait.png", PNG + random.Random(1).randbytes(350_000))
    assert plan(case.path, request, settings=case.settings).picture_bytes == len(FILES["lie.png"])


@pytest.mark.parametrize(("rows", "size", "told"), [(20_001, 1, "20,001"), (400, 80_000, "32 MB")])
def test_what_will_be_refused_is_said_before(tmp_path: Path, rows: int, size: int, told: str) -> None:
    path = big(tmp_path / "big.db", rows, size)
    command = CliRunner().invoke(program_export, ["plan", str(path), "t", "-f", "dossier"])
    assert command.exit_code == 0 and told in command.output and "guide: page" in command.output
    other = CliRunner().invoke(program_export, ["plan", str(path), "t"])
    assert "a browser has to bear" not in other.output
    with pytest.raises(TooLargeError):
        b"".join(export(path, Request(table="t", format="dossier")))


def test_files_alone_can_be_too_much(tmp_path: Path) -> None:
    case = Case(tmp_path)
    with (case.root / "letter.pdf").open("wb") as file:
        file.truncate(31_000_000)
    request = Request(format="dossier", table="clients", records=(("1",),))
    (told, *_) = cautions(plan(case.path, request, settings=case.settings), request)
    assert "the files alone are 31 MB" in told
    none = case.settings.model_copy(update={"files": {}})
    assert too_large(plan(case.path, request, settings=none), FORM) is None
    assert too_large(plan(case.path, request, settings=case.settings), get_format("package")) is None
