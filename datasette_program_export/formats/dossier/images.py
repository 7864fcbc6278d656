"""Pictures among BLOBs, told by their first bytes."""

from __future__ import annotations

from base64 import b64encode

_KINDS = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF87a": "image/gif",
    b"GIF89a": "image/gif",
}


def media_type(value: bytes) -> str | None:
    """Return the media type of a PNG, JPEG, GIF or WebP; None of anything else."""
    if value[:4] == b"RIFF" and value[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for start, kind in _KINDS.items() if value.startswith(start)), None)


def is_image(value: bytes) -> bool:
    """Return whether a BLOB is a picture that every browser shows."""
    return media_type(value) is not None


def data_address(value: bytes, kind: str) -> str:
    """Return a picture as an address that holds it."""
    return f"data:{kind};base64,{b64encode(value).decode()}"
