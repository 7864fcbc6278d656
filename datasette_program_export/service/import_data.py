"""Turn the ``data`` of an import into the bytes of a file: objects become JSON, texts and bytes stay as they are."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping, Sequence
from datetime import date, time
from enum import Enum
from pathlib import Path
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from ..errors import RequestError

_NEEDED = "a dict {table: rows}, a list of rows, a text (JSON or CSV) or bytes"


def bytes_of(data: Any, name: str = "data") -> bytes:
    """Return the data as the bytes of a file; ``name`` is the argument that an error names.

    UUIDs, dates and times become texts (ISO 8601), bytes a BLOB. Raises RequestError for what is no data."""
    if isinstance(data, (bytes, bytearray)):
        return bytes(data)
    if isinstance(data, str):
        return data.encode("utf-8", "surrogatepass")
    if isinstance(data, BaseModel):
        data = data.model_dump(exclude_none=True)
    if isinstance(data, Path):
        raise RequestError(f"{name}: {_NEEDED} is needed, not a path. For a file call load(database, path).")
    _check(data, name)
    try:
        return json.dumps(data, ensure_ascii=False, allow_nan=False, default=_plain).encode("utf-8", "surrogatepass")
    except _NoValueError as error:
        raise RequestError(
            f"{name}: a value of the type {error} cannot be imported. Make it a text or a number."
        ) from None
    except RecursionError as error:
        raise RequestError(f"{name} is nested far too deeply, or contains itself.") from error
    except TypeError as error:
        raise RequestError(f"{name}: the keys of rows are names of columns, as texts.") from error
    except ValueError as error:
        circular = "circular" in str(error).lower()
        why = "contains itself" if circular else "holds NaN or an infinite number, which JSON cannot"
        raise RequestError(f"{name} {why}.") from None  # the error may show the number


class _NoValueError(Exception):
    """A value has a type that no database can hold; its text is the name of the type."""


def _check(data: Any, name: str) -> None:
    """Check that these are tables of rows, or rows. Raises RequestError, which names the first that is none."""
    if isinstance(data, Mapping):
        if odd := [key for key in data if not isinstance(key, str)]:
            raise RequestError(f"{name}: its keys are names of tables, not {type(odd[0]).__name__}.")
        return
    if not isinstance(data, Sequence):
        raise RequestError(f"{name}: {_NEEDED} is needed, not {type(data).__name__}.")
    for place, row in enumerate(data):
        if not isinstance(row, (Mapping, BaseModel)):
            raise RequestError(f"{name}[{place}]: a row (a dict) is needed, not {type(row).__name__}.")


def _plain(value: Any) -> Any:
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, (date, time)):  # a datetime is a date
        return value.isoformat()
    if isinstance(value, (bytes, bytearray)):
        return {"$base64": True, "encoded": b64encode(value).decode()}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, BaseModel):
        return value.model_dump()
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Sequence):
        return list(value)
    raise _NoValueError(type(value).__name__)
