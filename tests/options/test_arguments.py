"""Wrong arguments of the Python functions: one kind of error, in Python's words."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from datasette_program_export import ExportService, ImportService, Request, export, load, plan, prove, verify
from datasette_program_export.errors import ArgumentTypeError, NotFoundError, RequestError

WRONG = [None, 5, [None], [1, 2], {"a": 1}, object(), 2.5, True]
DATABASE = "database: a path, a file: address, a sqlite3 connection"


@pytest.mark.parametrize("wrong", WRONG)
def test_what_is_no_database(wrong: Any) -> None:
    calls: list[Callable[[], object]] = [
        lambda: export(wrong, Request()),
        lambda: plan(wrong, Request()),
        lambda: ExportService(wrong),
        lambda: ImportService(wrong),
        lambda: load(wrong, "file.json"),
    ]
    for call in calls:
        with pytest.raises(ArgumentTypeError, match=DATABASE) as caught:
            call()
        assert isinstance(caught.value, ValueError) and isinstance(caught.value, TypeError)


@pytest.mark.parametrize("wrong", WRONG)
def test_what_is_no_file(wrong: Any, demo: Path) -> None:
    for call in (lambda: verify(wrong), lambda: prove(wrong), lambda: load(demo, wrong)):
        with pytest.raises(ArgumentTypeError, match="file: a path is needed, not a"):
            call()


@pytest.mark.parametrize("wrong", ["", "a\0b"])
def test_what_is_the_name_of_no_file(wrong: str, demo: Path) -> None:
    for call in (lambda: verify(wrong), lambda: load(demo, wrong), lambda: export(wrong)):
        with pytest.raises((RequestError, NotFoundError)):
            call()


@pytest.mark.parametrize("wrong", [value for value in WRONG if value is not None])
def test_what_is_no_request_and_no_settings(wrong: Any, demo: Path) -> None:
    for call in (export, plan):
        with pytest.raises(ArgumentTypeError, match="request: Request is needed, not a"):
            call(demo, wrong)
        with pytest.raises(ArgumentTypeError, match="settings: Settings is needed, not a"):
            call(demo, Request(), settings=wrong)
    for called in (lambda: load(demo, "x.json", settings=wrong), lambda: prove("x.json", settings=wrong)):
        with pytest.raises((ArgumentTypeError, NotFoundError), match=r"settings: Settings is needed|no file x\.json"):
            called()


def test_paths_may_be_texts_bytes_or_paths(demo: Path, tmp_path: Path) -> None:
    file = tmp_path / "anna.json"
    file.write_bytes(b"".join(export(demo, Request(table="clients", cascade=False))))
    for path in (file, str(file), str(file).encode()):
        assert verify(path).status == "complete"  # type: ignore[arg-type]
        assert load(demo, path, preview=True).tables["clients"].unchanged  # type: ignore[arg-type]
