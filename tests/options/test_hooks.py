"""Plugins of our hooks: how packages are found, presets of plugins, and what stops every export by name."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from datasette_program_export import Request, export, plan
from datasette_program_export.errors import PluginError, SettingsError
from datasette_program_export.options.hooks.manager import DEFAULT_PLUGINS, implementing, kept, manager
from datasette_program_export.options.hooks.preset_sources import preset_sources
from datasette_program_export.options.hooks.specs import hookimpl
from datasette_program_export.options.preset import load_preset
from datasette_program_export.options.settings import Settings, parse_settings
from tests.support.databases.building import database
from tests.support.plugins.registered import plugged

SHOP = {"title": "A shop", "about": "sells", "recognise": {"buyers": ["mail"]}, "persons": ["buyers"]}


class Presets:
    """A plugin with these presets."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    @hookimpl
    def register_export_presets(self) -> Any:
        return self.answer


@pytest.fixture
def source():
    statements = "CREATE TABLE buyers (id INTEGER PRIMARY KEY, mail TEXT)", "INSERT INTO buyers VALUES (1, 'a')"
    with closing(database(None, *statements)) as connection:
        yield connection


def test_our_own_come_by_the_hooks() -> None:
    assert [p.name for p in implementing("register_export_formats")] == [DEFAULT_PLUGINS[0]]
    assert [p.name for p in implementing("register_export_presets")] == [DEFAULT_PLUGINS[1]]
    assert list(preset_sources()) == ["the-program"] and manager() is manager()


@pytest.mark.parametrize("kind", ["a mapping", "a path", "the path as text"])
def test_a_preset_of_a_plugin(source: Any, tmp_path: Path, kind: str) -> None:
    file = tmp_path / "any.yml"
    file.write_text("title: A shop\nabout: sells\nrecognise:\n  buyers: [mail]\npersons: [buyers]\n")
    answer = {"a mapping": SHOP, "a path": file, "the path as text": str(file)}[kind]
    with plugged(Presets({"shop": answer})):
        assert plan(source, Request(table="buyers", records=[("1",)])).preset == "A shop"
        assert plan(source, Request(), settings=Settings(preset="none")).preset is None
        assert parse_settings({"preset": "shop"}).preset == "shop"
        assert load_preset("shop").persons == ["buyers"]
    assert plan(source, Request()).preset is None
    with pytest.raises(SettingsError, match="there is no preset shop; known: none, the-program"):
        parse_settings({"preset": "shop"})


class Raising:
    @hookimpl
    def register_export_presets(self) -> None:
        raise OSError("canary")


BAD = {
    "The plugin odd failed in register_export_presets (OSError).": Raising(),
    "The plugin odd returned a list from register_export_presets, not presets by name.": Presets([SHOP]),
    "registers a preset without a right name": Presets({"A shop!": SHOP}),
    "without a right name": Presets({"none": SHOP}),
    "The plugin odd gives a int as the preset shop: no path, no mapping.": Presets({"shop": 7}),
    "The preset shop of the plugin odd cannot be read (FileNotFoundError).": Presets({"shop": "/nowhere/x.yml"}),
    "The preset shop of the plugin odd is not one: colour: there is no such option": Presets(
        {"shop": {**SHOP, "colour": "red"}}
    ),
    "The preset shop of the plugin odd would recognise every database.": Presets({"shop": {**SHOP, "recognise": {}}}),
    "Both this program and the plugin odd have a preset with the name the-program.": Presets({"the-program": SHOP}),
}


@pytest.mark.parametrize("said", BAD)
def test_a_preset_that_cannot_be_had_stops_every_export(source: Any, said: str) -> None:
    """It may have named secrets, and people."""
    with plugged(BAD[said], "odd"):
        for work in (lambda: next(iter(export(source, Request()))), lambda: plan(source, Request())):
            with pytest.raises(PluginError) as found:
                work()
            assert said in str(found.value) and "plugin odd" in str(found.value)
        parse_settings({"preset": "none"})  # a site starts


def test_two_plugins_cannot_have_one_preset_nor_know_one_database(source: Any) -> None:
    with plugged(Presets({"shop": SHOP}), "one"):
        with plugged(Presets({"shop": SHOP}), "two"), pytest.raises(PluginError) as found:
            plan(source, Request())
        assert str(found.value) == "Both the plugin one and the plugin two have a preset with the name shop."
        with plugged(Presets({"mart": SHOP}), "two"):
            with pytest.raises(PluginError) as found:
                plan(source, Request())
            assert str(found.value) == (
                "Two presets know this database: shop of the plugin one and mart of the plugin two. "
                "The setting preset says which to use."
            )
            assert plan(source, Request(), settings=Settings(preset="mart")).preset == "A shop"


class Elsewhere:
    """Its function has another name than the hook."""

    @hookimpl(specname="register_export_presets", tryfirst=True)
    def shops(self) -> Any:
        return {"shop": SHOP}


def test_the_mark_takes_the_options_of_pluggy() -> None:
    with plugged(Elsewhere()):
        assert list(preset_sources()) == ["the-program", "shop"]


PACKAGES = {
    "raise RuntimeError('canary')": "The plugin odd-package could not be loaded (RuntimeError).",
    "import sys; sys.exit(0)": "The plugin odd-package could not be loaded (SystemExit).",
    "from datasette_program_export import hookimpl\n@hookimpl\ndef export_owner_rule(): pass": (
        "The plugin odd-package implements export_owner_rule, and there is no such hook."
    ),
    "from datasette_program_export import hookimpl\n@hookimpl\ndef export_owner_rules(tables): pass": (
        "The plugin odd-package could not be loaded (PluginValidationError)."
    ),
}


@pytest.mark.parametrize("code", PACKAGES)
def test_a_package_that_cannot_be_loaded_stops_every_export(tmp_path: Path, code: str) -> None:
    """What it would have withheld is not known."""
    facts = tmp_path / "odd_package-1.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: odd-package\nVersion: 1\n")
    (facts / "entry_points.txt").write_text("[program_export]\nodd = odd_package\n")
    (tmp_path / "odd_package.py").write_text(code)
    database(tmp_path / "x.db", "CREATE TABLE t (x)").close()
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", str(Path(__file__).parents[2]))])
    command = [sys.executable, "-m", "datasette_program_export"]

    def run(*words: str) -> tuple[int, str, str]:
        environment = {**os.environ, "PYTHONPATH": path}
        done = subprocess.run([*command, *words], capture_output=True, text=True, env=environment, cwd=tmp_path)
        return done.returncode, done.stdout, done.stderr

    assert run("table", "x.db", "t", "-o", "x.csv") == (1, "", f"Error: {PACKAGES[code]}\n")
    assert not (tmp_path / "x.csv").exists()
    listed = run("formats")
    assert listed[0] == 1 and listed[1].startswith("programjson") and listed[2] == f"Error: {PACKAGES[code]}\n"
    assert run("--version")[0] == 0


def test_what_is_kept_is_found_again_when_another_plugin_implements_the_hook() -> None:
    """Also one in the place of another, under its name; plugins of other hooks change nothing."""
    found: list[int] = []

    @kept("register_export_presets")
    def looked() -> int:
        found.append(len(found))
        return found[-1]

    one, other = Presets({"shop": SHOP}), Presets({"shop": SHOP})
    assert (looked(), looked()) == (0, 0)
    with plugged(one, "odd"):
        assert (looked(), looked()) == (1, 1)
        with plugged(object(), "another"):
            assert looked() == 1
    with plugged(other, "odd"):  # nobody looked in between
        assert (looked(), looked()) == (2, 2)
    assert looked() == 3
