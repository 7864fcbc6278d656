"""dossier: one HTML page for a person, with all rows in words, that carries the same rows for programs.

Nothing of the page is sent before all rows were read, as they are told in another order than they are read in.
``page`` writes what is read, ``machine_copy`` what programs read, and ``seal`` says how the file ends.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO

from ...files.beside import Hash
from ...files.reading_limits import Limits
from ..dataset import Dataset
from ..description.language.catalogue import ENGLISH, words_in
from ..registry import Format, Options
from .kept_rows import MOST_BYTES, MOST_ROWS, KeptRows
from .seal import BEGINNING, end

_PIECE = 1 << 16


def encode(dataset: Dataset, options: Options) -> Iterator[bytes]:
    """Yield the page in pieces. Raises TooLargeError, before any, for more than a browser bears."""
    # imported late: thirty modules that every command of another format would load
    from .machine_copy import MachineCopy
    from .page.page import Page

    say = words_in(options.request.language or ENGLISH)
    with KeptRows(options.folder) as kept, MachineCopy(options.folder) as copy:
        copy.keep(kept.through(dataset), options)
        hashed = Hash(options.beside)
        waiting = bytearray()
        for piece in Page(dataset, options, kept, copy, say).pieces():
            waiting += piece
            if len(waiting) >= _PIECE:
                data = bytes(waiting)
                hashed.update(data)
                yield data
                waiting.clear()
        data = bytes(waiting)
        hashed.update(data)
        yield data + end(hashed.hexdigest())


def decode(file: IO[bytes], limits: Limits) -> Dataset:
    """Return the dataset of a page. Raises UnreadableError, as ``reading`` says."""
    from .reading import decode as read  # imported late, like what writes

    return read(file, limits)


FORMAT = Format(
    name="dossier",
    help="One page for people, that opens in any browser without a network, and carries the data for programs too.",
    extension="html",
    media_type="text/html; charset=utf-8",
    lossless=True,
    self_verifying=True,
    encode=encode,
    decode=decode,
    streams=False,
    speaks=True,
    good_for="giving it to the person whom it is about: to read, to search, to print, and to check",
    purpose="read",
    beginnings=(BEGINNING,),
    ending="html",
    holds_files=True,
    most_rows=MOST_ROWS,
    most_bytes=MOST_BYTES,
)
