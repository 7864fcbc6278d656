"""The page that proposes settings for a database, and the same as JSON and as lines for ``metadata.yml``."""

from __future__ import annotations

from dataclasses import dataclass
from threading import Event

from datasette import Response
from datasette.utils import tilde_decode

from ...configuring.proposal import Proposal
from ...configuring.proposer import propose
from ...configuring.wording import example_lines, introduction, sections
from ...errors import DeniedError, NotFoundError, RequestError
from .. import host
from ..host.permission_hooks import PLUGIN, SETUP
from ..host.protocols import Database, Datasette, HttpRequest
from ..http.answers import Failure, answer_headers, answered, data_answer, not_seen, page_answer
from ..http.looking import look
from ..words import words_of

_NOT_PROPOSED = Failure("No settings were proposed", "Nothing was changed.")


@dataclass(frozen=True)
class _Asked:
    database: Database
    visible: frozenset[str]
    rows: bool


async def _asked(request: HttpRequest, datasette: Datasette) -> _Asked:
    """Check who asks. Raises NotFoundError, DeniedError, RequestError."""
    route = tilde_decode(request.url_vars["database"])
    found = host.database_for(datasette, route)
    if found is None or not await host.may(datasette, request.actor, "view-database", found.name):
        if not await host.may(datasette, request.actor, "view-instance"):
            raise not_seen()
        raise NotFoundError(f"There is no database {route} here, or you may not see it.")
    if not await host.may(datasette, request.actor, SETUP, found.name):
        raise DeniedError("You may not have settings proposed for this database.")
    rows = request.args.get("rows") or "some"
    if rows not in ("some", "none"):
        raise RequestError("rows must be some or none.")
    with host.readable(found):
        visible = await host.visible_tables(datasette, request.actor, found)
        visible = await host.exportable_tables(datasette, request.actor, found, visible)
    return _Asked(found, visible, rows == "some")


async def _proposed(request: HttpRequest, datasette: Datasette) -> tuple[_Asked, Proposal]:
    asked = await _asked(request, datasette)
    settings = await host.settings_for(datasette, asked.database.name)
    source = host.source_for(datasette, asked.database, settings)

    def made(unwanted: Event) -> Proposal:
        return propose(
            source,
            database=asked.database.name,
            rows=asked.rows,
            visible=asked.visible,
            seconds=settings.plan_seconds,
            cancelled=unwanted,
        )

    return asked, await look(request, made)


@answered(_NOT_PROPOSED)
async def setup_page(request: HttpRequest, datasette: Datasette) -> Response:
    """Show the proposed settings, with a reason for each, and what an export would hold with them."""
    asked, made = await _proposed(request, datasette)
    words, address = words_of(request), f"{datasette.urls.database(asked.database.name)}/-/program-export/setup"
    example = made.example
    if example is not None and made.preset:
        example = example.model_copy(update={"labels": words.labels(example.labels)})
    context = {
        "made": made,
        "introduction": introduction(made, "on_the_server", words),
        "sections": list(sections(made, words)),
        "example": example_lines(example, words) if example is not None else [],
        "address": address,
        "query": "" if asked.rows else "?rows=none",
        "by_rows": asked.rows,
        "plugin": PLUGIN,
    }
    return await page_answer(request, datasette, "program_export_setup.html", context)


@answered(_NOT_PROPOSED)
async def setup_data(request: HttpRequest, datasette: Datasette) -> Response:
    """Return the proposal as JSON."""
    _, made = await _proposed(request, datasette)
    return data_answer(datasette, made.model_dump(mode="json"))


@answered(_NOT_PROPOSED)
async def setup_lines(request: HttpRequest, datasette: Datasette) -> Response:
    """Return the lines for ``metadata.yml`` as a file."""
    _, made = await _proposed(request, datasette)
    headers = answer_headers(datasette, {"content-disposition": 'attachment; filename="metadata.yml"'})
    return Response(made.yaml, 200, headers, "application/yaml; charset=utf-8")
