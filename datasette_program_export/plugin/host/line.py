"""Which Datasette this is: decided once, by what can be imported, never by a version number."""

from __future__ import annotations

from importlib.util import find_spec

from datasette import hookspecs

V1 = find_spec("datasette.resources") is not None  # 1.0; else 0.x
TELLS_ITS_END = hasattr(hookspecs, "shutdown")  # 1.0, since one of its alphas
