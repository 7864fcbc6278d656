"""Escapes in JSON the characters that readers of YAML and XML refuse, or take for something else."""

from __future__ import annotations

import re

# U+007F to U+009F, the line ends U+2028 and U+2029, the byte order mark, and what is no character
_MARKS = (b"\x7f", b"\xc2", b"\xe2\x80", b"\xef")
_odd = re.compile(rb"\x7f|\xc2[\x80-\x9f]|\xe2\x80[\xa8\xa9]|\xef\xbb\xbf|\xef\xbf[\xbe\xbf]").sub


def escaped(data: bytes) -> bytes:
    """Return the same JSON with these characters as ``\\u`` and four digits; they stand in strings alone."""
    if not any(mark in data for mark in _MARKS):  # much faster than the expression
        return data
    return _odd(lambda found: b"\\u%04x" % ord(found[0].decode()), data)
