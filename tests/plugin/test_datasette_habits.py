"""The habits of a Datasette plugin: "Jump to", hashed static files, JSON twins in one shape, messages."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from datasette.app import Datasette

from datasette_program_export.plugin.host import static_url
from tests.support.sites.imports import CSV, DATA, FORM, UPDATE, ended, looked_at
from tests.support.sites.jobs import HOUSE_JOB, ask, keeping
from tests.support.sites.jobs import ended as job_ended
from tests.support.sites.permissions import house
from tests.support.sites.server import make_datasette

BROWSER = {"accept": "text/html", "sec-fetch-site": "same-origin"}


@pytest.fixture
def house_file(tmp_path: Path) -> Path:
    return house(tmp_path)


@pytest.mark.skipif(find_spec("datasette.jump") is None, reason='this line has no "Jump to"')
async def test_jump_to_leads_to_our_pages_for_those_who_may(house_file: Path, tmp_path: Path) -> None:
    with keeping(tmp_path / "jobs", house_file, plugin={"allow_verify": {"id": "anna"}}) as ds:

        async def found(who: str | None) -> dict[str, str]:
            items = (await ask(ds, "get", "/-/jump.json?q=export", who)).json()["matches"]
            return {one["name"]: one["url"] for one in items if "/-/program-export" in one["url"]}

        anna, nobody = await found("anna"), await found(None)
    assert anna["Export house"] == "/house/-/program-export"
    assert "/-/program-export/verify" in anna.values() and "/-/program-export/jobs" in anna.values()
    assert nobody == {"Export house": "/house/-/program-export"}


@pytest.mark.parametrize("path", ["/house/-/program-export", "/-/program-export/verify", "/house/artists/1"])
async def test_static_files_have_their_hash_where_datasette_has_it(house_file: Path, path: str) -> None:
    ds = make_datasette(house_file)
    page = (await ds.client.get(path, headers={"accept": "text/html"})).text
    found = set(re.findall(r'"(/-/static-plugins/datasette.program.export/[^"]*)"', page))
    assert any("program_export.css" in one for one in found)
    for one in found:
        assert bool(re.search(r"\?_hash=\w{8}", one)) == hasattr(Datasette, "static"), one
        assert (await ds.client.get(one)).status_code == 200


@pytest.mark.parametrize("kept", [True, False])
async def test_the_address_of_a_static_file_is_kept_unless_the_site_keeps_none(
    house_file: Path, kept: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    ds, asked = make_datasette(house_file), []
    ds.cache_headers = kept
    if hasattr(Datasette, "static"):
        monkeypatch.setattr(ds, "static", lambda file, plugin: asked.append(file) or f"/{file}?{len(asked)}")
        assert [static_url(ds, "a.js") for _ in range(3)] == (
            ["/a.js?1"] * 3 if kept else [f"/a.js?{i}" for i in (1, 2, 3)]
        )
    other = make_datasette(house_file)  # nothing of one site is another's
    other._settings["base_url"] = "/under/"
    assert static_url(other, "program_export.css").startswith("/under/-/static-plugins/")
    assert not static_url(make_datasette(house_file), "program_export.css").startswith("/under/")


async def test_every_page_has_a_json_twin_in_datasettes_shape(demo: Path, tmp_path: Path) -> None:
    pages = [
        "/-/program-export/verify",
        "/-/program-export/profiles",
        "/-/program-export/jobs",
        "/-/program-export/audit",
    ]
    pages += [f"/practice{part}/-/program-export" for part in ("", "/clients")]
    pages += ["/practice/-/program-export/setup?rows=none", FORM]
    with keeping(tmp_path / "jobs", demo, root=True, plugin={"allow_setup": True, "allow_audit": True}) as ds:
        one = await looked_at(ds, CSV, options=UPDATE)
        job = (await ask(ds, "post", "/practice/clients/-/program-export/job", "root")).json()
        assert job["ok"] is True
        await job_ended(ds, job, "root")
        for page in [*pages, one["links"]["page"], job["links"]["page"]]:
            shown = await ask(ds, "get", page, "root", headers={"accept": "text/html"})
            assert (shown.status_code, shown.headers["content-type"][:9]) == (200, "text/html"), page
            path, _, query = page.partition("?")
            twin = await ask(ds, "get", f"{path}.json?{query}", "root")
            assert (twin.status_code, twin.json()["ok"]) == (200, True), (page, twin.text)


async def test_the_twins_of_the_upload_pages_tell_what_may_be_sent(demo: Path, tmp_path: Path) -> None:
    with keeping(tmp_path / "jobs", demo, root=True, plugin={"verify_mb": 2, "import_mb": 3}) as ds:
        check = (await ask(ds, "get", "/-/program-export/verify.json", "root")).json()
        load = (await ask(ds, "get", DATA, "root")).json()
        report = await ask(ds, "post", "/-/program-export/verify.json", files={"file": ("a.csv", b"a,b\n1,2\n")})
    assert check["max_bytes"] == 2_000_000 and check["statuses"]["cut"]["title"].startswith("Cut")
    assert (load["max_bytes"], load["files"]) == (3_000_000, []) and "clients" in load["tables"]
    assert report.json()["ok"] is True and report.json()["status"] == "unknown"


ERRORS = {
    "/house/nix/-/program-export.json": 404,
    "/nix/-/program-import.json": 404,
    "/-/program-export/jobs/nix.json": 404,
    "/-/program-export/audit.json": 403,
    "/house/-/program-export/setup.json?rows=all": 400,
    "/house/-/program-export.json?_export_nix=1": 400,
    "/house/-/program-export/job": 405,
}


@pytest.mark.parametrize("path", ERRORS)
async def test_every_error_has_datasettes_shape(house_file: Path, tmp_path: Path, path: str) -> None:
    plugin = {"allow_audit": False, "allow_setup": True}
    with keeping(tmp_path / "jobs", house_file, plugin=plugin) as ds:
        answer = await ask(ds, "get", path)
    told: dict[str, Any] = answer.json()
    assert answer.status_code == told["status"] == ERRORS[path]
    assert set(told) == {"ok", "error", "errors", "status"}
    assert told["ok"] is False and told["errors"] == [told["error"]] != [""]


async def test_a_redirect_after_an_action_leads_to_a_message(house_file: Path, demo: Path, tmp_path: Path) -> None:
    async def did(path: str, **how: Any) -> str:
        answer = await ask(ds, "post", path, "root", headers=BROWSER, follow_redirects=False, **how)
        assert answer.status_code == 303, answer.text
        cookies = {"ds_messages": answer.cookies["ds_messages"]} if "ds_messages" in answer.cookies else {}
        place = answer.headers["location"]
        page = await ask(ds, "get", place, "root", headers={"accept": "text/html"}, cookies=cookies)
        return " ".join(re.findall(r'class="message-info">([^<]*)<', page.text))

    with keeping(tmp_path / "jobs", house_file, demo, root=True) as ds:
        assert await did(HOUSE_JOB) == "The export was started: the database house."
        one = await looked_at(ds, CSV, options=UPDATE)
        assert await did(one["links"]["apply"], data={"table": "clients", "on_conflict": "update"}) == (
            "The import of a.csv was started."
        )
        one = await ended(ds, one)
        assert await did(one["links"]["delete"]) == "a.csv was deleted."
