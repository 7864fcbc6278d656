"""What a value of Parquet becomes in SQLite, by the type of its column; what SQLite cannot hold is refused."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec

from ....errors import UnreadableError
from ..numbers import keeps_digits
from ..rows import EmbeddedText, UnfitError

Convert = Callable[[Any], Any]
_json = msgspec.json.Encoder(decimal_format="number").encode
_PER_SECOND = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
_MOST = 2**63
_EPOCH = date(1970, 1, 1)


class Kind:
    """How the values of one column are read. ``told`` ends a sentence that says what is made of them, if anything is.

    ``as_numbers``: moments and times come as whole numbers from pyarrow, so that no digit is lost."""

    def __init__(self, pa: Any, kind: Any, nan_is_null: bool, rounds: bool) -> None:
        self.told: str | None = None
        self.as_numbers = False
        self._pa, self._nan_is_null, self._rounds = pa, nan_is_null, rounds
        while pa.types.is_dictionary(kind):
            kind = kind.value_type
        self.convert: Convert = self._of(kind)

    def _of(self, kind: Any) -> Convert:
        types = self._pa.types
        if isinstance(kind, self._pa.BaseExtensionType):
            if kind.extension_name == "arrow.uuid":
                self.told = "UUIDs are texts"
                return str
            return self._of(kind.storage_type)
        if types.is_boolean(kind):
            self.told = "true and false are 1 and 0"
            return int
        if types.is_floating(kind):
            return self._real
        if types.is_decimal(kind):
            self.told = "decimals are numbers"
            return self._decimal
        if types.is_timestamp(kind) or types.is_time(kind) or types.is_duration(kind):
            self.as_numbers = True
            return self._moment(kind)
        if types.is_date(kind):
            self.told = "dates are texts, as 2024-05-01"
            return date.isoformat
        if types.is_nested(kind):
            self.told = "lists and objects are texts, as JSON"
            return self._nested
        if types.is_integer(kind):
            return _whole
        known = (types.is_string, types.is_large_string, types.is_string_view, types.is_null)
        binary = (types.is_binary, types.is_large_binary, types.is_binary_view, types.is_fixed_size_binary)
        if any(is_it(kind) for is_it in (*known, *binary)):
            return _same
        raise UnreadableError(f"The Parquet file has a column of the type {kind}, which is not known here.")

    def _moment(self, kind: Any) -> Convert:
        units = _PER_SECOND[kind.unit]
        if self._pa.types.is_duration(kind):
            self.told = f"spans of time are whole numbers ({kind.unit})"
            return _whole
        if self._pa.types.is_time(kind):
            self.told = "times are texts, as 10:11:12"
            return lambda value: _clock(value, units)
        zone = "" if kind.tz is None else "+00:00"
        self.told = f"moments are texts, as 2024-05-01 10:11:12{zone}" + (" (UTC)" if zone else "")
        return lambda value: _date_and_clock(value, units) + zone

    def _real(self, value: float) -> float | None:
        if value == value:
            return value
        if self._nan_is_null:
            return None
        raise UnfitError('holds NaN, which SQLite cannot: with the argument nan="null" it becomes no value')

    def _decimal(self, value: Decimal) -> int | float:
        if value == value.to_integral_value() and -_MOST <= value < _MOST:
            return int(value)
        if not self._rounds and not keeps_digits(str(value), whole=False):
            raise UnfitError(
                "holds a number of more digits than SQLite stores (17), so it would become another one: use the "
                "argument cells with COLUMN=number to round it"
            )
        return float(value)

    def _nested(self, value: Any) -> EmbeddedText:
        return EmbeddedText(_json(self._plain(value)).decode())

    def _plain(self, value: Any) -> Any:
        """Return a value within a list or an object as JSON has it. Raises UnfitError for what it cannot say."""
        if isinstance(value, dict):
            return {key: self._plain(inner) for key, inner in value.items()}
        if isinstance(value, (list, tuple)):
            return [self._plain(inner) for inner in value]
        if isinstance(value, float) and (value - value != 0):
            if value != value and self._nan_is_null:
                return None
            raise UnfitError("holds a list or object with a number that JSON cannot say (NaN or Infinity)")
        if isinstance(value, bytes):
            return {"$base64": True, "encoded": value}
        if isinstance(value, UUID):
            return str(value)
        if isinstance(value, datetime):
            if getattr(value, "nanosecond", 0):
                raise UnfitError("holds a list or object with a moment in nanoseconds")
            return value.isoformat(" ")
        if isinstance(value, (date, time)):
            return value.isoformat()
        if isinstance(value, timedelta):
            return str(value)
        return value


def _same(value: Any) -> Any:
    return value


def _whole(value: int) -> int:
    if not -_MOST <= value < _MOST:
        raise UnfitError("holds a whole number that is larger than SQLite's (9223372036854775807)")
    return value


def _clock(value: int, units: int) -> str:
    seconds, rest = divmod(value, units)
    shown = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return shown + ("." + f"{rest:0{len(str(units)) - 1}}".rstrip("0") if rest else "")


def _date_and_clock(value: int, units: int) -> str:
    days, rest = divmod(value, 86_400 * units)
    try:
        day = (_EPOCH + timedelta(days=days)).isoformat()
    except OverflowError:
        raise UnfitError("holds a moment outside of the years 1 to 9999") from None
    return f"{day} {_clock(rest, units)}"
