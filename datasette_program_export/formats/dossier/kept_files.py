"""The files that rows name, as they lie in the machine's copy: which cell names which, and what the page says of it."""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass
from typing import IO

from ..package.datapackage import FILES, KEY
from ..package.package import DESCRIPTION
from .images import media_type

_BEGINNING = 16  # bytes that tell a picture
_SHA256 = len("sha256:")


@dataclass(frozen=True)
class KeptFile:
    """One file. ``number`` is its own in the page, ``path`` that in the package, ``name`` the text of the first cell.

    ``picture`` is its media type if every browser shows it, by its first bytes; never that of SVG."""

    number: int
    path: str
    name: str
    bytes: int
    sha256: str
    picture: str | None


class KeptFiles:
    """``all`` are the files of a package that this program has just written; none without one."""

    def __init__(self, package: IO[bytes] | None = None) -> None:
        self.all: list[KeptFile] = []
        self._of: dict[tuple[str, str], dict[str, KeptFile]] = {}
        self._archive = None if package is None else zipfile.ZipFile(package)  # closed with what it reads
        if self._archive is not None:
            self._read(self._archive)

    def of(self, table: str, column: str, value: object) -> KeptFile | None:
        """Return the file that a cell names; None if it names none that is here."""
        found = self._of.get((table, column))
        return found.get(value) if found is not None and isinstance(value, str) else None

    def content(self, file: KeptFile) -> bytes:
        """Return all bytes of a file: ask for small ones only."""
        assert self._archive is not None
        return self._archive.read(file.path)

    def has_pictures(self, table: str, column: str) -> bool:
        """Return whether some files of a column are pictures."""
        return any(found.picture for found in self._of.get((table, column), {}).values())

    def _read(self, archive: zipfile.ZipFile) -> None:
        described = json.loads(archive.read(DESCRIPTION))[KEY].get(FILES, {})
        known: dict[str, KeptFile] = {}
        for table, columns in described.items():
            for column, files in columns.items():
                for value, told in files.items():
                    path = told["path"]
                    if path not in known:
                        with archive.open(path) as content:
                            picture = media_type(content.read(_BEGINNING))
                        digest = told["hash"][_SHA256:]
                        known[path] = KeptFile(len(known) + 1, path, value, told["bytes"], digest, picture)
                    self._of.setdefault((table, column), {})[value] = known[path]
        self.all = list(known.values())
