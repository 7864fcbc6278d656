"""What a reader keeps in temporary files is gone when its dataset is released, also where no table was read."""

from __future__ import annotations

import io
import tempfile
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from datasette_program_export import Request, export
from datasette_program_export.files.reading_limits import CAREFUL
from datasette_program_export.formats.registry import NAMES, get_format
from tests.support.databases.building import database

READ = [name for name in NAMES if get_format(name).decode is not None]


@pytest.mark.parametrize("read", ["nothing", "a table", "all"])
@pytest.mark.parametrize("name", READ)
def test_temporary_files_are_gone_without_the_garbage_collector(
    name: str, read: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    form = get_format(name)
    layout = form.proving_layout or form.layouts[0]
    with closing(database(None, "CREATE TABLE t (a, b)", "INSERT INTO t VALUES (1, 'x'), (2, 'y')")) as connection:
        content = b"".join(export(connection, Request(table="t", format=name, layout=layout)))
    opened: list[Any] = []
    spooled = tempfile.SpooledTemporaryFile
    monkeypatch.setattr(tempfile, "SpooledTemporaryFile", lambda *a, **k: opened.append(spooled(*a, **k)) or opened[-1])
    assert form.decode is not None
    dataset = form.decode(io.BytesIO(content), replace(CAREFUL, folder=str(tmp_path)))
    tables: list[Any] = []  # held, as by a traceback, so that nothing is freed by itself
    with dataset:
        for table in dataset.tables if read != "nothing" else ():
            tables.append((table, list(table.batches)))
            if read == "a table":
                break
    assert list(tmp_path.iterdir()) == [] and all(one.closed for one in opened)
