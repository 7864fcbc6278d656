"""Detect the line of Datasette, 0.x or 1.0, once, by what can be imported rather than by a version number."""

from __future__ import annotations

from importlib.util import find_spec

from datasette import hookspecs

V1 = find_spec("datasette.resources") is not None  # 1.0; False on 0.x
TELLS_ITS_END = hasattr(hookspecs, "shutdown")  # 1.0, except its early alphas
