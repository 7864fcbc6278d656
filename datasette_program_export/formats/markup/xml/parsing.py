"""Parses XML as a stream, of any origin: no document types, so no entities, and nothing without end in memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any
from xml.parsers import expat

from ....errors import UnreadableError
from ....files.reading_limits import Limits

_PIECE = 1 << 16
_LARGEST_TAG = 4_000_000  # bytes: a tag is held as a whole, with its attributes


@dataclass(frozen=True)
class Faults:
    """What is said of XML that is damaged, or has a document type; ``cut`` of a file that ends before its end."""

    damaged: str
    document_type: str
    cut: str = ""


def parse(file: IO[bytes], handler: Any, limits: Limits, faults: Faults, *, namespaces: bool = False) -> Iterator[None]:
    """Feed XML to a handler with ``begin(name, attributes)``, ``end(name)`` and ``text``; yield after each piece.

    With ``namespaces`` names come without theirs, and attributes as a dict; else names are as they are written, and
    attributes a list of names and values. Raises UnreadableError for what is no XML, and for a document type, by which
    a small file can become a large one, and have others read."""
    parser = expat.ParserCreate(namespace_separator=" ") if namespaces else expat.ParserCreate("UTF-8")
    parser.buffer_text = True
    parser.buffer_size = _PIECE
    parser.ordered_attributes = not namespaces
    parser.StartElementHandler, parser.EndElementHandler = handler.begin, handler.end
    if namespaces:
        parser.StartElementHandler = lambda name, found: handler.begin(name.rpartition(" ")[2], found)
        parser.EndElementHandler = lambda name: handler.end(name.rpartition(" ")[2])
    parser.CharacterDataHandler = handler.text

    def refuse(*_: Any) -> None:
        raise UnreadableError(faults.document_type)

    parser.StartDoctypeDeclHandler = refuse
    size = 0
    try:
        while piece := file.read(_PIECE):
            limits.go_on()
            parser.Parse(piece, False)
            size += len(piece)
            if size - parser.CurrentByteIndex > _LARGEST_TAG:
                raise UnreadableError("The file has a tag of XML that is far too large.")
            yield
    except expat.ExpatError:
        raise UnreadableError(faults.damaged) from None
    try:
        parser.Parse(b"", True)
    except expat.ExpatError:
        raise UnreadableError(faults.cut or faults.damaged, "cut" if faults.cut else "damaged") from None
    yield
