"""Jobs of several people: who runs next, and how much of the disk each may fill."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from datasette_program_export.errors import SpoolFullError
from datasette_program_export.options.settings import Settings
from datasette_program_export.plugin.server import job_runner
from datasette_program_export.plugin.server.job_runner import Job, Jobs
from datasette_program_export.plugin.server.site import BackgroundTasks
from tests.support.sites.jobs import FOREVER, HOUSE_JOB, ask, begun, done, ended, jobs_in, keeping, many, sent, state_of
from tests.support.sites.permissions import house, signed_in
from tests.support.sites.server import served, wait_until


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "jobs"


@pytest.fixture
def house_file(tmp_path: Path) -> Path:
    return house(tmp_path)


def test_a_small_job_runs_beside_endless_ones_of_visitors(house_file: Path, folder: Path) -> None:
    with keeping(folder, house_file) as ds, served(ds) as server:
        endless = [json.loads(sent(server.url + FOREVER, "POST", None)[1]) for _ in range(3)]
        wait_until(lambda: len(jobs_in(ds)._running) == 2, "the endless ones to run")
        status, body = sent(server.url + FOREVER, "POST", None)
        assert status == 429 and "Visitors who are not signed in have 3 exports" in json.loads(body)["error"]
        for who in ("anna", "ben"):
            small = json.loads(sent(server.url + HOUSE_JOB, "POST", who)[1])
            here = server.url + small["links"]["self"]
            wait_until(lambda here=here, who=who: state_of(here, who)["state"] == "done", "the small job")
        states = [state_of(server.url + job["links"]["self"], None)["state"] for job in endless]
        assert sorted(states) == ["queued", "running", "running"]


async def test_one_person_s_jobs_leave_a_place_to_others(house_file: Path, folder: Path) -> None:
    with keeping(folder, house_file, plugin={"max_jobs": 2}) as ds:
        first, second = await begun(ds, FOREVER), await begun(ds, HOUSE_JOB)
        await done(ds, HOUSE_JOB, None)
        assert (await ask(ds, "get", second["links"]["self"])).json()["state"] == "queued"
        await ask(ds, "post", first["links"]["cancel"])
        assert (await ended(ds, second))["state"] == "done"


async def test_of_one_place_people_take_turns(house_file: Path, folder: Path) -> None:
    with keeping(folder, house_file, plugin={"max_jobs": 1}) as ds:
        first, *later = [await begun(ds, FOREVER, None) for _ in range(3)]
        small = await begun(ds, HOUSE_JOB)
        await ask(ds, "post", first["links"]["cancel"], None)
        assert (await ended(ds, small))["state"] == "done"  # before the two that came before it
        assert [(await ask(ds, "get", j["links"]["self"], None)).json()["started"] for j in later][1] is None


async def test_tokens_of_one_person_share_what_the_person_may_have(house_file: Path, folder: Path) -> None:
    with keeping(folder, house_file, plugin={"max_jobs_per_person": 1}) as ds:
        await begun(ds, FOREVER)
        restricted = signed_in(ds, {"id": "anna", "_r": {"a": ["vi", "vd", "vt", "pe"]}})
        assert (await ds.client.post(HOUSE_JOB, cookies=restricted)).status_code == 429
        await begun(ds, HOUSE_JOB, "ben")


LARGE = "/many/t/-/program-export/job"  # some 10 MB


async def test_visitors_results_fill_half_of_the_disk_and_leave_the_rest_to_others(
    tmp_path: Path, folder: Path
) -> None:
    with keeping(folder, many(tmp_path), plugin={"jobs_disk_mb": 25}) as ds:
        await done(ds, LARGE, None)
        refused = await ended(ds, await begun(ds, LARGE, None), None)
        assert refused["state"] == "failed"
        assert "not signed in may fill 50% of the 25 MB (jobs_disk_mb)" in refused["error"]
        await done(ds, LARGE)


async def test_one_person_s_results_do_not_fill_all_of_the_disk(tmp_path: Path, folder: Path) -> None:
    with keeping(folder, many(tmp_path), plugin={"jobs_disk_mb": 10.5}) as ds:
        refused = await ended(ds, await begun(ds, LARGE))
        assert refused["state"] == "failed" and "Your results may fill 90% of the 10.5 MB" in refused["error"]


def test_what_others_write_meanwhile_counts(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.mkdir(mode=0o700)
    background = BackgroundTasks(folder, Settings(jobs_disk_mb=10))
    jobs: Jobs = background.jobs

    def added(id_: str, person: str | None) -> Job:
        job = Job(
            id=id_, owner=person, person=person, instance=jobs.instance.name, state="running", database="x", rules="",
            created=1.0, title="", asked={}, request={}, visible=None,
        )  # fmt: skip
        jobs.store.put(job)
        return job

    monkeypatch.setattr(job_runner, "TICK", 0)
    room = job_runner._Room(jobs, added("a", None))
    room.check(5_000_000)
    added("b", None)
    jobs.store.note("b", bytes=1_000_000)
    with pytest.raises(SpoolFullError, match="50%"):
        room.check(4_000_001)
    added("c", "anna")
    jobs.store.note("c", bytes=8_000_000)
    with pytest.raises(SpoolFullError, match="of all jobs"):
        room.check(1_000_001)
    room.check(1_000_000)
    background.close()
