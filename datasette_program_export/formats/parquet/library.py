"""pyarrow, which reads and writes Parquet: imported when it is needed, because it is large and an extra."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from ...errors import RequestError


def pyarrow() -> Any:
    """Return the package. Raises RequestError, which says how to install it."""
    try:
        import pyarrow as found
        import pyarrow.parquet
    except ImportError:
        raise RequestError(
            "Parquet needs the package pyarrow: pip install datasette-program-export[parquet]."
        ) from None
    assert isinstance(found, ModuleType)
    return found
