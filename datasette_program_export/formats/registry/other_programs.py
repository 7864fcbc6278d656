"""Names files of other programs that hold no rows for us: a picture, a letter, a page, by their first bytes."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ...errors import OtherKindError

_MARKS: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "a picture (PNG)"),
    (b"\xff\xd8\xff", "a picture (JPEG)"),
    (b"GIF87a", "a picture (GIF)"),
    (b"GIF89a", "a picture (GIF)"),
    (b"II*\0", "a picture (TIFF)"),
    (b"MM\0*", "a picture (TIFF)"),
    (b"%PDF-", "a PDF"),
    (b"{\\rtf", "a document of a word processor (RTF)"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old document of Office (Excel or Word)"),
    (b"7z\xbc\xaf\x27\x1c", "a packed folder (7z)"),
    (b"Rar!\x1a\x07", "a packed folder (RAR)"),
    (b"ID3\x03", "a sound (MP3)"),
    (b"ID3\x04", "a sound (MP3)"),
    (b"PARE", "an encrypted Parquet file"),
    (b"\x7fELF", "a program"),
)
_IN_RIFF = {b"WEBP": "a picture (WebP)", b"WAVE": "a sound (WAV)", b"AVI ": "a film (AVI)"}
_PICTURES = (b"heic", b"heix", b"mif1", b"avif")
_PAGES = (b"<!doctype html", b"<html")
_XML = re.compile(
    rb"(?:<\?(?:(?!\?>).)*\?>|<!--(?:(?!-->).)*-->|\s)*<(?:(!doctype)\s+)?([a-z_][\w.:-]{0,39})[\s/>\[]", re.DOTALL
).match
_XML_KINDS = {
    b"svg": "a picture (SVG)",
    b"html": "an HTML page",
    b"rss": "a news feed (RSS)",
    b"feed": "a news feed (Atom)",
    b"kml": "a map (KML)",
    b"gpx": "a track (GPX)",
    b"plist": "a property list of a Mac (XML)",
}
_ZIPPED = (  # a file of the zip, or the beginning of several, by which programs know their own
    ("xl/", "an Excel workbook"),
    ("word/", "a Word document"),
    ("ppt/", "a PowerPoint presentation"),
)
_OPEN_DOCUMENT = {
    "spreadsheet": "a LibreOffice spreadsheet",
    "text": "a LibreOffice document",
    "presentation": "a LibreOffice presentation",
}
_SHEETS = ("an Excel workbook", "a LibreOffice spreadsheet", "an old document of Office (Excel or Word)")
_OPEN_DOCUMENT_MARK = b"mimetypeapplication/vnd.oasis.opendocument."
OTHER_ZIP = "a zip of something else"
OTHER_DATABASE = "another program's SQLite database"


def kind_of(start: bytes) -> str | None:
    """Return what a file with these first bytes is, such as "a PDF"; None if it may hold rows, or is a zip."""
    found = next((kind for mark, kind in _MARKS if start.startswith(mark)), None)
    if found is not None:
        return found
    if start[:4] == b"RIFF":
        return _IN_RIFF.get(start[8:12])
    if start[4:8] == b"ftyp":
        return "a picture (HEIC or AVIF)" if start[8:12] in _PICTURES else "a film (MP4)"
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    return "an HTML page" if text.startswith(_PAGES) else _kind_of_xml(text)


def _kind_of_xml(text: bytes) -> str | None:
    """Return what XML in small letters is called, by its outermost element; None for a text that is none."""
    found = _XML(text)
    if found is None or not (text.startswith(b"<?xml") or found[1] or found[2] == b"svg"):
        return "XML of another program" if text.startswith(b"<?xml") else None
    name = found[2].rpartition(b":")[2]
    return _XML_KINDS.get(name, f"XML of another program, with the outermost element {name.decode('ascii', 'replace')}")


def kind_of_zip(names: Iterable[str], start: bytes) -> str:
    """Return what a zip of other programs with these file names and first bytes is."""
    mark = start[30:].partition(_OPEN_DOCUMENT_MARK)[2].lower()
    opened = next((kind for word, kind in _OPEN_DOCUMENT.items() if mark.startswith(word.encode())), None)
    found = sorted(names)
    if "[Content_Types].xml" in found:
        opened = next((kind for folder, kind in _ZIPPED if any(n.startswith(folder) for n in found)), opened)
    return opened or OTHER_ZIP


def refuse(kind: str) -> OtherKindError:
    """Return the error about a file of this kind: what it is, and what to use instead."""
    if kind in _SHEETS:
        return OtherKindError(
            f"This is {kind}, which is not read here: save its sheet there as CSV (UTF-8), and use that."
        )
    if kind == OTHER_ZIP:
        return OtherKindError(f"This is {kind}, and no package of this program: it has no datapackage.json.")
    if kind == OTHER_DATABASE:
        return OtherKindError(
            f"This is {kind} (it has no table program_export), so it does not say what it held: export its tables with "
            "this program, and use that file."
        )
    return OtherKindError(f"This is {kind}: no export of this program, and no rows can be read from it.")
