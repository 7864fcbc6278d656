"""Reads the files of an untrusted zip as streams."""

from __future__ import annotations

import hashlib
import io
import zipfile
import zlib
from typing import IO, Any, cast

from ..errors import UnreadableError
from .reading_limits import Limits
from .zip_writing import DIGEST_SIZE, SEAL

_BLOCK = 1 << 20
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # the others decompress without a bound on memory
_ENTRY = 200  # bytes of an entry in the central directory: 46, a name, extra fields
_SPARE = 1000  # folders are entries too, but not files
_END = 22  # bytes of the record at a zip's end, before its comment


class Unpacking:
    """A zip whose file names are safe. ``sealed``: whether its bytes match the digest in its comment.

    Raises UnreadableError for a zip that is damaged or malicious."""

    def __init__(self, file: IO[bytes], limits: Limits) -> None:
        self._limits = limits
        self._file = file
        try:
            self._zip = zipfile.ZipFile(cast("IO[bytes]", directory := _Directory(file, limits)))
            directory.read_before = True
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, UnicodeDecodeError):
            raise UnreadableError("The zip is cut or damaged: its table of contents cannot be read.", "cut") from None
        if not all(info.filename for info in self._zip.infolist()):
            raise UnreadableError("The zip holds a file without a name.")
        # a folder is not a file: programs that pack a zip again add entries for folders
        infos = [info for info in self._zip.infolist() if not (info.is_dir() and info.file_size == 0)]
        if len(infos) > limits.members:
            raise UnreadableError(
                f"The zip holds {len(infos):,} files; more than {limits.members:,} are not looked at."
            )
        self._infos = {info.filename: info for info in infos}
        if len({name.casefold() for name in self._infos}) != len(infos):
            raise UnreadableError("The zip holds two files of one name.")
        for name in self._zip.namelist():
            if name.startswith("/") or "\\" in name or ":" in name[:2] or ".." in name.split("/"):
                raise UnreadableError("The zip holds a file whose name leads out of its folder.")
        if any(info.compress_type not in _METHODS for info in infos):
            raise UnreadableError("A file in the zip is packed in a way that this program never uses: pack it anew.")
        if infos and min(info.header_offset for info in self._zip.infolist()) > 0:
            raise UnreadableError("There is something before the beginning of the zip.")
        self.sealed = self._is_sealed()
        self._unpacked = 0

    @property
    def names(self) -> set[str]:
        return set(self._infos)

    def _is_sealed(self) -> bool:
        """Return whether the comment is the digest of all bytes before it; False if there is no comment."""
        comment = self._zip.comment
        self._size = size = self._file.seek(0, io.SEEK_END)
        self._file.seek(max(0, size - len(comment) - _END))
        end = self._file.read(_END)
        if end[:4] != b"PK\5\6":
            raise UnreadableError("There is something behind the end of the zip.")
        if int.from_bytes(end[-2:], "little") > len(comment):
            raise UnreadableError("The zip is cut: it ends within its comment.", "cut")
        if not comment:
            return False
        if not comment.startswith(SEAL) or len(comment) != len(SEAL) + DIGEST_SIZE:
            raise UnreadableError("The zip's comment is not the one that it was written with.", "changed")
        hashed = hashlib.sha256()
        self._file.seek(0)
        left = size - DIGEST_SIZE
        while left and (block := self._file.read(min(_BLOCK, left))):
            hashed.update(block)
            left -= len(block)
            self._limits.go_on()
        if comment[len(SEAL) :] != hashed.hexdigest().encode():
            raise UnreadableError("The file was changed after it was written: its digest is another.", "changed")
        return True

    def open(self, name: str, digest: str | None = None, size: int | None = None) -> IO[bytes]:
        """Open a file of the zip. At its end its size and digest are compared with these. Raises UnreadableError."""
        info = self._infos.get(name)
        if info is None:
            raise UnreadableError(f"The zip does not hold {name}, which it should.")
        try:
            inner = self._zip.open(info)
        except (zipfile.BadZipFile, RuntimeError, NotImplementedError, OSError):
            raise UnreadableError(f"{name} in the zip cannot be read.") from None
        return io.BufferedReader(_Watched(self, name, inner, digest, size), _BLOCK)  # type: ignore[type-var]

    def count(self, unpacked: int) -> None:
        """Count decompressed bytes. Raises UnreadableError if they are too many."""
        self._unpacked += unpacked
        self._limits.check(self._size, self._unpacked)


def files_in(file: IO[bytes], limits: Limits) -> frozenset[str]:
    """Return the names of the files in a zip, none if they cannot be read. The file is then at its start again."""
    try:
        with zipfile.ZipFile(cast("IO[bytes]", _Directory(file, limits))) as found:
            return frozenset(found.namelist())
    except (UnreadableError, zipfile.BadZipFile, OSError, ValueError, NotImplementedError, UnicodeDecodeError):
        return frozenset()
    finally:
        file.seek(0)


class _Directory:
    """A zip's bytes, limited while the central directory is read to what the allowed number of files needs.

    ``zipfile`` reads the whole directory at once and makes an object of each entry."""

    def __init__(self, file: IO[bytes], limits: Limits) -> None:
        self._file, self._limits = file, limits
        self.read_before = False

    def read(self, size: int = -1) -> bytes:
        if self.read_before:
            return self._file.read(size)
        most = self._limits.members
        if size > most * _ENTRY:
            raise UnreadableError(f"The zip's table of contents is far too large for {most:,} files.")
        data = self._file.read(size)
        if data.count(b"PK\1\2") > most + _SPARE:
            raise UnreadableError(f"The zip holds more than {most:,} files; so many are not looked at.")
        return data

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


class _Watched(io.RawIOBase):
    def __init__(self, zipped: Unpacking, name: str, inner: IO[bytes], digest: str | None, size: int | None) -> None:
        self._zipped, self._name, self._inner = zipped, name, inner
        self._digest, self._size = digest, size
        self._hashed, self._read = hashlib.sha256(), 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        try:
            data = self._inner.read(len(buffer))
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError):
            raise UnreadableError(f"{self._name} in the zip is damaged.") from None
        buffer[: len(data)] = data
        self._hashed.update(data)
        self._read += len(data)
        self._zipped.count(len(data))
        if not data:
            self._compare()
        return len(data)

    def _compare(self) -> None:
        if self._size is not None and self._size != self._read:
            raise UnreadableError(f"{self._name} has {self._read:,} bytes, not {self._size:,} as announced.", "changed")
        if self._digest is not None and self._digest != f"sha256:{self._hashed.hexdigest()}":
            raise UnreadableError(f"{self._name} was changed: its digest is another.", "changed")
