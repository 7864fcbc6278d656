"""Exports make way for pages: by who waits for an answer, not by a clock."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from datasette_program_export.plugin.server import throttle as courtesy
from datasette_program_export.plugin.server.throttle import WAITING, WaitingRequests, considerate
from tests.support.sites.server import make_datasette

HTTP = {"type": "http"}


async def ignore(message: Any) -> None:
    pass


async def test_a_request_is_waited_for_until_its_answer_begins() -> None:
    waiting, seen = WaitingRequests(), []
    held = asyncio.Event()

    async def page(scope: Any, receive: Any, send: Any) -> None:
        seen.append(waiting.rest())
        await held.wait()
        await send({"type": "http.response.start"})
        seen.append(waiting.rest())

    around = waiting.around(page)
    first, second = (asyncio.create_task(around(dict(HTTP), None, ignore)) for _ in range(2))
    await asyncio.sleep(0)
    assert waiting.rest() == 2 * seen[0] > 0  # the more wait, the longer the rest
    held.set()
    await asyncio.gather(first, second)
    assert seen[-1] == waiting.rest() == 0


async def test_who_waits_for_its_turn_or_its_own_export_is_not_counted_meanwhile() -> None:
    waiting, seen = WaitingRequests(), []

    async def page(scope: Any, receive: Any, send: Any) -> None:
        with waiting.aside():
            seen.append(waiting.rest())
        seen.append(waiting.rest())
        await send({"type": "http.response.start"})
        with waiting.aside():
            pass
        seen.append(waiting.rest())  # it was answered

    await waiting.around(page)(dict(HTTP), None, ignore)
    assert seen[1] > 0 == seen[0] == seen[2]
    with waiting.aside():  # what is no request
        assert waiting.rest() == 0


async def test_a_request_that_fails_waits_no_more() -> None:
    waiting = WaitingRequests()

    async def page(scope: Any, receive: Any, send: Any) -> None:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        await waiting.around(page)(dict(HTTP), None, ignore)
    assert waiting.rest() == 0


async def test_an_export_goes_on_as_soon_as_nobody_waits() -> None:
    """By the order of events: a rest of an hour ends with the page's answer."""
    waiting, done = WaitingRequests(), []
    resting, held = asyncio.Event(), asyncio.Event()

    async def page(scope: Any, receive: Any, send: Any) -> None:
        resting.set()
        await held.wait()
        done.append("page")
        await send({"type": "http.response.start"})

    def export() -> None:
        waiting.give_way(3600)
        done.append("export")

    waiting.give_way(3600)  # nobody waits yet
    answered = asyncio.create_task(waiting.around(page)(dict(HTTP), None, ignore))
    await resting.wait()
    exported = asyncio.create_task(asyncio.to_thread(export))
    await asyncio.sleep(0.05)
    assert not exported.done()
    held.set()
    await asyncio.gather(answered, exported)
    assert done == ["page", "export"]


async def test_who_waits_very_long_holds_no_export_up(monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = WaitingRequests()
    monkeypatch.setattr(courtesy, "_PATIENCE", 0.0)

    async def page(scope: Any, receive: Any, send: Any) -> None:
        assert waiting.rest() == 0

    await waiting.around(page)(dict(HTTP), None, ignore)


async def test_what_is_no_request_is_let_through() -> None:
    waiting, seen = WaitingRequests(), []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        seen.append((scope["type"], waiting.rest()))

    await waiting.around(application)({"type": "lifespan"}, None, ignore)
    assert seen == [("lifespan", 0.0)]


def test_an_export_rests_while_others_wait_and_gives_the_same_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    rests: list[float] = []
    monkeypatch.setattr(courtesy, "_WORK", 0)
    monkeypatch.setattr(WAITING, "give_way", rests.append)
    answers = iter([0.0, 0.04, 0.0])
    monkeypatch.setattr(WAITING, "rest", lambda: next(answers))
    assert list(considerate([b"a", b"b", b"c"])) == [b"a", b"b", b"c"]
    assert rests == [0.04]


def test_small_chunks_are_one_piece_of_work(monkeypatch: pytest.MonkeyPatch) -> None:
    rests: list[float] = []
    now = iter(range(100))
    monkeypatch.setattr(courtesy, "_WORK", 3.5)
    monkeypatch.setattr(WAITING, "give_way", rests.append)
    monkeypatch.setattr(courtesy.time, "monotonic", lambda: next(now))
    monkeypatch.setattr(WAITING, "rest", lambda: 0.04)
    assert len(list(considerate([b"x"] * 10))) == 10
    assert len(rests) == 2


async def test_datasette_s_pages_are_counted(demo_file: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the application as it is served."""
    met: list[int] = []
    whole = WaitingRequests.around

    def around(self: WaitingRequests, application: Any) -> Any:
        async def looking(scope: Any, receive: Any, send: Any) -> None:
            met.append(len(self._since))
            await application(scope, receive, send)

        return whole(self, looking)

    monkeypatch.setattr(WaitingRequests, "around", around)
    assert (await make_datasette(demo_file).client.get("/practice")).status_code == 200
    assert met == [1] and WAITING.rest() == 0
