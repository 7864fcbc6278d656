"""Read the fields of a form or an address; refuse forms of other sites."""

from __future__ import annotations

from ...errors import DeniedError, RequestError
from .. import host
from ..host.protocols import HttpRequest
from .parameters import MOST_ENCODED, pairs_of


async def sent_pairs(request: HttpRequest) -> list[tuple[str, str]]:
    """Return the parameters of the query string and of a form together."""
    pairs = pairs_of(request.query_string) + await form_of(request)
    return [(name, value) for name, value in pairs if name != "csrftoken"]


async def form_of(request: HttpRequest) -> list[tuple[str, str]]:
    """Return the fields of a form without a file. Raises RequestError if it is too large or cannot be read."""
    length = request.headers.get("content-length") or "0"
    told = length.isascii() and length.isdigit() and len(length) < 19
    if "transfer-encoding" in request.headers or not told or int(length) > MOST_ENCODED:
        raise RequestError(f"A form must tell its length, and be no longer than {MOST_ENCODED:,} bytes.")
    body = await request.post_body()
    if not body:
        return []
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise RequestError("The parameters come in the address, or as a form (application/x-www-form-urlencoded).")
    try:
        return pairs_of(body.decode("utf-8"))
    except UnicodeDecodeError:
        raise RequestError("The form cannot be read.") from None


def check_same_site(request: HttpRequest, instead: str = "Open the export page here") -> None:
    """Refuse what a page of another site makes a browser send, also where nobody is signed in by a cookie.

    ``instead`` is what to do, for the message. Raises DeniedError."""
    if host.from_another_site(request):
        raise DeniedError(f"This was sent from another site. {instead}, and try again.")
