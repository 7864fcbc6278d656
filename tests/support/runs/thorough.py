"""How much is tried: in ``make test`` some of it, in ``make test-all`` (PROGRAM_EXPORT_ALL=1) all."""

from __future__ import annotations

import os
import random
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from typing import TypeVar

ALL = bool(os.environ.get("PROGRAM_EXPORT_ALL"))
Case = TypeVar("Case")


def examples(many: int) -> int:
    """So many random examples, or a third of them."""
    return many if ALL else -(-many // 3)


def some(cases: Sequence[Case], nth: int) -> Sequence[Case]:
    """All cases, or every nth of them."""
    return cases if ALL else cases[::nth]


def shared(cases: Iterable[Case]) -> list[Case]:
    """All cases, or the half of them that is this Datasette line's: in ``make test`` the other line tries the rest."""
    every = list(cases)
    mixed = random.Random(1).sample(every, len(every))  # else a line might always get the same of a pair
    return every if ALL else mixed[int(version("datasette").startswith("0.")) :: 2]
