"""JSON as the engine reads it: numbers keep their digits."""

from __future__ import annotations

import datetime
import decimal
import json
import math
from collections.abc import Iterable, Mapping
from typing import Any

from . import _errors


def written(value: Any, what: str = "a value") -> str:
    """A value as JSON.

    ``decimal.Decimal`` keeps its digits, dates and datetimes are text, and numpy's numbers are numbers.
    """
    try:
        return _written(value, what)
    except RecursionError:
        raise _errors.Usage(f"{what} is nested too deep") from None


def rows(values: Iterable[Mapping[str, Any]]) -> bytes:
    """Rows as NDJSON. What is not a number, or not a time, is left out, as in tables; a datetime without a zone
    stays without one."""
    lines = []
    for row in values:
        said = {key: _value_of_row(value) for key, value in row.items() if not _is_missing(value)}
        lines.append(written(said, "a row") + "\n")
    try:
        return "".join(lines).encode()
    except UnicodeEncodeError as error:
        raise _errors.BadData(f"a row has text that is no Unicode: {error}", "bad_utf8") from error


def _is_missing(value: Any) -> bool:
    """Whether it is NaN, or what pandas has for nothing."""
    if type(value).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(value, float) and math.isnan(value) or getattr(value, "dtype", None) is not None and (
        getattr(value, "ndim", None) == 0 and bool(value != value)
    )


def _value_of_row(value: Any) -> Any:
    if isinstance(value, datetime.datetime) and value.tzinfo is None:
        return value.isoformat(timespec="milliseconds")
    if getattr(getattr(value, "dtype", None), "kind", None) == "M":
        # numpy's datetimes have no zone.
        return str(value.astype("datetime64[ms]"))
    return value


def _written(value: Any, what: str) -> str:
    if value is None or isinstance(value, (bool, str)):
        return json.dumps(value, ensure_ascii=False)
    if hasattr(value, "to_rule"):
        return _written(value.to_rule(), what)
    if isinstance(value, int):
        return str(int(value))
    if getattr(getattr(value, "dtype", None), "kind", None) == "f" and getattr(value, "ndim", None) == 0:
        # The shortest digits of its own width.
        return _written(decimal.Decimal(str(value)), what)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise _errors.Usage(f"{what} cannot be {value}")
        return repr(float(value))
    if isinstance(value, decimal.Decimal):
        if not value.is_finite():
            raise _errors.Usage(f"{what} cannot be {value}")
        return format(value, "f")
    if isinstance(value, datetime.datetime):
        return json.dumps(instant(value))
    if isinstance(value, datetime.date):
        return json.dumps(value.isoformat())
    if isinstance(value, Mapping):
        members = (f"{json.dumps(str(key), ensure_ascii=False)}: {_written(own, what)}" for key, own in value.items())
        return "{" + ", ".join(members) + "}"
    if hasattr(value, "item") and getattr(value, "ndim", None) == 0:
        return _written(value.item(), what)
    if isinstance(value, Iterable) and not isinstance(value, (bytes, bytearray)):
        return "[" + ", ".join(_written(own, what) for own in value) + "]"
    raise _errors.Usage(f"{what} cannot be {type(value).__name__}")


def instant(value: str | datetime.datetime) -> str:
    """An instant as the engine reads it."""
    if isinstance(value, str):
        return value
    if not isinstance(value, datetime.datetime):
        raise _errors.Usage(f"an instant is text or a datetime, not {type(value).__name__}")
    if value.tzinfo is None:
        raise _errors.Usage(f"{value!r} has no time zone; give it one, such as tzinfo=datetime.timezone.utc")
    try:
        utc = value.astimezone(datetime.timezone.utc).replace(tzinfo=None)
    except OverflowError:
        raise _errors.Usage(f"{value!r} is not in the years 1 to 9999 of UTC") from None
    return utc.isoformat(timespec="milliseconds") + "Z"
