"""Receive a file from a form and write it to disk as it arrives."""

from __future__ import annotations

import asyncio
from pathlib import Path
from time import monotonic
from typing import IO

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from ...errors import CancelledError, FileTooLargeError, RequestError, TooSlowError
from ...files.temporary.room import check_free
from ...options.settings import Settings
from ..host.protocols import HttpRequest, Message

_PIECE = 256 * 1024
_FIELDS = 64 * 1024  # bytes of all fields together
_BESIDE = _FIELDS + 4096  # bytes of a form, at most, that are not the file's
_HOW = "Send the file in a form (multipart/form-data), as a browser does, or curl -F file=@name."


class _Form:
    """Parse a form: write the bytes of its one file to ``file``, and keep a limited size of other fields."""

    def __init__(self, content_type: str, file: IO[bytes]) -> None:
        kind, options = parse_options_header(content_type)
        if kind != b"multipart/form-data" or not options.get(b"boundary"):
            raise RequestError(_HOW)
        self.name: str | None = None
        self.ended = False
        self.fields: list[tuple[str, bytearray]] = []
        self._room = _FIELDS
        self._file = file
        self._taken = self._field = False
        self._header: list[bytes] = []
        self._value: list[bytes] = []
        self._disposition = b""
        try:
            self._parser = MultipartParser(
                options[b"boundary"],
                {
                    "on_part_begin": self._part_begins,
                    "on_header_field": lambda data, start, end: self._heads(self._header, data[start:end]),
                    "on_header_value": lambda data, start, end: self._heads(self._value, data[start:end]),
                    "on_header_end": self._header_ends,
                    "on_headers_finished": self._headers_end,
                    "on_part_data": self._data,
                    "on_end": self._end,
                },
            )
        except FormParserError:
            raise RequestError(_HOW) from None

    def write(self, data: bytes) -> None:
        """Parse more of the form. Raises RequestError for bytes that are not a form."""
        try:
            self._parser.write(data)
        except FormParserError:
            raise RequestError(f"What was sent is not a form. {_HOW}") from None

    def _part_begins(self) -> None:
        self._taken, self._field, self._disposition = False, False, b""

    def _heads(self, kept: list[bytes], data: bytes) -> None:
        self._room -= len(data)
        self._check_room()
        kept.append(data)

    def _header_ends(self) -> None:
        if b"".join(self._header).lower() == b"content-disposition":
            self._disposition = b"".join(self._value)
        self._header.clear()
        self._value.clear()

    def _headers_end(self) -> None:
        options = parse_options_header(self._disposition)[1]
        name = options.get(b"filename")
        if not name:  # a field, or a file input without a file
            if name is None:
                self._room -= len(options.get(b"name", b"")) + 100
                self.fields.append((options.get(b"name", b"").decode("utf-8", "replace"), bytearray()))
                self._check_room()
            self._field = name is None
            return
        if self.name is not None:
            raise RequestError("One file can be sent at a time.")
        self.name = name.decode("utf-8", "replace").rpartition("/")[2]
        self._taken = True

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._taken:
            self._file.write(data[start:end])
        elif self._field:
            self._room -= end - start
            self._check_room()
            self.fields[-1][1].extend(data[start:end])

    def _check_room(self) -> None:
        if self._room < 0:
            raise RequestError(f"The fields of the form beside the file hold more than {_FIELDS:,} bytes.")

    def _end(self) -> None:
        self.ended = True


_CHECKED = (
    "At most {:g} MB can be checked here (verify_mb). On a computer with this program, "
    "datasette program-export verify checks a file of any size."
)


async def receive_file(request: HttpRequest, file: IO[bytes], settings: Settings) -> str:
    """Write the file of a form to ``file`` and return its name; it is to be checked (``verify_mb``).

    Raises RequestError, FileTooLargeError, TooSlowError; CancelledError if the sender leaves."""
    return (await receive_form(request, file, settings.verify_mb, settings, _CHECKED))[0]


async def receive_form(
    request: HttpRequest, file: IO[bytes], megabytes: float, settings: Settings, too_large: str
) -> tuple[str, list[tuple[str, str]]]:
    """Write the file of a form to ``file``; return its name and the other fields.

    ``too_large`` is the message for a file of more than ``megabytes``, formatted with that number. It waits for
    ``send_timeout_seconds`` for more, and for ``upload_seconds`` in all. Raises RequestError, FileTooLargeError,
    TooSlowError; SpoolFullError where it certainly does not fit; CancelledError if the sender leaves."""
    form = _Form(request.headers.get("content-type", ""), file)
    limit = int(megabytes * 1e6)
    announced = request.headers.get("content-length", "")
    size = int(announced) if announced.isdecimal() and len(announced) < 19 else 0
    sentence = too_large.format(megabytes)
    _check(size, limit, sentence)
    if isinstance(getattr(file, "name", None), str):  # on the disk
        check_free(Path(file.name).parent, size - _BESIDE, "There is no room for the file here: it")
    size, more, waiting = 0, True, bytearray()
    give_up = monotonic() + settings.upload_seconds
    while more:
        message = await _next(request, give_up, settings)
        if message["type"] != "http.request":
            raise CancelledError("The sender left.")
        waiting += message.get("body", b"")
        more = message.get("more_body", False)
        size += len(message.get("body", b""))
        _check(size, limit, sentence)
        if len(waiting) >= _PIECE or not more:
            await asyncio.to_thread(form.write, bytes(waiting))
            waiting.clear()
    if not form.ended:
        raise RequestError("The form ends before its end. Send the file again.")
    if form.name is None:
        raise RequestError("No file was chosen.")
    return form.name, [(name, bytes(value).decode("utf-8", "replace")) for name, value in form.fields]


async def _next(request: HttpRequest, give_up: float, settings: Settings) -> Message:
    """Return the next message of a request. Raises TooSlowError if none comes, or after ``give_up``."""
    seconds, left = settings.send_timeout_seconds, give_up - monotonic()
    try:
        if left > 0:  # also checked where data come without a pause, for which wait_for does not wait
            return await asyncio.wait_for(request.receive(), min(seconds, left))
    except asyncio.TimeoutError:
        if seconds < left:
            raise TooSlowError(f"Nothing more of the file came for {seconds:g} seconds. Send it again.") from None
    raise TooSlowError(
        f"The file took longer than the {settings.upload_seconds:g} seconds that sending may take here "
        "(upload_seconds). Send it over a faster line."
    )


def _check(size: int, limit: int, sentence: str) -> None:
    if size > limit:
        raise FileTooLargeError(sentence)
