"""Read the parameters of a request, from its address or a form, only if they have an acceptable size.

All other code that reads them (patterns, tokenizers, Datasette's filters) runs after this check, so that
it never gets text of more than MOST characters from a visitor.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from urllib.parse import parse_qsl

from datasette.utils.asgi import Request

from ...errors import RequestError
from ..host.protocols import Args, HttpRequest

MOST = 65_536  # characters of all parameters of a request together, names and values
MOST_ENCODED = 3 * MOST  # bytes of the same, as they are sent
_MOST_FIELDS = 5_000
_SHOWN = 60  # characters of a name in a message


class ReadOnce(Request):  # type: ignore[misc]
    """A request that parses ``args`` once: Datasette's parses them at each access, and its filters access every key."""

    @cached_property
    def args(self) -> Args:
        found: Args = super().args
        return found


def pairs_of(encoded: str) -> list[tuple[str, str]]:
    """Return names and values in their order. Raises RequestError, which names the longest, if there are too many."""
    if len(encoded) > MOST_ENCODED:
        raise RequestError(_too_long(field.partition("=")[::2] for field in encoded.split("&")))
    if encoded.count("&") >= _MOST_FIELDS:
        raise RequestError(f"A request has at most {_MOST_FIELDS:,} parameters.")
    pairs = parse_qsl(encoded, keep_blank_values=True)
    if sum(len(name) + len(value) for name, value in pairs) > MOST:
        raise RequestError(_too_long(pairs))
    return pairs


def check_parameters(request: HttpRequest) -> None:
    """Check the size of the parameters in the address. Raises RequestError if there are too many."""
    pairs_of(request.query_string)


def _too_long(pairs: Iterable[Sequence[str]]) -> str:
    sizes: dict[str, int] = {}
    for name, value in pairs:
        sizes[name] = sizes.get(name, 0) + len(value)
    name = max(sizes, key=lambda each: sizes[each] + len(each))
    told = name if len(name) <= _SHOWN else f"{name[:_SHOWN]}…"
    return f"{told} is too long: all parameters of a request together hold at most {MOST:,} characters."
