"""One person, and all visitors who are not signed in together, never have the last place."""

from __future__ import annotations

import json
import socket
import threading
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from datasette_program_export.errors import BusyError
from datasette_program_export.planning.planner import plan
from datasette_program_export.plugin.http import looking
from datasette_program_export.plugin.pages import verify as verification
from datasette_program_export.plugin.request import asked as asked_for
from datasette_program_export.plugin.server.identity import person_of
from datasette_program_export.plugin.server.plan_pool import PlanPool
from datasette_program_export.plugin.server.slots import SLOTS, ConcurrencyLimit, FairQueue
from datasette_program_export.plugin.server.throttle import WAITING
from tests.support.sites.jobs import bearer, keeping, sent, state_of, tokens
from tests.support.sites.permissions import house
from tests.support.sites.server import make_datasette, nothing_runs, query, reader, served, wait_until

FOREVER = query("count(*) FROM c").replace("/large/", "/house/")
PLAN = "/house/artists/{}/-/program-export.json"


def taken(limit: int, *people: str | None) -> list[str | None]:
    """Who gets a place, of those who come in this order."""
    places, found = ConcurrencyLimit("export", "running"), []
    for person in people:
        try:
            places.take(limit, person)
        except BusyError:
            continue
        found.append(person)
    return found


@pytest.mark.parametrize(
    ("limit", "come", "get"),
    [
        (4, "aaaaab", "aaab"),
        (4, "aabab", "aab"),
        (4, "aabcd", "aabc"),
        (2, "aab", "ab"),
        (1, "ab", "a"),
        (3, "abcd", "abc"),
    ],
)
def test_the_last_place_goes_only_to_who_has_none(limit: int, come: str, get: str) -> None:
    assert "".join(str(person) for person in taken(limit, *come)) == get
    assert [person or "a" for person in taken(limit, *(None if p == "a" else p for p in come))] == list(get)


def test_a_place_that_is_given_back_can_be_taken_again() -> None:
    places = ConcurrencyLimit("export", "running")
    for _ in range(3):
        places.take(2, None)
        with pytest.raises(BusyError, match="^Visitors who are not signed in have 1 export running; the last place is"):
            places.take(2, None)
        places.take(2, "anna")
        with pytest.raises(BusyError, match="^Too many exports are running at once"):
            places.take(2, "ben")
        places.give_back(None)
        places.give_back("anna")
    assert places.taken == 0


def test_all_tokens_of_a_person_are_one_person() -> None:
    anna = person_of({"id": "anna"})
    assert anna == person_of({"id": "anna", "_r": {"a": ["pe"]}, "token": "dstok"}) != person_of({"id": "ben"})
    assert person_of(None) is person_of({}) is None and person_of({"name": "x"}) not in (None, anna)


def test_people_take_turns_however_much_each_waits_for() -> None:
    waiting: FairQueue[str] = FairQueue()
    for id_ in ("a1", "a2", "a3", "b1", "b2", "c1"):
        waiting.put(id_, id_[0], id_)
    order = []
    while found := waiting.take(1, {}):
        order.append(found[0])
    assert order == ["a1", "b1", "c1", "a2", "b2", "a3"]
    waiting.put("a4", "a", "")
    waiting.put("d1", "d", "")
    assert waiting.take(1, {})[0] == "d1"  # who never had a turn goes before who just had one
    waiting.put("e1", "e", "")
    assert waiting.take(3, {"e": 1})[0] == "a4"  # and who holds nothing before who holds something
    assert waiting.take(2, {"e": 1}) is None and list(waiting) == ["e1"]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[str]:
    with tokens(), served(make_datasette(house(tmp_path), settings={"max_concurrent_exports": 3})) as server:
        yield server.url


def test_anonymous_exports_leave_a_place_to_who_is_signed_in(site: str) -> None:
    port = int(site.rpartition(":")[2])
    with reader(port, FOREVER), reader(port, FOREVER):
        wait_until(lambda: SLOTS.taken == 2, "two exports to run")
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(f"{site}/house/artists.programjson", timeout=60)
        assert refused.value.code == 429 and refused.value.headers["retry-after"] == "10"
        assert json.loads(refused.value.read())["error"] == (
            "Visitors who are not signed in have 2 exports running; the last place is kept for others. Sign in, or try "
            "again in a moment."
        )
        status, body = sent(f"{site}/house/artists.programjson")
        assert status == 200 and json.loads(body)["integrity"]["complete"] is True
    wait_until(nothing_runs, "the exports to end")


def test_a_person_leaves_a_place_to_visitors_who_are_not_signed_in(site: str) -> None:
    with ExitStack() as asking:
        for _ in range(2):
            asking.enter_context(asked(site, FOREVER, "anna"))
        wait_until(lambda: SLOTS.taken == 2, "two exports to run")
        status, body = sent(f"{site}/house/artists.programjson")
        assert status == 429
        assert json.loads(body)["error"] == "You have 2 exports running; the last place is kept for others."
        assert sent(f"{site}/house/artists.programjson", who=None)[0] == 200
    wait_until(nothing_runs, "the exports to end")


def test_the_rule_is_that_of_checks_too(site: str) -> None:
    for _ in range(2):
        verification.SLOTS.take(3, None)
    try:
        form = {"files": {"file": ("x", b"x")}}
        refused = httpx.post(f"{site}/-/program-export/verify.json", **form)
        assert refused.status_code == 429 and "have 2 files being checked; the last place" in refused.json()["error"]
        checked = httpx.post(f"{site}/-/program-export/verify.json", headers=bearer("anna"), **form)
        assert checked.status_code == 200
    finally:
        for _ in range(2):
            verification.SLOTS.give_back(None)


def asked(site: str, path: str, who: str | None = None) -> socket.socket:
    """A request whose answer nobody reads."""
    made = socket.create_connection(("127.0.0.1", int(site.rpartition(":")[2])), timeout=30)
    head = "".join(f"{name}: {value}\r\n" for name, value in bearer(who).items())
    made.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n{head}\r\n".encode())
    return made


class Held:
    """Work that ends when it is let go."""

    def __init__(self, pool: PlanPool) -> None:
        self.pool, self.go, self.begun = pool, threading.Event(), Counter[str]()

    def submit(self, person: str | None, name: str) -> Any:
        def work() -> str:
            self.begun[name] += 1
            self.go.wait(30)
            return name

        return self.pool.submit(person, work)


def test_plans_wait_for_a_thread_in_turn_and_only_so_many() -> None:
    held = Held(PlanPool(threads=2, most_waiting=2))
    first = held.submit(None, "first")
    waits, cancelled = held.submit(None, "waits"), held.submit(None, "cancelled")
    with pytest.raises(BusyError, match="not signed in have 2 exports that wait to be looked at"):
        held.submit(None, "too many")
    other = held.submit("anna", "anna")
    wait_until(lambda: held.begun.total() == 2, "both threads to work")
    assert set(held.begun) == {"first", "anna"}
    assert cancelled.cancel()
    again = held.submit(None, "again")  # it waits in the place of the one that does not any more
    held.go.set()
    assert [f.result(10) for f in (first, other, waits, again)] == ["first", "anna", "waits", "again"]
    wait_until(lambda: held.pool.idle, "the threads to end")
    assert "cancelled" not in held.begun


def test_what_a_plan_raises_is_raised_and_frees_its_thread() -> None:
    pool = PlanPool(threads=1)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            pool.submit(None, lambda: 1 // 0).result(10)
    wait_until(lambda: pool.idle, "the thread to end")


def test_where_the_system_has_no_thread_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def start(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    pool = PlanPool()
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", start)
        with pytest.raises(BusyError, match="cannot look at one more export"):
            pool.submit(None, int).result(10)
    assert pool.submit(None, int).result(10) == 0


class Large:
    """Plans of the artist 1 take until they are let go; of others, no time."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.go, self.begun = threading.Event(), 0
        monkeypatch.setattr(asked_for, "plan", self.plan)

    def plan(self, source: Any, request: Any, **how: Any) -> Any:
        if request.records == (("1",),):
            self.begun += 1
            self.go.wait(60)
        return plan(source, request, **how)


@pytest.fixture
def large_plans(monkeypatch: pytest.MonkeyPatch) -> Iterator[Large]:
    made = Large(monkeypatch)
    monkeypatch.setattr(looking, "PLANS", PlanPool())
    yield made
    made.go.set()
    wait_until(lambda: looking.PLANS.idle, "the plans to end")


def test_many_large_plans_hold_up_no_other_person_no_upload_and_no_result(tmp_path: Path, large_plans: Large) -> None:
    """Their number is more than the threads that the event loop has for everything else."""

    def ask(_: int) -> int:
        return sent(server.url + PLAN.format(1), who=None)[0]

    with keeping(tmp_path / "jobs", house(tmp_path)) as ds, served(ds) as server, ThreadPoolExecutor(50) as visitors:
        answers = visitors.map(ask, range(50))
        try:
            wait_until(lambda: large_plans.begun == 3, "the large plans to begin")
            wait_until(lambda: looking.PLANS._waiting.of(None) == 20, "others to wait")
            status, body = sent(server.url + PLAN.format(2), who=None)
            assert status == 429 and "have 20 exports that wait to be looked at" in json.loads(body)["error"]
            assert sent(server.url + PLAN.format(2))[0] == 200
            assert sent(server.url + "/house/artists.programjson?name=ada")[0] == 200
            made = json.loads(sent(f"{server.url}/house/-/program-export/job", "POST")[1])
            wait_until(lambda: state_of(server.url + made["links"]["self"])["state"] == "done", "the job")
            content = sent(f"{server.url}{made['links']['page']}/result")[1]
            checked = httpx.post(f"{server.url}/-/program-export/verify.json", files={"file": ("x", content)})
            assert checked.json()["status"] == "complete" and large_plans.begun == 3
        finally:
            large_plans.go.set()
        assert Counter(answers) == {200: 23, 429: 27}


def test_a_plan_that_waits_is_dropped_when_its_reader_leaves(site: str, large_plans: Large) -> None:
    with ExitStack() as stay:
        for _ in range(3):
            stay.enter_context(asked(site, PLAN.format(1)))
        wait_until(lambda: large_plans.begun == 3, "three plans to begin")
        with asked(site, PLAN.format(1)):
            wait_until(lambda: looking.PLANS._waiting.of(None) == 1, "the fourth to wait")
            wait_until(lambda: len(WAITING._since) == 3, "it not to be counted, as no page is slow for it")
        wait_until(lambda: looking.PLANS._waiting.of(None) == 0, "it to be dropped")
        large_plans.go.set()
        wait_until(lambda: looking.PLANS.idle, "the plans to end")
    assert large_plans.begun == 3
