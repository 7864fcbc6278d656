"""Jobs: asked for, followed, cancelled, begun again; each person's own; limited; nothing left behind."""

from __future__ import annotations

import json
import re
import sqlite3
import stat
import tempfile
from contextlib import closing
from pathlib import Path

import pytest
from datasette.utils import StartupError

from datasette_program_export.exporting import exporter
from datasette_program_export.files import atomic as files_sink
from datasette_program_export.options.request import Request
from datasette_program_export.options.settings import Settings
from datasette_program_export.planning.planner import plan
from datasette_program_export.plugin.pages.export_context import job_advised
from datasette_program_export.plugin.server import site as job_site
from tests.support.sites.jobs import FOREVER, HOUSE_JOB, JOBS, ask, begun, done, ended, files, keeping, many
from tests.support.sites.permissions import house, lines, signed_in, site
from tests.support.sites.server import make_datasette


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "jobs"


@pytest.fixture
def house_file(tmp_path: Path) -> Path:
    return house(tmp_path)


SUBJECTS = {
    "/house/-/program-export/job": "the database house",
    "/house/artists/-/program-export/job": "rows of artists",
    "/house/artists/-/program-export/job?name=ada": 'rows of artists where name = "ada"',
    "/house/artists/1/-/program-export/job": "rows of artists: ada",
    "/house/-/program-export/job?sql=select+1": "the result of a query on house",
    "/house/titles/-/program-export/job": "the query titles",
}


@pytest.mark.parametrize("path", SUBJECTS)
async def test_whatever_can_be_downloaded_can_be_a_job_and_is_the_same_file(
    house_file: Path, folder: Path, path: str
) -> None:
    with keeping(folder, house_file, here={"queries": {"titles": {"sql": "select title from albums"}}}) as ds:
        job = await done(ds, path)
        assert job["title"] == SUBJECTS[path]
        kept = (await ask(ds, "get", job["links"]["result"])).content
        direct = (await ask(ds, "get", path.replace("/job", "/download"))).content
    made_at = re.compile(rb'"created_at":"[^"]+"|"document":"[^"]+"')
    assert made_at.sub(b"", kept) == made_at.sub(b"", direct) != b""
    assert job["rows"] == json.loads(kept)["integrity"]["rows"] and job["bytes"] == len(kept)


async def test_a_program_is_told_where_to_look_and_when(house_file: Path, folder: Path) -> None:
    with keeping(folder, house_file) as ds:
        made = await ask(ds, "post", HOUSE_JOB + "?_export_format=package")
        assert (made.status_code, made.headers["retry-after"]) == (202, "1")
        job = made.json()
        assert made.headers["location"].endswith(job["links"]["self"])
        assert (job["request"], job["total_rows"]) == ({"format": "package"}, 12)
        found = await ended(ds, job)
        assert (found["state"], found["rows"], found["media_type"]) == ("done", 12, "application/zip")
        assert "retry-after" not in (await ask(ds, "get", job["links"]["self"])).headers
        listed = (await ask(ds, "get", f"{JOBS}.json")).json()["jobs"]
    assert [j["id"] for j in listed] == [job["id"]]


async def test_the_parameters_may_come_as_a_form(house_file: Path, folder: Path) -> None:
    with keeping(folder, house_file) as ds:
        form = {"_export_table": ["albums", "tracks"], "csrftoken": "x"}
        job = await begun(ds, HOUSE_JOB + "?_export_format=csv", data=form)
        assert job["request"] == {"format": "csv", "tables": ["albums", "tracks"]}
        wrong = await ask(ds, "post", HOUSE_JOB, json={"format": "csv"})
        assert (wrong.status_code, wrong.json()["error"]) == (
            400,
            "The parameters come in the address, or as a form (application/x-www-form-urlencoded).",
        )


async def test_a_form_without_end_is_refused_unread(house_file: Path, folder: Path) -> None:
    with keeping(folder, house_file) as ds:
        for long in ({"content-length": "1000001"}, {"transfer-encoding": "chunked"}):
            answer = await ask(ds, "post", HOUSE_JOB, data={"_export_format": "csv"}, headers=long)
            assert (answer.status_code, "tell its length" in answer.json()["error"]) == (400, True)


WRONG = {
    HOUSE_JOB + "?_export_nix=1": 400,
    HOUSE_JOB + "?sql=select+*+from+nix": 400,
    HOUSE_JOB + "?_export_format=nix": 400,
    "/house/nix/-/program-export/job": 404,
    "/nix/-/program-export/job": 404,
    "/house/artists/99/-/program-export/job": 404,
    HOUSE_JOB + "?_export_secrets=include": 403,
}


@pytest.mark.parametrize("path", WRONG)
async def test_what_cannot_be_exported_is_no_job(house_file: Path, folder: Path, path: str) -> None:
    with keeping(folder, house_file) as ds:
        assert (await ask(ds, "post", path)).status_code == WRONG[path]
        assert (await ask(ds, "get", f"{JOBS}.json")).json() == {"ok": True, "jobs": []}


@pytest.mark.parametrize("method", ["get", "put"])
async def test_a_job_is_not_begun_by_looking(house_file: Path, folder: Path, method: str) -> None:
    with keeping(folder, house_file) as ds:
        answer = await ask(ds, method, HOUSE_JOB)
        assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


async def test_somebody_elses_job_is_none_in_the_same_words(house_file: Path, folder: Path) -> None:
    with keeping(folder, house_file) as ds:
        job = await done(ds, HOUSE_JOB)
        for method, end in [
            ("get", ""), ("get", ".json"), ("get", "/result"), ("post", "/cancel"), ("post", "/again"),
            ("post", "/delete"), ("delete", ""),
        ]:  # fmt: skip
            for who in ("bob", None):
                there = await ask(ds, method, f"{JOBS}/{job['id']}{end}", who)
                nowhere = await ask(ds, method, f"{JOBS}/nix{end}", who)
                assert (there.status_code, there.text) == (404, nowhere.text)
        assert (await ask(ds, "get", f"{JOBS}.json", "bob")).json() == {"ok": True, "jobs": []}
        assert (await ask(ds, "get", job["links"]["self"])).json()["state"] == "done"


async def test_a_job_of_nobody_is_for_whoever_has_its_address(house_file: Path, folder: Path) -> None:
    with keeping(folder, house_file) as ds:
        job = await done(ds, HOUSE_JOB, None)
        assert len(job["id"]) == 32
        assert (await ask(ds, "get", job["links"]["result"], "bob")).status_code == 200
        assert (await ask(ds, "get", f"{JOBS}.json", None)).json() == {"ok": True, "jobs": []}


async def test_a_restricted_token_does_not_see_the_list_of_its_holder(house_file: Path, folder: Path) -> None:
    with keeping(folder, house_file) as ds:
        await done(ds, HOUSE_JOB)
        restricted = signed_in(ds, {"id": "anna", "_r": {"a": ["vi"]}})
        assert (await ds.client.get(f"{JOBS}.json", cookies=restricted)).json() == {"ok": True, "jobs": []}
        assert len((await ds.client.get(f"{JOBS}.json", cookies=signed_in(ds, "anna"))).json()["jobs"]) == 1


async def test_one_more_than_a_person_may_have_is_answered_429(house_file: Path, folder: Path) -> None:
    with keeping(folder, house_file, plugin={"max_jobs_per_person": 2, "max_jobs": 1}) as ds:
        first, second = await begun(ds, FOREVER), await begun(ds, FOREVER)
        busy = await ask(ds, "post", FOREVER)
        assert busy.status_code == 429 and busy.headers["retry-after"] and "You have 2 exports" in busy.json()["error"]
        other = await begun(ds, HOUSE_JOB, "bob")  # each has their own
        await ask(ds, "post", second["links"]["cancel"])
        third = await begun(ds, HOUSE_JOB)
        states = [
            (await ask(ds, "get", j["links"]["self"], w)).json()["state"] for j, w in ((other, "bob"), (third, "anna"))
        ]
        assert states == ["queued", "queued"]  # one at a time
        await ask(ds, "post", first["links"]["cancel"])
        assert ((await ended(ds, other, "bob"))["state"], (await ended(ds, third))["state"]) == ("done", "done")


async def test_those_who_are_not_signed_in_count_as_one_person(house_file: Path, folder: Path) -> None:
    with keeping(folder, house_file, plugin={"max_jobs_per_person": 1}) as ds:
        await begun(ds, FOREVER, None)
        assert (await ask(ds, "post", HOUSE_JOB, None)).status_code == 429
        await begun(ds, HOUSE_JOB)


async def test_a_job_that_waits_can_be_cancelled_and_never_runs(house_file: Path, folder: Path) -> None:
    with keeping(folder, house_file, plugin={"max_jobs": 1}) as ds:
        first = await begun(ds, FOREVER)
        waits = await begun(ds, HOUSE_JOB)
        cancelled = (await ask(ds, "post", waits["links"]["cancel"])).json()
        assert (cancelled["state"], cancelled["started"]) == ("cancelled", None)
        assert (await ask(ds, "post", first["links"]["cancel"])).json()["state"] == "cancelled"
        again = await ended(ds, await begun(ds, waits["links"]["again"]))
        assert (again["state"], again["request"], again["id"] != waits["id"]) == ("done", waits["request"], True)
        assert (await ask(ds, "get", waits["links"]["self"])).json()["state"] == "cancelled"
    assert files(folder) == [f"{again['id']}.result"]


async def test_a_job_that_ended_stays_as_it_is_when_it_is_cancelled(house_file: Path, folder: Path) -> None:
    with keeping(folder, house_file) as ds:
        job = await done(ds, HOUSE_JOB)
        assert (await ask(ds, "post", job["links"]["page"] + "/cancel")).json() == job
        assert (await ask(ds, "get", job["links"]["result"])).status_code == 200


@pytest.mark.parametrize(("method", "end"), [("post", "/delete"), ("delete", ""), ("delete", ".json")])
async def test_a_deleted_job_is_gone_with_its_file(house_file: Path, folder: Path, method: str, end: str) -> None:
    with keeping(folder, house_file) as ds:
        job = await done(ds, HOUSE_JOB)
        assert (await ask(ds, method, job["links"]["page"] + end)).json() == {"ok": True}
        assert (await ask(ds, "get", job["links"]["self"])).status_code == 404
        assert files(folder) == []


async def test_a_running_job_that_is_deleted_stops(house_file: Path, folder: Path) -> None:
    with keeping(folder, house_file) as ds:
        job = await begun(ds, FOREVER)
        await ask(ds, "delete", job["links"]["page"])
        last = await done(ds, HOUSE_JOB)
        job_site.close(ds)
    assert files(folder) == [f"{last['id']}.result"]


async def test_a_job_that_fails_says_why_and_leaves_no_file(tmp_path: Path, folder: Path) -> None:
    with keeping(folder, many(tmp_path), plugin={"audit_log": str(tmp_path / "log")}) as ds:
        job = await ended(ds, await begun(ds, "/many/breaks/-/program-export/job"))
        assert job["state"] == "failed" and "malformed JSON" in job["error"] and job["sha256"] is None
        refused = await ask(ds, "get", job["links"]["page"] + "/result")
        assert refused.status_code == 409 and job["error"] in refused.json()["error"]
        assert files(folder) == []
        assert [line["outcome"] for line in lines(tmp_path / "log")] == [job["error"]]


async def test_a_full_disk_is_a_sentence(tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with keeping(folder, many(tmp_path)) as ds:
        monkeypatch.setattr(files_sink.os, "fsync", full)
        job = await ended(ds, await begun(ds, "/many/t/-/program-export/job"))
        assert (job["state"], job["error"]) == (
            "failed",
            "The folder of the jobs takes no more (No space left on device).",
        )
    assert files(folder) == []


async def test_rows_that_come_again_from_a_copy_are_not_counted_twice(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A database with a rollback journal is let go after a while, and read again from a copy."""
    path = many(tmp_path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
    monkeypatch.setattr(exporter, "HELD_BYTES", 1_000_000)
    with keeping(folder, path) as ds:
        assert (await done(ds, "/many/t/-/program-export/job"))["rows"] == 20_000


async def test_the_results_of_all_fill_no_more_than_they_may(tmp_path: Path, folder: Path) -> None:
    with keeping(folder, many(tmp_path), plugin={"jobs_disk_mb": 15}) as ds:
        first = await done(ds, "/many/t/-/program-export/job")
        refused = await ended(ds, await begun(ds, "/many/t/-/program-export/job"))
        assert refused["state"] == "failed" and "15 MB (jobs_disk_mb)" in refused["error"]
        await ask(ds, "delete", first["links"]["page"])
        await done(ds, "/many/t/-/program-export/job")


async def test_a_job_and_its_download_each_have_a_line_in_the_log_or_do_not_take_place(
    house_file: Path, tmp_path: Path, folder: Path
) -> None:
    log = tmp_path / "log"
    with keeping(folder, house_file, plugin={"audit_log": str(log), "max_jobs": 1}) as ds:
        job = await done(ds, HOUSE_JOB)
        await ask(ds, "get", job["links"]["result"])
        told = [(line["actor"], line["scope"], line["outcome"], line["sha256"]) for line in lines(log)]
        made, sent = ("anna", "database", "complete"), ("anna", "result of a job", "sent")
        assert told == [(*made, job["sha256"]), (*sent, job["sha256"])]
        endless, waits = await begun(ds, FOREVER), await begun(ds, HOUSE_JOB)
        log.unlink()
        log.mkdir()
        assert (await ask(ds, "post", HOUSE_JOB)).status_code == 503
        assert (await ask(ds, "get", job["links"]["result"])).status_code == 503
        await ask(ds, "post", endless["links"]["cancel"])
        failed = await ended(ds, waits)
        assert failed["state"] == "failed" and "log of exports" in failed["error"]
    assert files(folder) == [f"{job['id']}.result"]


async def test_nobody_else_on_the_machine_can_read_any_of_it(house_file: Path, folder: Path) -> None:
    with keeping(folder, house_file) as ds:
        await done(ds, HOUSE_JOB)
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert {stat.S_IMODE(p.stat().st_mode) for p in folder.iterdir()} == {0o600}


@pytest.mark.parametrize("how", ["open to others", "a file"])
async def test_a_folder_that_cannot_be_private_stops_the_start(house_file: Path, folder: Path, how: str) -> None:
    folder.mkdir(mode=0o755) if how == "open to others" else folder.touch()
    ds = site(house_file, plugin={"jobs_dir": str(folder)})
    with pytest.raises(StartupError, match="jobs_dir: .* can(not)? be "):
        await ds.invoke_startup()


async def test_without_a_setting_the_folder_is_a_private_one_found_again(
    house_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    for look in range(2):
        ds = make_datasette(house_file)
        if look == 0:
            job = await done(ds, HOUSE_JOB, None)
        else:
            assert (await ask(ds, "get", job["links"]["self"], None)).json()["state"] == "done"
        job_site.close(ds)
    (made,) = tmp_path.glob("datasette-program-export-*")
    assert stat.S_IMODE(made.stat().st_mode) == 0o700
    made.rename(tmp_path / "moved")
    made.symlink_to(tmp_path / "moved")  # as somebody else could have done in a shared place
    refused = await ask(make_datasette(house_file), "post", HOUSE_JOB, None)
    assert refused.status_code == 422 and "jobs_dir" in refused.json()["error"]


async def test_a_site_without_jobs_says_so(house_file: Path, folder: Path) -> None:
    with keeping(folder, house_file, plugin={"max_jobs": 0}) as ds:
        answer = await ask(ds, "post", HOUSE_JOB)
        assert (answer.status_code, "max_jobs" in answer.json()["error"]) == (422, True)
    assert not folder.exists()


@pytest.mark.parametrize("name", ["jobs_dir", "retention_hours", "max_jobs", "max_jobs_per_person", "jobs_disk_mb"])
async def test_what_is_of_the_whole_site_is_not_of_one_database(house_file: Path, name: str) -> None:
    plugin = {"datasette-program-export": {name: "x" if name == "jobs_dir" else 1}}
    with pytest.raises(StartupError, match=f"{name} is for the whole site"):
        await site(house_file, here={"plugins": plugin}).invoke_startup()


def test_a_job_is_advised_where_the_file_is_large_or_nobody_knows(house_file: Path) -> None:
    made = plan(house_file, Request())
    assert not job_advised(made.bytes, Settings())
    assert job_advised(made.bytes, Settings(job_bytes=made.bytes or 0))
    assert not job_advised(made.bytes, Settings(job_bytes=0, max_jobs=0))
    assert job_advised(None, Settings())
