"""Templates are compiled, and packages described, once for all the Datasettes of the tests, and not once for each."""

from __future__ import annotations

from functools import cache, partial
from importlib import metadata
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


def describe_packages_once() -> None:
    """From now on, what an installed package says of itself is read once: Datasette asks at each request of a test."""
    read = metadata.Distribution.metadata.fget  # type: ignore[attr-defined]
    metadata.Distribution.metadata = property(cache(read))  # type: ignore[method-assign, assignment]
