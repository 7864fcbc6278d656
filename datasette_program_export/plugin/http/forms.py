"""Fields that a form or an address sends; forms of other sites are refused."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

from ...errors import DeniedError, RequestError
from .. import host

_MOST_OF_A_FORM = 1_000_000


async def sent_pairs(request: Any) -> list[tuple[str, str]]:
    """The parameters, from the query string and a form together."""
    pairs = parse_qsl(request.query_string, keep_blank_values=True) + await form_of(request)
    return [(name, value) for name, value in pairs if name != "csrftoken"]


async def form_of(request: Any) -> list[tuple[str, str]]:
    """The fields of a form without a file. Raises RequestError."""
    length = request.headers.get("content-length") or "0"
    if "transfer-encoding" in request.headers or not length.isdigit() or int(length) > _MOST_OF_A_FORM:
        raise RequestError(f"A form must tell its length, and be no longer than {_MOST_OF_A_FORM:,} bytes.")
    body = await request.post_body()
    if not body:
        return []
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise RequestError("The parameters come in the address, or as a form (application/x-www-form-urlencoded).")
    try:
        return parse_qsl(body.decode("utf-8"), keep_blank_values=True, max_num_fields=10_000)
    except ValueError:
        raise RequestError("The form cannot be read.") from None


def check_same_site(request: Any) -> None:
    """Refuse what a page of another site makes a browser send, also where nobody is signed in by a cookie."""
    if host.from_another_site(request):
        raise DeniedError("This was sent from another site. Open the export page here, and try again.")
