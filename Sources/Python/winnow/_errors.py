"""What goes wrong, by the codes of the engine."""

from __future__ import annotations

import importlib.metadata
import json
from typing import Any


class Error(Exception):
    """What the engine refused, and why.

    ``code`` is one of the engine's, such as ``"invalid_rule"``; ``path`` says where: in a rule, in a file
    (``events.csv:7:time``), or which file; ``line`` and ``column`` count from 1 in a rule that is text.
    """

    def __init__(
        self, message: str, code: str = "usage", path: str = "", line: int | None = None, column: int | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.path = path
        self.line = line
        self.column = column

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.message, self.code, self.path, self.line, self.column)


class Usage(Error, ValueError):
    """A call that makes no sense: an option, a name, an argument."""


class InvalidRule(Error, ValueError):
    """A rule that is wrong; ``path``, or ``line`` and ``column``, say where."""


class BadData(Error, ValueError):
    """A row or a file that cannot be loaded; ``code`` says what is wrong with it. Nothing was stored."""


class BatchConflict(BadData):
    """The batch was loaded before, with other content."""


class NotFound(Error, LookupError):
    """No such store, file, profile or saved segment."""


class CannotCreate(Error, OSError):
    """A store or file that cannot be made."""


class DamagedStore(Error):
    """Bytes of the store are not as they were written."""


class NewerFormat(Error):
    """The store was written by a newer Winnow."""


class OlderFormat(Error):
    """The store was written by a Winnow too old to be read."""


class SystemFailure(Error, OSError):
    """The system failed, such as a disk that is full."""


class OutcomeUnknown(SystemFailure):
    """It is not known whether the commit happened; load again under the same batch."""


class AnotherWriter(Error):
    """Another program writes to the store; try again."""


class Cancelled(Error):
    """The call was cancelled; nothing was stored."""


class MissingPackage(Error):
    """A package that the call needs is not installed."""


_BY_CODE: dict[str, type[Error]] = {
    "usage": Usage,
    "invalid_rule": InvalidRule,
    "batch_conflict": BatchConflict,
    "not_found": NotFound,
    "cannot_create": CannotCreate,
    "damaged_store": DamagedStore,
    "newer_format": NewerFormat,
    "older_format": OlderFormat,
    "io_error": SystemFailure,
    "outcome_unknown": OutcomeUnknown,
    "another_writer": AnotherWriter,
    "cancelled": Cancelled,
}


def made(text: str) -> Error:
    """The exception of an error as the engine tells it."""
    error = json.loads(text)["error"]
    kind = _BY_CODE.get(error["code"], BadData)
    return kind(error["message"], error["code"], error["path"], error["line"], error["column"])


def distribution() -> str:
    """The name under which pip knows this package."""
    names = importlib.metadata.packages_distributions().get("winnow", ())
    return next(iter(names), "winnow")


def needed(package: str, purpose: str, cause: ImportError) -> MissingPackage:
    """What to say where a package is missing."""
    error = MissingPackage(f"{package} is needed for {purpose}: pip install {package}, or {distribution()}[all]")
    error.__cause__ = cause
    return error
