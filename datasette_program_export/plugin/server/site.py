"""Opens a site's jobs and imports when they are first needed, and closes them when the server stops.

A server that ends in order tells it as the last thing to its applications, on both Datasette
lines (``lifespan.shutdown`` of ASGI). One that is killed tells nothing: the next that opens
the folder sees it by the lock.
"""

from __future__ import annotations

import asyncio
from threading import Lock

from ...errors import SettingsError, UnsupportedError
from ...options.settings import Settings
from .. import host
from ..host.protocols import Application, Datasette, Message, Receive, Scope, Send
from .folder import jobs_folder, made_private
from .job_runner import Jobs

_KEPT = "_program_export_jobs"  # on the Datasette object: as long as that lives
_OPENING = Lock()


async def jobs_of(datasette: Datasette) -> Jobs:
    """The site's jobs. Raises UnsupportedError where there are none."""
    settings = await host.site_settings(datasette)
    if settings.max_jobs == 0:
        raise UnsupportedError("This site keeps no exports (max_jobs is 0): download directly.")
    try:
        return await asyncio.to_thread(_opened, datasette, settings)
    except SettingsError:
        raise UnsupportedError(
            "The folder for kept exports cannot be used: download directly, and tell the person who runs this site "
            "(the setting is jobs_dir)."
        ) from None


async def open_at_start(datasette: Datasette, settings: Settings) -> None:
    """Mark what was interrupted, and remove what was kept long enough, where something can be.

    Raises SettingsError for a ``jobs_dir`` that cannot be used."""
    if settings.max_jobs and (settings.jobs_dir is not None or jobs_folder(datasette, settings).exists()):
        try:
            await asyncio.to_thread(_opened, datasette, settings)
        except SettingsError:
            if settings.jobs_dir is not None:  # else it is told when a job is asked for
                raise


def close(datasette: Datasette) -> None:
    """The server stops: what runs is interrupted."""
    with _OPENING:
        jobs: Jobs | None = datasette.__dict__.pop(_KEPT, None)
    if jobs is not None:
        jobs.close()


def ending(app: Application, datasette: Datasette) -> Application:
    """The application, with an ear for the end of the server."""

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        async def heard() -> Message:
            message = await receive()
            if message["type"] == "lifespan.shutdown":
                await asyncio.to_thread(close, datasette)
            return message

        await app(scope, heard if scope["type"] == "lifespan" else receive, send)

    return wrapped


def _opened(datasette: Datasette, settings: Settings) -> Jobs:
    with _OPENING:
        found: Jobs | None = datasette.__dict__.get(_KEPT)
        if found is None:
            found = Jobs(made_private(jobs_folder(datasette, settings)), settings)
            datasette.__dict__[_KEPT] = found
        return found
