"""A file that is sent in a form: it goes to the disk while it comes, and no further than it may."""

from __future__ import annotations

import asyncio
import io

import pytest

from datasette_program_export.errors import CancelledError, FileTooLargeError, TooSlowError
from datasette_program_export.options.settings import Settings
from datasette_program_export.plugin.http.upload import receive_file
from tests.support.sites.forms import Sender, form

MUCH, FEW = Settings(), Settings(verify_mb=1)


async def test_a_file_goes_to_the_disk_while_it_comes() -> None:
    piece = 64 * 1024
    whole = form(('name="file"; filename="a.zip"', bytes(200 * piece)))
    pieces = [whole[i : i + piece] for i in range(0, len(whole), piece)]
    file, waiting = io.BytesIO(), []
    sender = Sender(pieces, lambda: waiting.append((len(pieces) + 1 - sender.unread) * piece - file.tell()))
    assert await receive_file(sender, file, MUCH) == "a.zip"
    assert file.getvalue() == bytes(200 * piece)
    assert len(waiting) > 200 and max(waiting) <= 5 * piece


async def test_what_does_not_say_how_much_it_is_is_read_up_to_the_limit_only() -> None:
    whole = form(('name="file"; filename="a.zip"', bytes(3_000_000)))
    sender = Sender([whole[i : i + 100_000] for i in range(0, len(whole), 100_000)])
    file = io.BytesIO()
    with pytest.raises(FileTooLargeError):
        await receive_file(sender, file, FEW)
    assert file.tell() <= 1_000_000 and sender.unread > 19
    sender.headers["content-length"] = "3000000"
    with pytest.raises(FileTooLargeError):
        await receive_file(sender, file, FEW)
    assert sender.unread > 19  # not one piece more


async def test_fields_are_not_taken_for_the_file() -> None:
    file = io.BytesIO()
    sent = form(('name="csrftoken"', b"secret"), ('name="file"; filename="a.zip"', b"the file"), ('name="more"', b"no"))
    for pieces in ([sent], [bytes([byte]) for byte in sent]):
        file.seek(0)
        assert await receive_file(Sender(pieces), file, FEW) == "a.zip"
        assert file.getvalue() == b"the file"


@pytest.mark.parametrize("pause", [0, 0.01])
async def test_a_file_that_comes_without_end_is_given_up(pause: float) -> None:
    """Also where there is always more to read, so that nothing is ever waited for."""

    class Dripping(Sender):
        async def receive(self) -> dict:
            if pause:
                await asyncio.sleep(pause)
            return {"type": "http.request", "body": b"", "more_body": True}

    with pytest.raises(TooSlowError, match="longer than the 0.2 seconds") as slow:
        await receive_file(Dripping([]), io.BytesIO(), Settings(upload_seconds=0.2))
    assert slow.value.status == 408


async def test_who_leaves_is_not_waited_for() -> None:
    sent = form(('name="file"; filename="a.zip"', b"the file"))
    with pytest.raises(CancelledError):
        await receive_file(Sender([sent[:40]], leaves=True), io.BytesIO(), FEW)
