"""Receive an uploaded file to import."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from time import time
from urllib.parse import parse_qsl

from ...errors import ExportError
from ...files.temporary.folder import new_private
from ...files.temporary.room import no_room
from .. import host
from ..http.upload import receive_form
from ..request.replay import rules_of_settings
from ..server.identity import new_id, owner_of, person_of
from ..server.import_runner import Import, Imports
from .request import ImportContext, choices_of

_TOO_LARGE = (
    "At most {:g} MB can be sent here (import_mb). On the computer with the database, "
    "datasette program-export import takes a file of any size."
)


async def receive(asked: ImportContext, imports: Imports) -> Import:
    """Receive the file and the choices in its form, and return the Import, which is not stored yet.

    A refused upload leaves nothing on the disk. Raises SpoolFullError, RequestError, FileTooLargeError, TooSlowError.
    """
    request, settings = asked.http, await host.site_settings(asked.datasette)
    announced = request.headers.get("content-length", "")
    await asyncio.to_thread(imports.check_room, int(announced) if announced.isdecimal() else 0)
    id_, arriving = new_id(), None
    try:
        arriving = await asyncio.to_thread(imports.make_room)  # removed when the server is killed meanwhile
        upload = new_private(arriving.path / "upload")
        with upload.open("wb") as file:
            name, fields = await receive_form(request, file, settings.import_mb, settings, _TOO_LARGE)
        pairs = parse_qsl(request.query_string, keep_blank_values=True) + fields
        stored = "file" + re.sub(r"[^A-Za-z0-9.]", "", "".join(Path(name).suffixes[-2:]))[-40:]
        place = await asyncio.to_thread(imports.make_place, id_)
        size = upload.rename(place / stored).stat().st_size
        await asyncio.to_thread(imports.check_room, 0)
        return Import(
            id=id_,
            owner=owner_of(request.actor),
            person=person_of(request.actor),
            actor=request.actor.get("id") if request.actor else None,
            database=asked.database.name,
            rules=rules_of_settings(asked.settings),
            instance=imports.instance.name,
            state="looking",
            created=time(),
            file=name,
            stored=stored,
            bytes=size,
            choices=choices_of(pairs, asked.rights),
        )
    except BaseException as error:
        await asyncio.to_thread(imports.remove_place, id_)
        if isinstance(error, OSError) and not isinstance(error, ExportError):
            raise no_room(error.strerror, "The folder for files") from None
        raise
    finally:
        if arriving is not None:
            await asyncio.to_thread(arriving.remove)
