"""What Datasette says of tables and columns is said in a dossier's dictionary, from a site and by the command."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from datasette_program_export import Request, Settings, export
from datasette_program_export.cli.main import program_export
from datasette_program_export.demo import ANNA
from datasette_program_export.formats.description.language.catalogue import sentences_of
from datasette_program_export.options.preset import load_preset
from datasette_program_export.verifying.converter import Conversion
from tests.support.databases.building import database
from tests.support.dossiers.reader import Page
from tests.support.sites.server import make_datasette

HOSTILE = "</script><img src=x onerror=alert(1)>"
TABLES: dict[str, Any] = {
    "people": {
        "description": "Everybody who came to see us",
        "columns": {"name": "As it is in the passport", "height": HOSTILE, "gone": "No such column"},
    },
    "secrets": {"description": "Canary of another table", "columns": {"a": "Canary"}},
    "nowhere": {"description": "Canary of no table"},
}
METADATA = {"databases": {"a": {"tables": TABLES}, "b": {"tables": {"people": {"description": "Canary of b"}}}}}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    statements = (
        "CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT, height REAL)",
        "INSERT INTO people VALUES (1, 'Anna', 1.7)",
        "CREATE TABLE secrets (a)",
    )
    database(tmp_path / "a.db", *statements).close()
    return tmp_path / "a.db"


def check(data: bytes) -> None:
    page = Page(data)
    for told in ("Everybody who came to see us", "As it is in the passport", HOSTILE, "The key of the row."):
        assert told in page.text, told
    assert "Canary" not in page.text and "No such column" not in page.text
    assert "img" not in {tag for tag, _ in page.tags}


async def test_a_site_says_what_its_metadata_say(path: Path) -> None:
    ds = make_datasette(path, metadata=METADATA)
    await ds.invoke_startup()
    check((await ds.client.get("/a/people.programhtml")).content)


@pytest.mark.parametrize("suffix", ["json", "yml"])
def test_the_command_reads_them_from_the_file(path: Path, tmp_path: Path, suffix: str) -> None:
    (tmp_path / f"metadata.{suffix}").write_text(json.dumps(METADATA))
    out = tmp_path / "out.html"
    arguments = ["table", str(path), "people", "--metadata", str(tmp_path / f"metadata.{suffix}"), "-o", str(out)]
    result = CliRunner().invoke(program_export, arguments)
    assert result.exit_code == 0, result.output
    check(out.read_bytes())


async def test_our_settings_come_first_and_the_case_of_names_does_not_matter(path: Path) -> None:
    own = {"descriptions": {"PEOPLE": "Said by us"}, "column_descriptions": {"People": {"NAME": "A name of ours"}}}
    ds = make_datasette(path, metadata=METADATA, settings=own)
    await ds.invoke_startup()
    text = Page((await ds.client.get("/a/people.programhtml")).content).text
    assert "Said by us" in text and "A name of ours" in text and HOSTILE in text
    assert "Everybody" not in text and "passport" not in text
    data = b"".join(export(path, Request(table="people", format="dossier"), settings=Settings(**own)))
    assert "A name of ours" in Page(data).text


@pytest.mark.parametrize("odd", [None, [], "x", {"people": None}, {"people": {"columns": ["a"], "description": 5}}])
async def test_odd_metadata_are_no_error(path: Path, odd: Any) -> None:
    file = path.parent / "m.yml"
    file.write_text(json.dumps({"databases": {"a": {"tables": odd}}}))
    result = CliRunner().invoke(
        program_export, ["table", str(path), "people", "--metadata", str(file), "-f", "dossier"]
    )
    assert result.exit_code == 0, result.output


ASKED = Request(table="clients", records=((ANNA,),), format="dossier")


def test_the_preset_says_what_nobody_else_does(demo_file: Path, tmp_path: Path) -> None:
    own = Settings(descriptions={"Charts": "Said by us"}, column_descriptions={"CHARTS": {"Chart_Data": "Ours"}})
    text = Page(b"".join(export(demo_file, ASKED, settings=own))).text
    assert "The people who come to the practice." in text and "Said by us" in text and "Ours" in text
    assert "How certain the time of birth is" in text and "When the row was written first" in text
    assert "Calculated charts" not in text and "The calculated chart" not in text
    (tmp_path / "anna.html").write_bytes(b"".join(export(demo_file, ASKED)))
    for language, told in (("en", "The people who come"), ("de", "Die Menschen, die in die Praxis kommen.")):
        made = Page(b"".join(Conversion(tmp_path / "anna.html", Request(format="dossier", language=language)))).text
        assert told in made and ("wie sicher" in made.lower()) == (language == "de")
    request = ASKED.model_copy(update={"language": "de"})
    assert "Wie sicher die Geburtszeit ist" in Page(b"".join(export(demo_file, request))).text


def test_only_a_database_of_that_app_is_described_so(tmp_path: Path) -> None:
    with_clients = (
        "CREATE TABLE clients (id INTEGER PRIMARY KEY, created_at TEXT)",
        "INSERT INTO clients VALUES (1, 'x')",
    )
    database(tmp_path / "other.db", *with_clients).close()
    text = Page(b"".join(export(tmp_path / "other.db", Request(table="clients", format="dossier")))).text
    assert "practice" not in text and "written first" not in text


def test_every_main_table_of_the_preset_is_described() -> None:
    known, beginning = load_preset("the-program"), "preset.the-program.tables."
    described = {key.removeprefix(beginning) for key in sentences_of("en") if key.startswith(beginning)}
    assert {*known.order, *known.caches, *known.confidential} <= described
