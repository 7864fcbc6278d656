"""Which BLOBs of a package leave as files of their own: those of a known kind of file, and large ones."""

from __future__ import annotations

LARGE_BLOB = 1 << 16  # bytes; embeddings and the like are smaller, and stay in their table
_UNKNOWN = "bin"
_LONGEST = 10  # characters of an extension
_BEGINNINGS = (
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"\xff\xd8\xff", "jpg"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"II*\0", "tif"),
    (b"MM\0*", "tif"),
    (b"<svg", "svg"),
    (b"%PDF-", "pdf"),
    (b"{\\rtf", "rtf"),
    (b"PK\x03\x04", "zip"),
    (b"\x1f\x8b\x08", "gz"),
    (b"BZh91AY&SY", "bz2"),
    (b"\xfd7zXZ\0", "xz"),
    (b"7z\xbc\xaf\x27\x1c", "7z"),
    (b"\x28\xb5\x2f\xfd", "zst"),
    (b"ID3", "mp3"),
    (b"OggS", "ogg"),
    (b"fLaC", "flac"),
    (b"\x1aE\xdf\xa3", "mkv"),
    (b"wOFF", "woff"),
    (b"wOF2", "woff2"),
    (b"SQLite format 3\0", "sqlite"),
)
_FIRST = frozenset(beginning[0] for beginning, _ in _BEGINNINGS) | {b"R"[0]}
_RIFF = {b"WEBP": "webp", b"WAVE": "wav", b"AVI ": "avi"}
_PACKED = ("zip", "gz", "bz2", "xz", "7z", "zst", "woff", "woff2")
_PICTURES = ("png", "jpg", "gif", "webp", "heic", "avif")
_COMPRESSED = frozenset((*_PACKED, *_PICTURES, "mp3", "m4a", "ogg", "flac", "mp4", "mov", "mkv"))
_FTYP = {b"heic": "heic", b"mif1": "heic", b"avif": "avif", b"M4A ": "m4a", b"qt  ": "mov"}


def is_compressed(extension: str) -> bool:
    """Return whether files of a kind are compressed already, so that compressing them again costs time for nothing."""
    return extension in _COMPRESSED


def extension_of(blob: bytes) -> str | None:
    """Return the extension of the file that a BLOB is, by its first bytes; None if it stays in its table."""
    if blob[4:8] == b"ftyp" and len(blob) >= 12:
        return _FTYP.get(blob[8:12], "mp4")
    if blob and blob[0] in _FIRST:
        if blob[:4] == b"RIFF" and blob[8:12] in _RIFF:
            return _RIFF[blob[8:12]]
        for beginning, extension in _BEGINNINGS:
            if blob.startswith(beginning):
                return extension
    return _UNKNOWN if len(blob) >= LARGE_BLOB else None


def called(value: str, path: str) -> str:
    """Return what a file is called: the end of the text that names it, or of its path in the package for an id."""
    own, packed = value.rpartition("/")[2], path.rpartition("/")[2]
    return own if "." in own or packed.startswith(own) else packed


def kind_of(beginning: bytes, name: str) -> str:
    """Return the extension of a file's kind, by its first bytes, else by its name, in lower case; "" if none tells."""
    known = extension_of(beginning[: LARGE_BLOB - 1])
    if known is not None:
        return known
    extension = name.rpartition(".")[2].lower() if "." in name.strip(".") else ""
    return extension if extension.isascii() and extension.isalnum() and len(extension) <= _LONGEST else ""
