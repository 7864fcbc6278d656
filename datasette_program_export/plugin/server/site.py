"""Open a site's exports and imports when they are first needed, and close them when the server stops.

Datasette 1.0 announces an orderly stop with its hook ``shutdown``; on 0.x, which has no such hook,
we listen for ASGI's ``lifespan.shutdown``. A server that is killed announces nothing: the next
server that opens the folder detects it by the lock.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import ExitStack, suppress
from pathlib import Path
from threading import Lock
from time import monotonic

from ...database.connections.warm import WARM
from ...errors import ExportError, SettingsError, SpoolFullError, UnsupportedError
from ...files.temporary.folder import sweep
from ...options.settings import Settings
from .. import host
from ..host.protocols import Application, Datasette, Message, Receive, Scope, Send
from .folder import Instance, jobs_folder, made_private
from .import_runner import Imports
from .job_runner import Jobs
from .task_file import TaskFile

_log = logging.getLogger(__name__)
_KEPT = "_program_export_jobs"  # an attribute of the Datasette object, so that it lives as long
_OPENING = Lock()
_SECONDS_TO_END = 5
_SECONDS_UNTIDY = 60


class BackgroundTasks:
    """The exports and imports of one server, in a private folder. Close it when the server stops."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        with ExitStack() as opened:
            self.instance = Instance(folder)
            opened.callback(self.instance.close)
            file = TaskFile(folder)
            opened.callback(file.close)
            self.jobs = Jobs(folder, file, settings, self.instance)
            self.imports = Imports(folder / "imports", file, settings, self.instance)
            self.tidy()
            self._opened = opened.pop_all()

    def tidy(self) -> None:
        """Mark interrupted tasks, and remove those that are past their retention time."""
        self._tidied = monotonic()
        self.jobs.tidy()
        self.imports.tidy()

    def tidy_sometimes(self) -> None:
        """Call ``tidy`` unless that was done lately, so that tasks nobody asks for are removed, too."""
        if monotonic() - self._tidied > _SECONDS_UNTIDY:
            self.tidy()

    def close(self) -> None:
        """Interrupt the running tasks and close the folder: the server stops."""
        self.jobs.stop()
        self.imports.stop()
        give_up = monotonic() + _SECONDS_TO_END
        self.jobs.close(give_up)
        self.imports.close(give_up)
        self._opened.close()


async def background_tasks(datasette: Datasette) -> BackgroundTasks:
    """Return the site's BackgroundTasks, opened on the first call.

    Raises UnsupportedError if the site keeps none, SpoolFullError if they cannot be kept now.
    """
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
    """Remove what killed servers left when the site starts; mark interrupted tasks, if the site keeps any.

    Raises SettingsError for a ``jobs_dir`` that cannot be used. A full disk, or no temporary folder that can be
    written to, does not prevent the start."""
    await asyncio.to_thread(sweep, settings.spool_dir)
    if not settings.max_jobs:
        return
    try:
        if settings.jobs_dir is None and not jobs_folder(datasette, settings).exists():
            return
        await asyncio.to_thread(_opened, datasette, settings)
    except ExportError as error:
        if settings.jobs_dir is not None and isinstance(error, SettingsError):
            raise
        # the error is raised again when a job is requested
        _log.warning("%s: %s", settings.jobs_dir or "No folder of jobs can be kept", error)


def close(datasette: Datasette) -> None:
    """Interrupt the running tasks and close the site's BackgroundTasks, if they are open: the server stops.

    Also close the connections that are kept between exports."""
    for database in datasette.databases.values():
        WARM.drop(database)
    with _OPENING:
        found: BackgroundTasks | None = datasette.__dict__.pop(_KEPT, None)
    if found is not None:
        found.close()


def ending(app: Application, datasette: Datasette) -> Application:
    """Wrap the ASGI application so that ``lifespan.shutdown`` closes the background tasks."""

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        async def heard() -> Message:
            message = await receive()
            if message["type"] == "lifespan.shutdown":
                await asyncio.to_thread(close, datasette)
            return message

        await app(scope, heard if scope["type"] == "lifespan" else receive, send)

    return wrapped


def _opened(datasette: Datasette, settings: Settings) -> BackgroundTasks:
    with _OPENING:
        found: BackgroundTasks | None = datasette.__dict__.get(_KEPT)
        if found is None:
            folder = made_private(jobs_folder(datasette, settings))
            try:
                found = BackgroundTasks(folder, settings)
            except OSError as error:
                raise SpoolFullError(f"The folder of the jobs cannot be used ({error.strerror}).") from None
            datasette.__dict__[_KEPT] = found
        with suppress(SpoolFullError):  # the error is raised again when something must be stored
            found.tidy_sometimes()
        return found
