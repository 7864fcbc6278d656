"""A format that writes down all that it is given: no secret, no other person's row, at any scope."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from datasette_program_export import Format, OwnerRule, Request, Settings, export
from datasette_program_export.errors import ExportError
from datasette_program_export.formats.dataset import Dataset
from datasette_program_export.formats.registry import Options
from datasette_program_export.options.hooks.specs import hookimpl
from tests.support.databases.building import database
from tests.support.plugins.registered import plugged
from tests.support.sites.server import make_datasette

ROWS = (
    "CREATE TABLE clients (id INTEGER PRIMARY KEY, name TEXT, password TEXT DEFAULT 'secret-default', data JSON)",
    "CREATE TABLE notes (id INTEGER PRIMARY KEY, client_id REFERENCES clients, body TEXT, ok INTEGER)",
    "CREATE VIEW everything AS SELECT * FROM clients",
    "CREATE INDEX by_password ON clients (password) WHERE password <> 'secret-index'",
    "INSERT INTO clients VALUES (1, 'Anna', 'secret-a', '{\"pin\": \"secret-pin\"}')",
    "INSERT INTO clients VALUES (2, 'stranger-name', 'secret-b', '{}')",
    "INSERT INTO notes VALUES (1, 1, 'mine', 1), (2, 2, 'stranger-note', 1), (3, 1, 'ruled-note', 0)",
)
SETTINGS = {"secrets": {"clients": ["data.pin"]}}


class Dump:
    """A plugin that writes down everything, and has a rule of its own."""

    __name__ = "dump"

    def __init__(self) -> None:
        self.seen: list[str] = []

    def encode(self, dataset: Dataset, options: Options) -> Iterator[bytes]:
        self.seen += [repr(dataset), repr(options), repr(dataset.head), repr(dataset.schema)]
        for table in dataset.tables:
            self.seen += [repr(table), repr(table.facts()) if table.facts is not None else ""]
            self.seen += map(repr, table.batches)
        self.seen += [repr(dataset.integrity()), repr(dataset.coverage())]
        yield "\n".join(self.seen).encode()

    @hookimpl
    def register_export_formats(self) -> list[Format]:
        return [Format("dump", "Everything.", "dump", "text/x-dump", False, False, encode=self.encode, ending="dump")]

    @hookimpl
    def export_owner_rules(self) -> list[OwnerRule]:
        return [OwnerRule("notes", "ok", "it was withdrawn")]

    @hookimpl
    def export_finished(self, facts: Any) -> None:
        self.seen.append(repr(facts))


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "practice.db"
    database(path, *ROWS).close()
    return path


SCOPES: dict[str, dict[str, Any]] = {
    "a record": {"table": "clients", "records": [("1",)]},
    "a record and its parents": {"table": "notes", "records": [("1",)], "parents": "needed"},
    "a table": {"table": "clients"},
    "a table that a rule is about": {"table": "notes"},
    "a table and what hangs on it": {"table": "clients", "cascade": True},
    "the database": {},
    "a query": {"sql": "SELECT name FROM clients"},
}
REFUSED: dict[str, dict[str, Any]] = {
    "a query of a secret": {"sql": "SELECT password FROM clients"},
    "a query of what is ruled": {"sql": "SELECT body FROM notes"},
    "a view": {"table": "everything"},
    "a record that is ruled": {"table": "notes", "records": [("3",)]},
}


@pytest.mark.parametrize("scope", {**SCOPES, **REFUSED})
def test_a_format_is_given_no_secret_and_no_strangers_row(source: Path, scope: str) -> None:
    with plugged(Dump()) as plugin:
        asked = Request(**{**SCOPES, **REFUSED}[scope], format="dump")
        if scope in REFUSED:
            with pytest.raises(ExportError) as found:
                b"".join(export(source, asked, settings=Settings.model_validate(SETTINGS)))
            plugin.seen.append(str(found.value))
        else:
            content = b"".join(export(source, asked, settings=Settings.model_validate(SETTINGS))).decode()
            assert "Anna" in content or "mine" in content
        seen = "\n".join(plugin.seen)
    assert "secret-" not in seen and "ruled-note" not in seen
    assert "stranger-" not in seen or not scope.startswith("a record")


async def test_nor_on_a_site(source: Path) -> None:
    with plugged(Dump()) as plugin:
        ds = make_datasette(source, settings=SETTINGS)
        for path in ("clients/1", "clients", "notes", "-/query"):
            answer = await ds.client.get(
                f"/practice/{path}.programdump?" + "sql=select+name+from+clients" * (path[0] == "-")
            )
            assert answer.status_code == 200, path
            assert "secret-" not in answer.text and "ruled-note" not in answer.text
            assert path != "clients/1" or ("Anna" in answer.text and "stranger-" not in answer.text)
        assert (await ds.client.get("/practice.programdump")).status_code == 200
    seen = "\n".join(plugin.seen)
    assert "secret-" not in seen and "ruled-note" not in seen
