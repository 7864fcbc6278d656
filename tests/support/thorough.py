"""How much is tried: in ``make test`` some of it, in ``make test-all`` (PROGRAM_EXPORT_ALL=1) all."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TypeVar

ALL = bool(os.environ.get("PROGRAM_EXPORT_ALL"))
Case = TypeVar("Case")


def examples(many: int) -> int:
    """So many random examples, or a third of them."""
    return many if ALL else -(-many // 3)


def some(cases: Sequence[Case], nth: int) -> Sequence[Case]:
    """All cases, or every nth of them."""
    return cases if ALL else cases[::nth]
