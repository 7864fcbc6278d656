"""Packages: made, opened, and looked at by frictionless."""

from __future__ import annotations

import io
import json
import zipfile
from contextlib import closing
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from frictionless import system, validate

from datasette_program_export import Request, export
from tests.support.databases.building import database

MOMENT = datetime(2026, 11, 24, 4, 5, 6, tzinfo=timezone.utc)


def made(*statements: str, **request: Any) -> bytes:
    with closing(database(None, *statements)) as connection:
        return b"".join(export(connection, Request(format="package", **request), created_at=MOMENT))


def opened(content: bytes) -> tuple[zipfile.ZipFile, dict[str, Any], dict[str, Any]]:
    """The zip, its description, and the description's resources by table."""
    archive = zipfile.ZipFile(io.BytesIO(content))
    found = json.loads(archive.read("datapackage.json"))
    return archive, found, {r["title"]: r for r in found["resources"]}


def valid(tmp_path: Path, content: bytes) -> Any:
    """What frictionless says of the unpacked package, without the network."""
    zipfile.ZipFile(io.BytesIO(content)).extractall(tmp_path / "unpacked")
    with system.use_context(trusted=True):
        return validate(str(tmp_path / "unpacked" / "datapackage.json"))
