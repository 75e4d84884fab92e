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

    ``decimal.Decimal`` keeps its digits, dates and datetimes are text, and so is what numpy has of numbers.
    """
    if value is None or isinstance(value, (bool, str)):
        return json.dumps(value, ensure_ascii=False)
    if hasattr(value, "to_rule"):
        return written(value.to_rule(), what)
    if isinstance(value, int):
        return str(int(value))
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
        members = (f"{json.dumps(str(key), ensure_ascii=False)}: {written(own, what)}" for key, own in value.items())
        return "{" + ", ".join(members) + "}"
    if hasattr(value, "item") and getattr(value, "ndim", None) == 0:
        return written(value.item(), what)
    if isinstance(value, Iterable) and not isinstance(value, (bytes, bytearray)):
        return "[" + ", ".join(written(own, what) for own in value) + "]"
    raise _errors.Usage(f"{what} cannot be {type(value).__name__}")


def instant(value: str | datetime.datetime) -> str:
    """An instant as the engine reads it."""
    if isinstance(value, str):
        return value
    if value.tzinfo is None:
        raise _errors.Usage(f"{value!r} has no time zone; give it one, such as tzinfo=datetime.timezone.utc")
    utc = value.astimezone(datetime.timezone.utc).replace(tzinfo=None)
    return utc.isoformat(timespec="milliseconds") + "Z"
