"""Shows values to a reader: dates, numbers and yes or no in words, texts as paragraphs, JSON as lists, pictures."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from ...dataset import Field, Value
from ...description.language.catalogue import Words
from ..images import data_address, media_type
from .markup import is_address, link_out, paragraphs, text
from .moments import moment_in_words
from .naming import as_words

LONG = 100  # characters of a text that is a paragraph
Special = Callable[[Field, Value], str | None]  # shows a value in its own way, or returns None
_YES_NO = re.compile(r"(is|has|can|was)_|.*_(known|unknown)$", re.IGNORECASE)
_DECIMALS = 4
_MOST_PARTS, _DEEPEST, _LONGEST_JSON = 400, 6, 100_000


class Values:
    """Shows values in the words of ``say``; ``special`` is asked first."""

    def __init__(self, say: Words, special: Special = lambda field, value: None) -> None:
        self._say, self._special = say, special

    def __call__(self, field: Field, value: Value) -> str:
        """Return a value as HTML; empty for no value."""
        if (shown := self._special(field, value)) is not None:
            return shown
        if value is None:
            return ""
        if isinstance(value, bytes):
            return self._binary(field, value)
        if isinstance(value, str):
            return self._text(field, value)
        if value in (0, 1) and (field.type.upper() in ("BOOLEAN", "BOOL") or _YES_NO.match(field.name)):
            return text(self._say("dossier.yes") if value else self._say("dossier.no"))
        return self._number(value)

    def _number(self, value: float) -> str:
        """Return a number; whole numbers are not grouped, as many are years or codes. Long decimals are rounded."""
        exact = shown = repr(value)
        if isinstance(value, float) and 0.001 <= abs(value) < 1e12:
            shown = repr(round(value, _DECIMALS)).removesuffix(".0")
        shown = shown.replace(".", self._say.number.point)
        told = text("\N{MINUS SIGN}" + shown[1:] if shown.startswith("-") else shown)
        return told if len(exact) <= len(shown) + 2 else f'<data value="{exact}" title="{exact}">{told}</data>'

    def _binary(self, field: Field, value: bytes) -> str:
        kind = media_type(value)
        size = self._say.size(len(value))
        if kind is None:
            return text(self._say("dossier.binary", size=size))
        told = text(self._say("dossier.picture", column=field.name, size=size))
        return f'<img src="{data_address(value, kind)}" alt="{told}" loading="lazy">'

    def _text(self, field: Field, value: str) -> str:
        if (moment := self.moment(value)) is not None:
            return moment
        if (field.holds_json or value[:1] in ("{", "[")) and (told := self._json(value)) is not None:
            return told
        if is_address(value):
            return link_out(value)
        if len(value) > LONG or "\n" in value:
            return paragraphs(value)
        return text(value)

    def moment(self, value: str) -> str | None:
        """Return a date or a moment in words; None if a text is neither."""
        told = moment_in_words(value, self._say)
        return None if told is None else f'<time datetime="{text(value)}">{text(told)}</time>'

    def _json(self, value: str) -> str | None:
        if len(value) > _LONGEST_JSON:
            return None
        try:
            found = json.loads(value)
        except (ValueError, RecursionError):
            return None
        if not isinstance(found, (dict, list)):
            return None
        parts = _count(found, _DEEPEST)
        shown = f"<pre>{text(value)}</pre>" if parts > _MOST_PARTS else self._nested(found)
        if parts <= 12:
            return shown
        return f"<details><summary>{text(self._say('dossier.details', n=parts))}</summary>{shown}</details>"

    def _nested(self, found: Any) -> str:
        if isinstance(found, dict):
            if not found:
                return "–"
            pairs = (f"<dt>{text(as_words(str(k)))}</dt><dd>{self._nested(v)}</dd>" for k, v in found.items())
            return f'<dl class="nested">{"".join(pairs)}</dl>'
        if isinstance(found, list):
            if all(not isinstance(v, (dict, list)) for v in found) and len(found) <= 30:
                return ", ".join(self._nested(v) for v in found) or "–"
            return f'<ul class="nested">{"".join(f"<li>{self._nested(v)}</li>" for v in found)}</ul>'
        if found is None:
            return "–"
        if isinstance(found, bool):
            return text(self._say("dossier.yes") if found else self._say("dossier.no"))
        return self._number(found) if isinstance(found, (int, float)) else self.moment(found) or text(found)


def _count(found: Any, deep: int) -> int:
    """Return how many values JSON has; very many if it is too deep to be shown as lists."""
    if not isinstance(found, (dict, list)):
        return 1
    if deep == 0:
        return _MOST_PARTS + 1
    return sum(_count(v, deep - 1) for v in (found.values() if isinstance(found, dict) else found))
