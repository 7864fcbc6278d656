"""Opens any Parquet file, and reads its rows in batches of a bounded size."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ...errors import UnreadableError
from ...files.reading_limits import LARGE, Limits
from .library import pyarrow

MOST_DESCRIPTIONS = 4  # the footer may be so many times as large as the description of a document
_ROWS = 5_000
_MOST_COLUMNS = 20_000
_DEPTH = 50
_NOT_HERE = (
    "A site reads no Parquet file, because one that is made to do harm could stop the whole server. The command does, "
    "on a computer of your own: program-export verify, program-export import."
)


class TableFile:
    """A Parquet file. Raises UnreadableError for one that is cut, damaged, or made to fill the memory.

    Damaged files have crashed pyarrow 26, so no server reads them: UnreadableError says who does."""

    def __init__(self, path: Path, limits: Limits) -> None:
        if not limits.crashable:
            raise UnreadableError(_NOT_HERE, "unknown")
        self._pa = pa = pyarrow()
        self._limits, self._size = limits, path.stat().st_size
        most = footer_limit(limits)
        try:
            self._file = pa.parquet.ParquetFile(
                path, pre_buffer=False, thrift_string_size_limit=most, thrift_container_size_limit=most
            )
            self.metadata = self._file.metadata
            self.schema = self._file.schema_arrow
        except (pa.ArrowException, OSError, UnicodeDecodeError, ValueError):
            raise UnreadableError("The Parquet file is damaged: its description cannot be read.") from None
        if len(self.schema) > _MOST_COLUMNS:
            self.close()
            raise UnreadableError(f"The Parquet file has {len(self.schema):,} columns, far too many.")

    @property
    def names(self) -> list[str]:
        return list(self.schema.names)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def batches(self) -> Iterator[Any]:
        """Yield the rows as pyarrow's RecordBatches. Raises UnreadableError."""
        pa, unpacked = self._pa, 0
        for number in range(self.metadata.num_row_groups):
            group = self.metadata.row_group(number)  # of its parts, pyarrow cannot look at damaged ones without a crash
            unpacked += group.total_byte_size
            self._limits.check(self._size, unpacked)
            rows = max(1, min(_ROWS, LARGE * 4 * group.num_rows // max(1, group.total_byte_size)))
            try:
                for batch in self._file.iter_batches(rows, row_groups=[number], use_threads=False):
                    self._limits.fits(batch.nbytes // max(1, batch.num_rows), "A row of the Parquet file")
                    self._limits.go_on()
                    yield batch
            except (pa.ArrowException, OSError):
                raise UnreadableError(f"The Parquet file is damaged in its group of rows {number + 1:,}.") from None


def footer_limit(limits: Limits) -> int:
    """Return how many bytes may describe the file, at its end."""
    return min(limits.description * MOST_DESCRIPTIONS, (1 << 31) - 1)


def values_of(batch: Any, place: int) -> Sequence[Any]:
    """Return the values of a column. Raises UnreadableError for a text that is none."""
    try:
        found: list[Any] = batch.column(place).to_pylist()
    except UnicodeDecodeError:
        raise UnreadableError("A text in the Parquet file is not UTF-8, as it must be there.") from None
    return found
