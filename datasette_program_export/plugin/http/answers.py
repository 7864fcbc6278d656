"""Answers that all views share: errors, headers, allowed methods."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from datasette import Response
from datasette.utils import add_cors_headers

from ...errors import BusyError, ExportError
from ..host.protocols import Datasette, HttpRequest
from .parameters import check_parameters

HEADERS = {"cache-control": "private, no-store", "x-content-type-options": "nosniff", "x-accel-buffering": "no"}


View = Callable[[HttpRequest, Datasette], Awaitable[Response]]


@dataclass(frozen=True)
class Failure:
    """What the page of an error says beside the error: a title, which tells what was not done, and what holds then."""

    title: str
    assurance: str = ""


NOT_EXPORTED = Failure("Nothing was exported", "No file was made, and nothing in the database was changed.")


def for_a_browser(request: HttpRequest) -> bool:
    """Whether a person is answered, with a page, and not a program."""
    return "text/html" in request.headers.get("accept", "")


def answered(failure: Failure, methods: tuple[str, ...] = ("GET", "HEAD")) -> Callable[[View], View]:
    """Turn a view's errors into answers: JSON for programs, a page with the sentence for browsers."""

    def decorate(view: View) -> View:
        async def wrapper(request: HttpRequest, datasette: Datasette) -> Response:  # Datasette goes by the signature
            try:
                if request.method not in methods:
                    only = "can only be read (GET)" if "GET" in methods else f"takes {' and '.join(methods)} only"
                    return error_answer(datasette, f"This address {only}.", 405, {"allow": ", ".join(methods)})
                check_parameters(request)
                return await view(request, datasette)
            except ExportError as error:
                headers = {"retry-after": str(error.retry_after)} if isinstance(error, BusyError) else {}
                if for_a_browser(request):
                    return await _error_page(datasette, request, failure, error, headers)
                return error_answer(datasette, str(error), error.status, headers)

        wrapper.__doc__ = view.__doc__
        return wrapper

    return decorate


def error_answer(datasette: Datasette, message: str, status: int, headers: dict[str, str] | None = None) -> Response:
    """An error as programs read it."""
    body = {"ok": False, "error": message, "errors": [message], "status": status}
    return Response.json(body, status=status, headers=answer_headers(datasette, headers))


async def _error_page(
    datasette: Datasette, request: HttpRequest, failure: Failure, error: ExportError, headers: dict[str, str]
) -> Response:
    context = {"message": str(error), "status": error.status, "failure": failure}
    html = await datasette.render_template("program_export_error.html", context, request=request)
    return Response.html(html, status=error.status, headers=answer_headers(datasette, headers))


def answer_headers(datasette: Datasette, more: dict[str, str] | None = None) -> dict[str, str]:
    """What stands over every answer."""
    headers = {**HEADERS, **(more or {})}
    if datasette.cors:
        add_cors_headers(headers)
    return headers
