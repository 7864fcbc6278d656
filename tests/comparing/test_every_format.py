"""A database equals its own export in every format that keeps all values and proves itself."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from datasette_program_export import Request, compare, export
from datasette_program_export.formats.registry import NAMES, get_format
from tests.support.databases import torture
from tests.support.runs.thorough import ALL

FORMS = [name for name in NAMES if get_format(name).lossless and get_format(name).self_verifying]


@pytest.fixture(scope="module", params=list(torture.JOURNALS) if ALL else ["UTF-16le"])
def tortured(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return torture.write(tmp_path_factory.mktemp("torture") / "torture.db", request.param, only="values")


@pytest.mark.parametrize("name", FORMS)
def test_a_database_equals_its_export(tortured: Path, tmp_path: Path, name: str) -> None:
    layout = "envelope" if "envelope" in get_format(name).layouts else "rows"
    file = tmp_path / f"file.{name}"
    file.write_bytes(b"".join(export(tortured, Request(format=name, layout=layout, secrets="include"))))
    found = compare(file, tortured)
    assert found.same, [found.sentence, found.notes]
    assert sum(table.unchanged for table in found.tables.values()) > 500
    assert not ALL or compare(tortured, file).same


def test_a_file_in_gzip(demo: Path, tmp_path: Path) -> None:
    file = tmp_path / "demo.programjson.gz"
    file.write_bytes(gzip.compress(b"".join(export(demo))))
    assert compare(file, demo).same
