"""Secrets leave by permission only, and the document says so."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from datasette_program_export.cli.main import program_export
from datasette_program_export.plugin.host import V1
from tests.support.sites.server import make_datasette
from tests.support.sites.two_worlds import CANARIES, SETTINGS, told

ROOT_ONLY = [
    "/w/users.programjson?_export_secrets=include", "/w/users/1.programjson?_export_secrets=include",
    "/w.programjson?_export_secrets=include", "/w/v_renamed.programjson?_export_secrets=include",
    "/w/-/query.programjson?_export_secrets=include&sql=select+password_hash+from+users",
    "/w/users/-/program-export/download?_export_secrets=include",
]  # fmt: skip


@pytest.mark.parametrize("address", ROOT_ONLY)
async def test_secrets_are_included_by_permission_only_and_the_document_says_so(
    worlds: list[Path], address: str
) -> None:
    status, text = await told(worlds, address)
    assert status == 403 and "_export_secrets" in text
    for path in ("/w/users/-/program-export", "/w/users/-/program-export.json"):
        assert (await told(worlds, f"{path}?_export_secrets=include"))[0] == 403
    ds = make_datasette(worlds[0], settings={**SETTINGS, "allow_secrets": {"id": "x"}})
    cookies = {"ds_actor": ds.sign({"a": {"id": "x"}}, "actor")}
    found = (await ds.client.get(address, cookies=cookies)).json()
    assert any(CANARIES[0] in row.values() for rows in found["tables"].values() for row in rows)
    assert found["export"]["request"]["secrets"] == "include"
    assert found["coverage"]["secret"] == []
    assert "secret" in " ".join(found["coverage"]["warnings"])
    cookies = {"ds_actor": ds.sign({"a": {"id": "y"}}, "actor")}
    assert (await ds.client.get(address, cookies=cookies)).status_code == 403


@pytest.mark.skipif(not V1, reason="Datasette 0.x has no permissions blocks")
async def test_the_sites_permissions_give_secrets_too(worlds: list[Path]) -> None:
    config = {"databases": {"w": {"permissions": {"program-export-secrets": {"id": "x"}}}}}
    ds = make_datasette(worlds[0], settings=SETTINGS, config=config)
    for who, status in (("x", 200), ("y", 403)):
        cookies = {"ds_actor": ds.sign({"a": {"id": who}}, "actor")}
        response = await ds.client.get("/w/users.programjson?_export_secrets=include", cookies=cookies)
        assert (response.status_code, CANARIES[0] in response.text) == (status, status == 200)


def test_the_command_line_includes_secrets_when_told_to(worlds: list[Path]) -> None:
    for words in (["table", "users"], ["record", "users", "1"], ["query", "SELECT token FROM one"], ["database"]):
        command, *rest = words
        done = CliRunner().invoke(program_export, [command, str(worlds[0]), *rest, "--secrets", "include"])
        assert done.exit_code == 0, done.output
        assert CANARIES[0] in done.stdout and '"secrets":"include"' in done.stdout
