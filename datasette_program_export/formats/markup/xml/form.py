"""How values and names are written in XML: what it cannot hold is base64, and an attribute says so."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from ...dataset import Value
from ...json.escaping import escaped

VERSION = 1
NAMESPACE = "urn:datasette-program-export:xml:1"
DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
ROOT = "program-export"
BASE64 = ' encoding="base64"'
END_MARK = b"\n<integrity "
_json = msgspec.json.Encoder().encode
# what XML 1.0 has no way to write (https://www.w3.org/TR/xml/#charsets); and all that it writes in another way
_unfit = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]").search
_special = re.compile("[\x00-\x08\x0b-\x1f&<>\ud800-\udfff\ufffe\uffff]").search
_IN_TEXT = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"})
_IN_ATTRIBUTE = {**_IN_TEXT, **str.maketrans({'"': "&quot;", "\t": "&#9;", "\n": "&#10;"})}


def base64_of(text: str) -> str:
    """Return a text's bytes in base64."""
    return b64encode(text.encode("utf-8", "surrogateescape")).decode()


def spelled(name: str, value: str) -> tuple[str, str]:
    """Return an attribute's name, with ``-base64`` behind it if its value must be that, and its value."""
    return (f"{name}-base64", base64_of(value)) if _unfit(value) else (name, value)


def attribute(name: str, value: str) -> str:
    """Return an attribute as it is written, with a blank before it."""
    name, value = spelled(name, value)
    return f' {name}="{value.translate(_IN_ATTRIBUTE)}"'


def real_text(value: float) -> str:
    """Return the shortest digits that read back to the same number; infinities as XML Schema has them."""
    return repr(value) if value - value == 0 else "INF" if value > 0 else "-INF"


def json_element(name: str, value: Any) -> bytes:
    """Return an element on its own line whose text is JSON."""
    text = escaped(_json(value)).decode().translate(_IN_TEXT)
    return f"<{name}>{text}</{name}>\n".encode()


class Cells:
    """Writes the values of one column."""

    def __init__(self, column: str) -> None:
        named = attribute("column", column)
        self._null = f"<null{named}/>"
        self._integer, self._real, self._blob = (f"<{kind}{named}>" for kind in ("integer", "real", "blob"))
        self._text, self._text64 = f"<text{named}>", f"<text{named}{BASE64}>"

    def __call__(self, values: Sequence[Any]) -> list[str]:
        """Return the elements of these values."""
        kinds = set(map(type, values))
        if kinds == {int}:
            return [f"{self._integer}{value}</integer>" for value in values]
        if kinds == {str} and not _special("".join(values)):
            return [f"{self._text}{value}</text>" for value in values]
        return list(map(self._cell, values))

    def _cell(self, value: Value) -> str:
        if value is None:
            return self._null
        if isinstance(value, str):
            if not _special(value):
                return f"{self._text}{value}</text>"
            if _unfit(value):
                return f"{self._text64}{base64_of(value)}</text>"
            return f"{self._text}{value.translate(_IN_TEXT)}</text>"
        if isinstance(value, int):
            return f"{self._integer}{value}</integer>"
        if isinstance(value, float):
            return f"{self._real}{real_text(value)}</real>"
        return f"{self._blob}{b64encode(value).decode()}</blob>"


def end(integrity: Mapping[str, Any]) -> bytes:
    """Return the end of a document: what it announces of itself, in one line, and the end of its root."""
    tables = "".join(
        f'<table{attribute("name", name)} rows="{found["rows"]}" sha256="{found["sha256"]}"/>'
        for name, found in integrity["tables"].items()
    )
    said = f'rows="{integrity["rows"]}" document="{integrity["document"]}" complete="true"'
    return f"<integrity {said}>{tables}</integrity>\n</{ROOT}>\n".encode()
