"""Limits for decompression: a small file that grows without end is refused."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import UnreadableError


@dataclass(frozen=True)
class Limits:
    """``free`` bytes may always come out, beyond that ``ratio`` times what went in; ``members`` are a zip's files."""

    free: int = 200_000_000
    ratio: int = 250
    members: int = 20_000

    def check(self, packed: int, unpacked: int) -> None:
        """Raise UnreadableError when this much has come out of so little."""
        if unpacked > self.free and unpacked > self.ratio * packed:
            raise UnreadableError(
                f"The file unpacks to more than {self.ratio} times its size ({unpacked:,} bytes so far), "
                "as files do that are made to fill a disk. If you know where it is from, say --trust."
            )


CAREFUL = Limits()
TRUSTING = Limits(free=1 << 62, members=1 << 31)
