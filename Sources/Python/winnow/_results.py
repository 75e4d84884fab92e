"""What calls answer."""

from __future__ import annotations

from typing import Any


class Count(int):
    """How many profiles; an ``int`` that knows more."""

    universe: int
    """Profiles of the store."""
    name: str | None
    """The rule's name."""
    warnings: list[dict[str, Any]]
    """What the rule's author should know: ``code``, ``path`` and ``message`` each."""
    windows: list[dict[str, Any]]
    """When events counted: ``path``, ``from``, ``to`` and ``to_inclusive`` each."""
    as_of: str
    """The instant of evaluation."""
    elapsed_ms: float
    """Milliseconds that it took."""
    version: int
    """The store's version."""

    def __new__(cls, answer: dict[str, Any]) -> Count:
        self = super().__new__(cls, answer["count"])
        self.__dict__.update({key: value for key, value in answer.items() if key != "count"})
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return Count, ({**self.__dict__, "count": int(self)},)


class LoadSummary(dict[str, Any]):
    """What a load stored: rows, new, updated, skipped, rejected and more, as ``winnow load --summary json``.

    Each is an attribute, too.
    """

    notes: list[str]
    """What the load told beside that."""

    def __init__(self, answer: dict[str, Any], notes: list[str]) -> None:
        super().__init__(answer)
        self.notes = notes

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"a load says nothing of {name}") from None

    def __reduce__(self) -> tuple[Any, ...]:
        return LoadSummary, (dict(self), self.notes)


class Answers(list[Any]):
    """The values that a command answers, as ``--format json`` prints them."""

    notes: list[str]
    """What the command told beside them: warnings and remarks."""

    def __init__(self, values: list[Any], notes: list[str]) -> None:
        super().__init__(values)
        self.notes = notes

    def __reduce__(self) -> tuple[Any, ...]:
        return Answers, (list(self), self.notes)
