"""Responses that all views share: errors, headers, allowed methods."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from datasette import Response
from datasette.utils import add_cors_headers
from datasette.utils.asgi import Base400
from datasette.views.base import DatasetteError

from ...errors import BusyError, DeniedError, ExportError, in_words
from .. import host
from ..host.protocols import Datasette, HttpRequest
from ..words import words_of
from .failures import unforeseen
from .parameters import check_parameters
from .ways_back import ways_back

HEADERS = {
    "cache-control": "private, no-store",
    "x-content-type-options": "nosniff",
    "x-accel-buffering": "no",
    "x-robots-tag": "noindex, nofollow",  # a search engine keeps no export, and asks for none
}


View = Callable[[HttpRequest, Datasette], Awaitable[Response]]


@dataclass(frozen=True)
class Failure:
    """The heading of an error page: what was not done, and an assurance about what was not changed."""

    title: str
    assurance: str = ""


NOT_EXPORTED = Failure("Nothing was exported", "No file was made, and nothing in the database was changed.")


def for_a_browser(request: HttpRequest) -> bool:
    """Check whether the client accepts HTML: then it gets a page, otherwise JSON."""
    return "text/html" in request.headers.get("accept", "")


def answered(failure: Failure, methods: tuple[str, ...] = ("GET", "HEAD")) -> Callable[[View], View]:
    """Turn the errors of a view into responses: JSON for programs, a page with the message for browsers."""

    def decorate(view: View) -> View:
        async def wrapper(request: HttpRequest, datasette: Datasette) -> Response:  # Datasette inspects the signature
            try:
                if request.method not in methods:
                    only = "can only be read (GET)" if "GET" in methods else f"takes {' and '.join(methods)} only"
                    return error_answer(datasette, f"This address {only}.", 405, {"allow": ", ".join(methods)})
                check_parameters(request)
                return await view(request, datasette)
            except ExportError as error:
                failed = error
            except (Base400, DatasetteError):  # Datasette's own answers
                raise
            except Exception as error:
                failed = unforeseen(error)
            if for_a_browser(request):
                context = {"message": in_words(str(failed), "page"), "status": failed.status, "failure": failure}
                context |= ways_back(request, datasette, failed)
                return await page_answer(request, datasette, "program_export_error.html", context, failed)
            return error_answer(datasette, str(failed), failed.status, _retry(failed))

        wrapper.__doc__ = view.__doc__
        return wrapper

    return decorate


posted = partial(answered, methods=("POST",))


def _retry(error: ExportError | None) -> dict[str, str]:
    return {"retry-after": str(error.retry_after)} if isinstance(error, BusyError) else {}


def error_answer(datasette: Datasette, message: str, status: int, headers: dict[str, str] | None = None) -> Response:
    """Return an error as JSON."""
    body = {"ok": False, "error": message, "errors": [message], "status": status}
    return Response.json(body, status=status, headers=answer_headers(datasette, headers))


async def page_answer(
    request: HttpRequest,
    datasette: Datasette,
    template: str,
    context: dict[str, Any],
    error: ExportError | None = None,
) -> Response:
    """A page; ``error`` is one that it shows, which decides its status."""
    words = words_of(request)
    shared = {"words": words, "asset": partial(host.static_url, datasette)}
    html = await datasette.render_template(template, {**shared, **context}, request=request)
    status = 200 if error is None else error.status
    headers = {"content-language": words.language, "vary": "accept-language", **_retry(error)}
    return Response.html(html, status=status, headers=answer_headers(datasette, headers))


def data_answer(
    datasette: Datasette, data: dict[str, Any], status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    """Return data as JSON in Datasette's shape, with ``"ok": true`` unless the data say otherwise.

    ``headers`` are all of the answer's, where they are more than what stands over every answer."""
    return Response.json({"ok": True, **data}, status=status, headers=headers or answer_headers(datasette))


def done_answer(
    request: HttpRequest,
    datasette: Datasette,
    place: str,
    data: dict[str, Any],
    status: int = 200,
    headers: dict[str, str] | None = None,
    message: str | None = None,
) -> Response:
    """After something was done: a browser is sent to ``place``, with a message there; a program gets the data.

    ``headers`` are all of the data's, where they are more than what stands over every answer."""
    if for_a_browser(request):
        if message is not None:
            datasette.add_message(request, message, datasette.INFO)
        return Response.redirect(place, 303, headers=answer_headers(datasette))
    return data_answer(datasette, data, status, headers)


async def check_may_look(request: HttpRequest, datasette: Datasette) -> None:
    """Raise DeniedError where this person may see nothing of this site."""
    if not await host.may(datasette, request.actor, "view-instance"):
        raise not_seen()


def not_seen() -> DeniedError:
    """What to raise for what a person may not see."""
    return DeniedError(
        "You may not see this; perhaps after signing in. The person who runs this site says how: by a log-in page, an "
        "address or a token."
    )


def answer_headers(datasette: Datasette, more: dict[str, str] | None = None) -> dict[str, str]:
    """Return the headers of every response, with ``more`` added."""
    headers = {**HEADERS, **(more or {})}
    if datasette.cors:
        add_cors_headers(headers)
    return headers
