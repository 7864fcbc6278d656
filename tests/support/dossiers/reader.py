"""Reads a dossier with Python's own HTML parser: the copy for programs, and what a person reads."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from html.parser import HTMLParser

from tests.support.files.cells import Found
from tests.support.files.json_reader import read_programjson


class Page(HTMLParser):
    """``scripts`` by their id, ``texts`` outside scripts and styles, ``tags`` with their attributes."""

    def __init__(self, data: bytes) -> None:
        super().__init__()
        self.scripts: dict[str, str] = {}
        self.texts: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self._inside: str | None = None
        self.feed(data.decode("utf-8"))
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag in ("script", "style"):
            self._inside = dict(attrs).get("id") or tag

    def handle_endtag(self, tag: str) -> None:
        if tag in ("script", "style"):
            self._inside = None

    def handle_data(self, data: str) -> None:
        if self._inside is None:
            self.texts.append(data)
        else:
            self.scripts[self._inside] = self.scripts.get(self._inside, "") + data

    @property
    def text(self) -> str:
        return "".join(self.texts)

    @property
    def document(self) -> bytes:
        return gzip.decompress(base64.b64decode(self.scripts["program-export-copy"]))


def read_dossier(data: bytes) -> Found:
    """The copy for programs, after the digest of the whole page is compared."""
    page = Page(data)
    end = json.loads(page.scripts["program-export-end"])
    begin = data.rindex(b'<script type="application/json" id="program-export-end">')
    assert end == {"document": hashlib.sha256(data[:begin]).hexdigest(), "complete": True}
    return read_programjson(page.document)
