"""Exact counts of segments over compressed column files.

    import winnow
    from winnow import email, push, field

    store = winnow.open("shop.winnow")
    store.load("events", "tonight.csv", batch="2026-01-01")
    fans = email.clicked.at_least(2).in_campaigns(tagged="Online store").last(30, "days")
    store.count(fans & field("country").is_in(["DE"]) & ~push.opened.exists)

A rule is text, a ``dict`` as JSON has it, or built from ``email``, ``field`` and their like. What goes
wrong is a ``winnow.Error``; its subclasses are named for what it was.

All calls let other threads of Python run. A store and a snapshot may be used by several threads, and after
``fork`` while no call was running.
"""

from ._errors import (
    AnotherWriter,
    BadData,
    BatchConflict,
    Cancelled,
    CannotCreate,
    DamagedStore,
    Error,
    InvalidRule,
    MissingPackage,
    NewerFormat,
    NotFound,
    OlderFormat,
    OutcomeUnknown,
    SystemFailure,
    Usage,
)
from ._explanation import Explanation, Node
from ._library import version as _version
from ._results import Answers, Count, LoadSummary
from ._store import Prepared, Snapshot, Store, command, create, open
from .rules import (
    Channel,
    Event,
    Field,
    Goal,
    Rule,
    Subscription,
    email,
    field,
    goal,
    max_bot,
    max_group,
    push,
    sample,
    segment,
    sms,
    subscription,
    telegram_bot,
    telegram_group,
    viber,
    vk_notify,
    whatsapp,
)

__version__: str = _version()
"""The version of the engine."""

__all__ = [
    "Answers", "AnotherWriter", "BadData", "BatchConflict", "Cancelled", "CannotCreate", "Channel", "Count",
    "DamagedStore", "Error", "Event", "Explanation", "Field", "Goal", "InvalidRule", "LoadSummary",
    "MissingPackage", "NewerFormat", "Node", "NotFound", "OlderFormat", "OutcomeUnknown", "Prepared", "Rule",
    "Snapshot", "Store", "Subscription", "SystemFailure", "Usage", "command", "create", "email", "field", "goal",
    "max_bot", "max_group", "open", "push", "sample", "segment", "sms", "subscription", "telegram_bot",
    "telegram_group", "viber", "vk_notify", "whatsapp",
]  # fmt: skip
