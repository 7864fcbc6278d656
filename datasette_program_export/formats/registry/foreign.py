"""Watches the format of a plugin while it works, so that its faults have its name and no row is lost unsaid.

A format may fail in any way, and may swallow an error of the rows that it is given. So it is complete only if it has
read every table to its end, without an error, and has written something.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import wraps
from typing import Any, TypeVar

from ...database.snapshot import TimeExpired
from ...errors import ExportError, PluginError, UnreadableError
from ..dataset import Dataset, Row, TableStream
from .format import Format
from .members import MemberFile

_OURS = (ExportError, TimeExpired)  # errors that are told as they are, wherever they come from
Read = Callable[..., Iterator[list[Row]]]
Encode = Callable[..., Iterator[bytes]]
Result = TypeVar("Result")


def watched(form: Format, plugin: str) -> Format:
    """Return the format with every function of it watched."""
    return replace(
        form,
        encode=form.encode and _encoding(form, plugin, form.encode),
        encode_table=form.encode_table and _encoding_table(form, plugin, form.encode_table),
        decode=form.decode and _decoding(form, plugin, form.decode),
        member=form.member and replace(form.member, read=_reading(form, plugin, form.member.read)),
    )


def _encoding(form: Format, plugin: str, encode: Encode) -> Encode:
    @wraps(encode)
    def watching(dataset: Dataset, *more: Any) -> Iterator[bytes]:
        watch = _Watch(form, plugin)
        seen = replace(
            dataset,
            tables=watch.tables(dataset.tables),
            coverage=watch.noting(dataset.coverage),
            integrity=watch.noting(dataset.integrity),
        )
        yield from watch.written(lambda: encode(seen, *more))
        dataset.coverage()  # what was left out is told outside the file, whether the format asks for it or not

    return watching


def _encoding_table(
    form: Format, plugin: str, encode: Callable[..., Iterator[bytes]]
) -> Callable[..., Iterator[bytes]]:
    @wraps(encode)
    def watching(table: TableStream, *more: Any) -> Iterator[bytes]:
        watch = _Watch(form, plugin)
        (seen,) = watch.tables(iter([table]))
        watch.all_begun = True
        yield from watch.written(lambda: encode(seen, *more))

    return watching


def _decoding(form: Format, plugin: str, decode: Callable[..., Dataset]) -> Callable[..., Dataset]:
    @wraps(decode)
    def watching(*given: Any) -> Dataset:
        found = _read(form, plugin, lambda: decode(*given))
        tables = (replace(t, batches=_steps(form, plugin, t.batches)) for t in _steps(form, plugin, found.tables))
        return replace(found, tables=tables)

    return watching


def _reading(form: Format, plugin: str, read: Read) -> Read:
    @wraps(read)
    def watching(file: MemberFile) -> Iterator[list[Row]]:
        return _steps(form, plugin, _read(form, plugin, lambda: read(file)))

    return watching


def _read(form: Format, plugin: str, step: Callable[[], Result]) -> Result:
    """Take one step of reading a file. Raises UnreadableError for an error that the plugin did not foresee."""
    try:
        return step()
    except (*_OURS, StopIteration):
        raise
    except (Exception, SystemExit) as error:
        kind = type(error).__name__
    raise UnreadableError(f"The format {form.name} of the plugin {plugin} cannot read this file ({kind}).")


def _steps(form: Format, plugin: str, found: Iterable[Result]) -> Iterator[Result]:
    steps = iter(found)
    while True:
        try:
            one = _read(form, plugin, lambda: next(steps))
        except StopIteration:
            return
        yield one


class _Watch:
    """What a format has read and written so far, and the first error of the rows themselves."""

    def __init__(self, form: Format, plugin: str) -> None:
        self.who = f"The format {form.name} of the plugin {plugin}"
        self.met: BaseException | None = None
        self.reading: str | None = None
        self.all_begun = False

    def tables(self, tables: Iterator[TableStream]) -> Iterator[TableStream]:
        """Yield the tables; each must be read to its end before the next."""
        for table in self._noted(tables):
            if self.reading is not None:
                return
            self.reading = table.name
            yield replace(table, batches=self._batches(table), written=None)  # every row is seen here
        self.all_begun = True

    def _batches(self, table: TableStream) -> Iterator[list[Row]]:
        yield from self._noted(table.batches)
        self.reading = None

    def _noted(self, found: Iterator[Result]) -> Iterator[Result]:
        try:
            yield from found
        except GeneratorExit:
            raise
        except BaseException as error:
            self.met = self.met or error
            raise

    def noting(self, function: Callable[[], Result]) -> Callable[[], Result]:
        """Return the function; an error of it is remembered."""

        def called() -> Result:
            try:
                return function()
            except Exception as error:
                self.met = self.met or error
                raise

        return called

    def written(self, encode: Callable[[], Iterator[bytes]]) -> Iterator[bytes]:
        """Yield what the format writes. Raises PluginError for its faults, and the errors of the rows as they are."""
        some = False
        try:
            for chunk in encode():
                if not isinstance(chunk, bytes):
                    raise PluginError(f"{self.who} wrote {type(chunk).__name__}, not bytes.")
                if chunk:
                    yield chunk
                    some = True
            failed = self._unfinished(some)
        except _OURS:
            raise
        except (Exception, SystemExit) as error:  # its message and its frames may hold values
            failed = PluginError(f"{self.who} failed ({type(error).__name__}).")
        if self.met is not None:
            raise self.met
        if failed is not None:
            raise failed

    def _unfinished(self, some: bool) -> PluginError | None:
        if self.reading is not None or not self.all_begun:
            return PluginError(f"{self.who} did not read all rows{f' of {self.reading}' if self.reading else ''}.")
        return None if some else PluginError(f"{self.who} wrote nothing.")
