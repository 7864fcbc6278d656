"""Whose a row is, case by case: each is a line of the table in docs/closure.md."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Any

import pytest

from datasette_program_export import Settings
from datasette_program_export.errors import SettingsError
from tests.support.databases.building import document
from tests.support.databases.owner_cases import CASES, Case


def keys_of(found: dict[str, Any]) -> dict[str, set[Any]]:
    return {table: {row["id"] for row in rows} for table, rows in found["tables"].items() if rows}


def exported_with(case: Case, **more: Any) -> dict[str, set[Any]]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.executescript(case.sql)
        subject = next(t for t in case.expected if t in case.settings["persons"])
        (width,) = connection.execute("SELECT count(*) FROM pragma_table_info(?) WHERE pk", [subject]).fetchone()
        key = ("1", "9")[:width]
        return keys_of(document(connection, subject, key, settings=Settings.model_validate(case.settings | more)))


@pytest.mark.parametrize("case", CASES, ids=[case.rows for case in CASES])
def test_whose_a_row_is(case: Case) -> None:
    assert exported_with(case) == case.expected


def named(words: str) -> Case:
    return next(case for case in CASES if case.rows.startswith(words))


def test_settings_say_that_two_rows_are_one_person() -> None:
    found = exported_with(named("the same without UNIQUE"), same_person=["patients.person_id"])
    assert found == {"patients": {1}, "persons": {7}, "letters": {1}}


def test_settings_take_back_what_was_taken_for_a_detail_or_the_same_person() -> None:
    found = exported_with(named("the address that Anna refers to"), mentions=["clients.address_id"])
    assert found == {"clients": {1}, "addresses": {1}}  # needed, and nothing hangs on it
    found = exported_with(named("`patients.person_id` is unique"), mentions=["patients.person_id"])
    assert found == {"patients": {1}, "visits": {1}}


def test_the_order_of_the_tables_decides() -> None:
    case = named("a note on Bob's session")
    assert exported_with(case, persons=["staff", "clients"]) == {"staff": {1}, "sessions": {1}, "notes": {1, 2}}


@pytest.mark.parametrize("setting", ["owns", "mentions", "same_person"])
def test_a_reference_that_does_not_exist_is_named(setting: str) -> None:
    with pytest.raises(SettingsError, match=rf"{setting}: there is no reference clients\.nix"):
        exported_with(CASES[0], **{setting: ["clients.nix"]})
    exported_with(CASES[0], **{setting: ["elsewhere.x"]})  # settings may serve several databases


def test_contradictions_are_refused() -> None:
    with pytest.raises(ValueError, match="cannot both own and mention"):
        Settings(owns=["a.b"], mentions=["a.b"])
    with pytest.raises(ValueError, match="says that a is people"):
        Settings.model_validate({"persons": "none", "subjects": {"a": {"person": True}}})
