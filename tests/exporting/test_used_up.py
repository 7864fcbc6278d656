"""An export gives its bytes once: a second iteration is an error, and no empty file."""

from __future__ import annotations

from pathlib import Path

import pytest

from datasette_program_export import ExportError, Request, export
from datasette_program_export.errors import NotFoundError, UsedUpError

CLIENTS = Request(table="clients", cascade=False)


def test_what_was_read_to_its_end_gives_nothing_more(demo: Path) -> None:
    made = export(demo, CLIENTS)
    assert b"".join(made)
    for again in (iter, list, b"".join):
        with pytest.raises(UsedUpError, match="has given its bytes already, or was closed") as caught:
            again(made)
        assert isinstance(caught.value, (ExportError, RuntimeError)) and issubclass(UsedUpError, RuntimeError)


def test_what_was_closed_gives_nothing_more(demo: Path) -> None:
    with export(demo, CLIENTS) as made:
        pass
    with pytest.raises(UsedUpError):
        list(made)
    with export(demo, CLIENTS) as made:
        next(iter(made))
    with pytest.raises(UsedUpError):
        list(made)


def test_what_failed_gives_nothing_more(demo: Path) -> None:
    made = export(demo, Request(table="nowhere"))
    with pytest.raises(NotFoundError):
        list(made)
    with pytest.raises(UsedUpError):
        list(made)


def test_what_was_begun_goes_on(demo: Path) -> None:
    with export(demo, CLIENTS) as made:
        first = next(iter(made))
        rest = b"".join(made)
    assert first + rest == b"".join(export(demo, CLIENTS, created_at=made.created_at))


def test_without_a_request_it_is_the_whole_database(demo: Path) -> None:
    whole = export(demo)
    assert b"".join(whole) == b"".join(export(demo, Request(), created_at=whole.created_at))
