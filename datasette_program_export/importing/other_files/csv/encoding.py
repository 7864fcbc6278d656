"""The encoding of a text file: by its byte order mark, by its bytes, or asked for where several would fit.

A file that is UTF-8 but for single bytes stays UTF-8, with a fault: no byte changes how the others are read.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import IO

from ....errors import RequestError, UnreadableError

Content = Callable[[], AbstractContextManager[IO[bytes]]]
_BLOCK = 1 << 16
_MARKS = (  # UTF-32 first: its mark begins with that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_characters = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_high = re.compile(rb"[\x80-\xff]")
_long_run = re.compile(rb"[\x80-\xff]{4}")
_letters = re.compile(rb"[A-Za-z]")
_RARE = 0.25  # in a language with Latin letters, the share of those beyond ASCII is smaller
_OTHERS = ("cp1251", "cp1250", "cp1253", "shift_jis", "gb18030", "big5", "euc_kr", "koi8_r")
_TOLD = 12
_FEW = 10  # of so many signs beyond ASCII, one or none is by chance like UTF-8


def encoding_of(sample: bytes, opened: Content) -> tuple[str, str | None]:
    """Return the encoding, and a sentence if it is a guess. Raises UnreadableError if it must be asked for."""
    for mark, marked_name in _MARKS:
        if sample.startswith(mark):
            return marked_name, None
    if name := _without_mark(sample):
        return (
            name,
            f"The file does not say its encoding: {name} is a guess, by its zero bytes. Else "
            "use the argument encoding.",
        )
    marked = sample.startswith(codecs.BOM_UTF8)
    try:
        codecs.getincrementaldecoder("utf-8")().decode(sample, final=False)
    except UnicodeDecodeError:
        rest = _characters.sub(b"", sample.removeprefix(codecs.BOM_UTF8))
        whole = len(_characters.findall(sample)) - marked
        others = len(_high.findall(rest))
        if marked or whole >= others:
            raise faulty(opened, "utf-8") from None
        return _guessed(sample, whole * _FEW >= others)
    return "utf-8-sig" if marked else "utf-8", None


def told(encoding: str, sample: bytes) -> str:
    """Return the encoding that was asked for; UTF-8 with its mark where the file begins with it."""
    is_utf8 = encoding.lower().replace("_", "-") in ("utf-8", "utf8")
    return "utf-8-sig" if is_utf8 and sample.startswith(codecs.BOM_UTF8) else encoding


def _without_mark(sample: bytes) -> str | None:
    """Return UTF-16 if every second byte of the beginning is zero, as in Latin text."""
    start = sample[:400]
    even, odd = start[::2].count(0), start[1::2].count(0)
    if odd * 3 > len(start) and not even:
        return "utf-16-le"
    return "utf-16-be" if even * 3 > len(start) and not odd else None


def _guessed(sample: bytes, like_utf8: bool) -> tuple[str, str]:
    """Return cp1252 if the letters beyond ASCII are as few as in languages with Latin letters."""
    high, plain = _high.findall(sample), _letters.findall(sample)
    try:
        text = sample.decode("cp1252")
    except UnicodeDecodeError:
        text = ""
    if not text or like_utf8 or _long_run.search(sample) or len(high) > _RARE * (len(high) + len(plain)):
        fitting = [name for name in _OTHERS if _decodes(sample, name)]
        raise UnreadableError(
            "The file is not UTF-8 and does not say its encoding, and several fit "
            f"({', '.join([*fitting, 'cp1252'] if text else fitting) or 'which cannot be told'}): "
            "use the argument encoding.",
            "unknown",
        )
    letters = " ".join(sorted({sign for sign in text if sign > "\x7f"})[:_TOLD])
    return "cp1252", (
        f"The file is not UTF-8 and does not say its encoding: cp1252 is a guess. Check these letters: {letters}. "
        "If they are wrong, use the argument encoding."
    )


def _decodes(sample: bytes, name: str) -> bool:
    try:
        codecs.getincrementaldecoder(name)().decode(sample, final=False)
    except UnicodeDecodeError:
        return False
    return True


def decoded(sample: bytes, encoding: str, opened: Content) -> str:
    """Return the beginning of a file as text. Raises RequestError for an encoding that is none, UnreadableError."""
    check_encoding(encoding)
    try:
        return codecs.getincrementaldecoder(encoding)().decode(sample, final=False)
    except UnicodeError:
        raise faulty(opened, encoding) from None


def check_encoding(encoding: str) -> None:
    """Raise RequestError for a name that is no encoding of texts, such as zlib, base64, rot13 or undefined."""
    try:
        found = codecs.lookup(encoding)
        if found._is_text_encoding and found.incrementaldecoder is not None:
            found.incrementaldecoder().decode(b"")
            return
    except (LookupError, ValueError):  # ValueError: a name with a NUL; ``undefined`` decodes nothing at all
        pass
    raise RequestError(f"There is no encoding {encoding} of texts.")


def faulty(opened: Content, encoding: str) -> UnreadableError:
    """Return an error that names the first line with a byte that is not of the encoding."""
    line = 1
    with opened() as file:
        decoder = codecs.getincrementaldecoder(encoding)()
        try:
            while block := file.read(_BLOCK):
                line += decoder.decode(block).count("\n")
            decoder.decode(b"", final=True)
        except UnicodeDecodeError as error:
            line += _lines_before(error, encoding)
    return UnreadableError(
        f"Line {line:,} has a byte that is not {encoding}, as the file's others are: mend that line, or "
        "use the argument encoding "
        "if all of the file is of another one.",
        "unknown",
    )


def _lines_before(error: UnicodeDecodeError, encoding: str) -> int:
    try:
        return error.object[: error.start].decode(encoding, "ignore").count("\n")
    except UnicodeError:
        return 0
