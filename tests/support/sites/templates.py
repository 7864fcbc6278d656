"""Templates are compiled once for all the Datasettes of the tests, and not once for each."""

from __future__ import annotations

from functools import partial
from types import CodeType

import datasette.app
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket


class Compiled(BytecodeCache):
    """Templates as code, by their name and by the digest of their text, so that another text is compiled anew."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._known.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        if bucket.code is not None:
            self._known[bucket.key, bucket.checksum] = bucket.code


def compile_once() -> None:
    """From now on, every Datasette of this process takes the code of templates that another has compiled."""
    datasette.app.Environment = partial(datasette.app.Environment, bytecode_cache=Compiled())  # type: ignore
