"""The options of ImportService: each one works, is always so, or is refused with a sentence."""

from __future__ import annotations

import gzip
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from datasette_program_export import ImportService
from datasette_program_export.errors import RequestError
from datasette_program_export.service.import_options import (
    ConflictResolution,
    ImportFormat,
    ImportMode,
    ImportOptions,
    ProgressUpdate,
)

ROWS = [{"id": "a", "name": "new"}, {"id": "b", "name": "B"}]


@pytest.fixture
def people(tmp_path: Path) -> Path:
    path = tmp_path / "people.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            "CREATE TABLE people (id TEXT PRIMARY KEY, name TEXT, town TEXT DEFAULT 'Ulm');"
            "INSERT INTO people VALUES ('a', 'old', 'Rome');"
        )
    return path


def content(path: Path) -> list[Any]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("SELECT * FROM people ORDER BY id").fetchall()


def test_options_are_an_object_or_a_dict_and_words_or_members_of_an_enumeration(people: Path) -> None:
    service = ImportService(people)
    for options in ({"mode": "skip"}, ImportOptions(mode=ImportMode.SKIP), {"mode": ImportMode.SKIP}):
        found = service.import_table("people", ROWS, options, dry_run=True)
        assert (found.mode, found["mode"]) == (ImportMode.SKIP, "skip") and (found.would_insert, found.would_skip) == (
            1,
            1,
        )


@pytest.mark.parametrize(
    ("options", "row"),
    [
        ({"default_conflict_resolution": "keep_existing"}, ("a", "old", "Rome")),
        ({"default_conflict_resolution": "merge_fields"}, ("a", "new", "Rome")),
        ({"default_conflict_resolution": "overwrite"}, ("a", "new", "Ulm")),
        ({"mode": "replace", "conflict_resolutions": {"people": "keep_existing"}}, ("a", "old", "Rome")),
        ({"mode": "skip", "default_conflict_resolution": "ask_user"}, ("a", "old", "Rome")),
    ],
)
def test_resolutions_decide_about_rows_that_are_there(people: Path, options: dict[str, Any], row: Any) -> None:
    shown = ImportService(people).detect_conflicts({"people": ROWS}, options).conflicts
    assert {c.resolution for c in shown} <= {ConflictResolution(c.resolution) for c in shown if c.resolution}
    assert ImportService(people).import_table("people", ROWS, options).success
    assert content(people) == [row, ("b", "B", "Ulm")]


def test_no_row_gets_a_new_key(people: Path) -> None:
    for options in ({"default_conflict_resolution": "rename"}, {"conflict_resolutions": {"people": "rename"}}):
        with pytest.raises(RequestError, match="rename: a row never gets a new key here"):
            ImportService(people).import_table("people", ROWS, options)
    with pytest.raises(RequestError, match="There is no table nobody"):
        ImportService(people).import_table("people", ROWS, {"conflict_resolutions": {"nobody": "overwrite"}})


@pytest.mark.parametrize(
    "options",
    [
        *({name: True} for name in ("validate_foreign_keys", "validate_unique_constraints", "use_transactions")),
        {"auto_decompress": True, "csv_quotechar": '"', "disable_foreign_key_checks": False},
        {"strict_validation": False, "batch_size": 10, "enable_progress_tracking": False, "max_errors": 100},
    ],
)
def test_what_is_always_so_may_be_said(people: Path, options: dict[str, Any]) -> None:
    assert ImportService(people).import_table("people", ROWS, options).success


@pytest.mark.parametrize(
    ("option", "why"),
    [
        ({"use_transactions": False}, "always one transaction"),
        ({"validate_foreign_keys": False}, "references are always checked"),
        ({"validate_unique_constraints": False}, "always checked"),
        ({"disable_foreign_key_checks": True}, "allow_dangling"),
        ({"auto_decompress": False}, "always recognised"),
        ({"csv_quotechar": "'"}, "RFC 4180"),
        ({"compression_format": "zlib"}, "gzip, bz2 and zstd are read"),
        ({"mode": "upsert"}, "one of merge, replace, skip, update"),
        ({"batch_size": 0}, "batch_size"),
        ({"typo": 1}, "there is no option typo"),
    ],
)
def test_what_is_not_done_is_refused(people: Path, option: dict[str, Any], why: str) -> None:
    for give in (lambda: ImportService(people).import_table("people", ROWS, option), lambda: ImportOptions(**option)):
        with pytest.raises(RequestError, match=why) as caught:
            give()
        assert "--" not in str(caught.value) and "pydantic" not in str(caught.value)


def test_a_format_or_a_compression_that_is_named_must_be_the_one_of_the_data(people: Path) -> None:
    service, csv = ImportService(people), "id,name\nb,B\n"
    assert service.import_full_database(csv, {"format": "csv"}).inserted_records == 1
    assert service.import_full_database({"people": ROWS}, {"format": ImportFormat.JSON}).updated_records == 1
    before = content(people)
    for data, named in ((csv.replace("b,B", "c,C"), "json"), ({"people": [{"id": "c"}]}, "csv")):
        with pytest.raises(RequestError, match=f"format says {named}, but the data are (csv|json)"):
            service.import_full_database(data, {"format": named})
    packed = gzip.compress(json.dumps({"people": ROWS}).encode())
    assert service.import_full_database(packed, {"compression_format": "gzip"}).success
    with pytest.raises(RequestError, match="compression_format says bz2, but the data are gzip"):
        service.import_full_database(packed, {"compression_format": "bz2"})
    assert content(people) == before


def test_progress_is_told_after_each_batch_and_at_the_end(people: Path) -> None:
    told: list[ProgressUpdate] = []
    rows = [{"id": str(n)} for n in range(2500)]
    options = ImportOptions(batch_size=1000, progress_callback=told.append)
    assert ImportService(people).import_table("people", rows, options).inserted_records == 2500
    assert [u.current_record for u in told if u.status == "reading"] == [1000, 2000]
    assert [u.status for u in told if u.status != "reading"] == ["copying", "writing", "complete"]
    assert (told[-1].status, told[-1].total_records, told[-1].percent_complete) == ("complete", 2500, 100.0)
    told.clear()
    ImportService(people).import_table(
        "people", rows, {"progress_callback": told.append, "enable_progress_tracking": False}
    )
    assert told == []


def test_an_exception_from_the_callback_ends_the_import_and_changes_nothing(people: Path) -> None:
    def stop(update: ProgressUpdate) -> None:
        raise KeyboardInterrupt

    before = content(people)
    with pytest.raises(KeyboardInterrupt):
        ImportService(people).import_table("people", ROWS, {"progress_callback": stop})
    assert content(people) == before


def test_safety_copies_go_into_a_folder_of_ones_own(people: Path, tmp_path: Path) -> None:
    service = ImportService(people, backup_dir=tmp_path / "copies" / "of people")
    assert service.backup_dir is not None and service.backup_dir.is_dir()
    done = service.import_table("people", ROWS)
    assert done.backup_path is not None and Path(done.backup_path).parent == service.backup_dir
    with closing(sqlite3.connect(done.backup_path)) as copy:
        assert copy.execute("SELECT count(*) FROM people").fetchone() == (1,)
