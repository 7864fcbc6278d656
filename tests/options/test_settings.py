"""Settings are checked before anything is served, and every wrong key is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from datasette_program_export import Settings
from datasette_program_export.database.reflection import reflect
from datasette_program_export.errors import SettingsError
from datasette_program_export.options.hooks.preset_sources import preset_sources
from datasette_program_export.options.preset import load_preset
from datasette_program_export.options.settings import merge, parse_settings
from datasette_program_export.options.settings_file import read_settings
from datasette_program_export.selection.annotated_schema import annotate
from tests.support.databases.building import database


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"secrts": {}}, "unknown key secrts"),
        ({"subjects": {"t": {"persn": True}}}, "unknown key subjects.t.persn"),
        ({"max_rows": 0, "plan_seconds": "soon"}, "max_rows: .*; plan_seconds: "),
    ],
)
def test_a_wrong_key_is_named(given: dict, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        parse_settings(given)


def test_nothing_is_needed() -> None:
    assert parse_settings(None) == Settings()


def test_one_databases_settings_lie_on_those_for_all() -> None:
    shared = {"secrets": {"a": ["x"]}, "max_rows": 5}
    own = {"secrets": {"b": ["y"]}, "max_rows": 7, "preset": "none"}
    assert merge(shared, own) == {"secrets": {"a": ["x"], "b": ["y"]}, "max_rows": 7, "preset": "none"}


def test_settings_are_read_from_the_sites_file(tmp_path: Path) -> None:
    file = tmp_path / "metadata.yml"
    file.write_text(
        "plugins:\n  datasette-program-export:\n    max_rows: 5\n"
        "databases:\n  shop:\n    plugins:\n      datasette-program-export:\n        preset: none\n"
    )
    assert read_settings(file, "shop") == Settings(max_rows=5, preset="none")
    assert read_settings(file, "other") == Settings(max_rows=5)
    file.write_text("plugins: [")
    with pytest.raises(SettingsError, match=r"metadata\.yml cannot be read"):
        read_settings(file, "shop")


@pytest.mark.parametrize("name", preset_sources())
def test_the_built_in_presets_are_valid(name: str) -> None:
    assert load_preset(name).recognise


def test_an_unknown_preset_is_named() -> None:
    with pytest.raises(SettingsError, match="no preset nix; known: the-program"):
        load_preset("nix")


def test_the_practice_is_recognised_and_other_databases_are_not(demo_file: Path) -> None:
    practice = database(demo_file)
    known = annotate(reflect(practice), Settings())
    assert (known.preset_name, known.persons) == ("the-program", ("clients",))
    assert known.labels() == {
        "client": "clients",
        "chart": "charts",
        "reading": "chart_interpretations",
        "transit": "transit_events",
    }
    assert known.json_columns(known.schema["charts"]) == {"chart_data", "calculation_params"}
    assert annotate(reflect(practice), Settings(preset="none")).people.known_by == "guess"
    assert annotate(reflect(database(None, "CREATE TABLE charts (id)")), Settings()).preset is None
    practice.close()


def test_without_clients_the_people_are_the_birth_data() -> None:
    connection = database(
        None,
        "CREATE TABLE birth_data (id TEXT PRIMARY KEY, birth_date, birth_time, latitude, longitude, timezone)",
        "CREATE TABLE charts (id TEXT PRIMARY KEY, birth_data_id REFERENCES birth_data, chart_type, chart_data)",
    )
    assert annotate(reflect(connection), Settings()).persons == ("birth_data",)


def test_names_that_do_not_exist_are_errors_where_their_table_does() -> None:
    schema = reflect(database(None, "CREATE TABLE a (id INTEGER PRIMARY KEY)", "CREATE TABLE b (x REFERENCES a)"))
    virtual = {"table": "b", "columns": ["y"], "other_table": "a", "other_columns": ["id"]}
    with pytest.raises(SettingsError, match="b.y to a: b has no column y"):
        annotate(schema, Settings.model_validate({"virtual_foreign_keys": [virtual]}))
    with pytest.raises(SettingsError, match="no reference b.nix"):
        annotate(schema, Settings(stop=["b.nix"]))
    assert annotate(schema, Settings(stop=["elsewhere.x", "B.X"])).edges_named(["b.x"])
