"""Rules as Python builds them.

    from winnow import email, field
    quiet = email.delivered.at_least(3).last(30, "days") & ~email.opened.exists
    rich = (field("ltv") >= 100) & field("country").is_in(["DE", "SE"])

A rule never changes: each method gives a new one. ``&``, ``|`` and ``~`` combine rules; ``str`` of one is its
JSON, and ``text()`` the sentence that it says. Names, dates and numbers are checked when a rule is evaluated.
"""

from __future__ import annotations

import copy
import datetime
import decimal
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Union

from . import _errors
from ._json import instant, written

if TYPE_CHECKING:
    from typing_extensions import Self

Value = Union[str, int, float, decimal.Decimal, bool, datetime.date]
Moment = Union[str, datetime.date]


def _list(values: str | Iterable[Any]) -> list[Any]:
    return [values] if isinstance(values, (str, int, float, decimal.Decimal)) else list(values)


def _selector(
    ids: tuple[str, ...], tagged: str | Iterable[str] | None, all_tags: str | Iterable[str] | None,
    attributes: Mapping[str, str | Iterable[str]] | None, latest: int | None,
) -> Any:  # fmt: skip
    chosen: dict[str, Any] = {}
    if ids:
        chosen["ids"] = [own for given in ids for own in _list(given)]
    if tagged is not None:
        chosen["tags"] = _list(tagged)
    if all_tags is not None:
        chosen["all_tags"] = _list(all_tags)
    if attributes is not None:
        chosen["attributes"] = {key: _list(value) for key, value in attributes.items()}
    if latest is not None:
        chosen["latest"] = latest
    if not chosen:
        raise _errors.Usage("name ids, tagged, all_tags, attributes or latest")
    return chosen["ids"] if list(chosen) == ["ids"] else chosen


class Rule:
    """A rule of segments: ``to_rule()`` is what it says, as JSON has it."""

    __slots__ = ("_node",)

    def __init__(self, node: Mapping[str, Any]) -> None:
        self._node = dict(node)

    def to_rule(self) -> dict[str, Any]:
        """The rule as a ``dict`` of its own."""
        return copy.deepcopy(self._node)

    @classmethod
    def named(cls, name: str, where: RuleLike, timezone: str | None = None) -> Rule:
        """A rule with a name and, if wanted, a time zone of its own."""
        document: dict[str, Any] = {"name": name}
        if timezone is not None:
            document["timezone"] = timezone
        return cls({**document, "where": _unnamed(parsed(where))})

    def text(self) -> str:
        """The sentence that it says, such as ``email opened at least 3 times``."""
        from ._store import command

        return str(command("rule", rule=self._node, to="text")[0])

    def __and__(self, other: RuleLike) -> Rule:
        return self._joined("all", other)

    def __or__(self, other: RuleLike) -> Rule:
        return self._joined("any", other)

    def __rand__(self, other: RuleLike) -> Rule:
        return Rule(parsed(other))._joined("all", self)

    def __ror__(self, other: RuleLike) -> Rule:
        return Rule(parsed(other))._joined("any", self)

    def __invert__(self) -> Rule:
        return Rule({"not": _unnamed(self._node)})

    def _joined(self, key: str, other: RuleLike) -> Rule:
        nodes: list[Any] = []
        for node in (_unnamed(self._node), _unnamed(parsed(other))):
            # What is joined the same way stays on one level.
            nodes += node[key] if list(node) == [key] else [node]
        return Rule({key: nodes})

    def __bool__(self) -> bool:
        raise _errors.Usage("a rule is neither true nor false: join rules with &, | and ~, and count them")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Rule) and str(self) == str(other)

    def __hash__(self) -> int:
        return hash(str(self))

    def __str__(self) -> str:
        return written(self._node, "a rule")

    def __repr__(self) -> str:
        return f"Rule({self})"

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._node,)


RuleLike = Union[str, Mapping[str, Any], Rule]


def _unnamed(node: dict[str, Any]) -> dict[str, Any]:
    if "where" in node:
        raise _errors.Usage("a rule with a name or a zone stands alone: join the parts, then name the whole")
    return node


def parsed(rule: RuleLike) -> dict[str, Any]:
    """A rule in any form as the ``dict`` of its node; text is read by the engine."""
    if isinstance(rule, Rule):
        return rule.to_rule()
    if isinstance(rule, Mapping):
        return dict(rule)
    if not isinstance(rule, str):
        raise _errors.Usage(f"a rule is text, a dict or a Rule, not {type(rule).__name__}")
    from ._store import command

    return dict(command("rule", rule=rule, to="json")[0])


class _Scoped(Rule):
    """A rule about one thing, whose words can be added one after the other."""

    __slots__ = ()

    def _with(self, **words: Any) -> Self:
        ((key, own),) = self._node.items()
        return type(self)({key: {**own, **words}})

    # Windows.

    def last(self, count: int, unit: str = "days", mode: str | None = None) -> Self:
        """Only in the last ``count`` ``unit``: minutes, hours, days, weeks, months or years. Days and longer
        are whole days by the calendar, unless ``mode`` is ``"rolling"``."""
        window: dict[str, Any] = {"last": count, "unit": unit}
        return self._with(during=window if mode is None else {**window, "mode": mode})

    def days_ago(self, first: int, last: int) -> Self:
        """Only from ``first`` to ``last`` days ago, whole days, both included; ``first`` is the greater."""
        return self._with(during={"days_ago": [first, last]})

    def between(self, first: Moment | None = None, last: Moment | None = None) -> Self:
        """Only from one date to another, both included, or from one instant to before another. ``"today-3"``
        is a date, too."""
        return self._with(during=_between(first, last))

    def period(self, name: str) -> Self:
        """Only in a period: ``"this_month"``, ``"last_week"`` and so on."""
        return self._with(during={"period": name})

    def during(self, window: Mapping[str, Any]) -> Self:
        """Only in a window as JSON has it."""
        return self._with(during=dict(window))


def _between(first: Moment | None, last: Moment | None) -> dict[str, str]:
    ends = {"from": first, "to": last}
    return {key: _moment(end) for key, end in ends.items() if end is not None}


def _moment(value: Moment) -> str:
    if isinstance(value, datetime.datetime) or isinstance(value, str):
        return instant(value)
    return value.isoformat()


class Activity(_Scoped):
    """A rule about events of one kind in one channel."""

    __slots__ = ()

    def in_campaigns(
        self, *ids: str, tagged: str | Iterable[str] | None = None, all_tags: str | Iterable[str] | None = None,
        attributes: Mapping[str, str | Iterable[str]] | None = None, latest: int | None = None,
    ) -> Activity:  # fmt: skip
        """Only in campaigns with one of ``ids``, or with any tag of ``tagged``, all of ``all_tags`` and these
        ``attributes``; of these the ``latest`` that were sent last."""
        return self._with(campaigns=_selector(ids, tagged, all_tags, attributes, latest))

    def in_templates(
        self, *ids: str, tagged: str | Iterable[str] | None = None, all_tags: str | Iterable[str] | None = None,
        attributes: Mapping[str, str | Iterable[str]] | None = None, latest: int | None = None,
    ) -> Activity:  # fmt: skip
        """Only with these templates; see ``in_campaigns``."""
        return self._with(templates=_selector(ids, tagged, all_tags, attributes, latest))

    def on_links(self, *ids: str) -> Activity:
        """Only clicks on these links."""
        return self._with(links=[own for given in ids for own in _list(given)])

    def by(self, whom: str) -> Activity:
        """Only what ``"people"`` did, or ``"machines"``."""
        return self._with(by=whom)

    def counting(self, how: str | int) -> Activity:
        """Counts each selected object alone: ``"any_one"`` or ``"every_one"`` of them must satisfy the rule, or
        at least so many."""
        return self._with(counting={"at_least": how} if isinstance(how, int) else how)

    def preceded_by(self, event: str, at_least: int = 1, pairing: str = "scope", by: str | None = None) -> Activity:
        """With ``not_happened``: but another event did. ``pairing``: in the whole ``"scope"``, within some one
        ``"object"``, or within some one ``"message"``."""
        words: dict[str, Any] = {"event": event, "at_least": at_least, "pairing": pairing}
        return self._with(preceded_by=words if by is None else {**words, "by": by})

    def after(
        self, event: str, which: str = "last", within: int | None = None, unit: str = "days",
        pairing: str = "scope", by: str | None = None,
    ) -> Activity:  # fmt: skip
        """Only later than another event, the ``"last"`` or ``"first"`` of its kind, and no later than
        ``within`` so many ``unit``."""
        words: dict[str, Any] = {"event": event, "which": which, "pairing": pairing}
        if within is not None:
            words["within"] = {"next": within, "unit": unit}
        if by is not None:
            words["by"] = by
        return self._with(after=words)


class _Counted:
    """What happens, and can be counted."""

    __slots__ = ()

    def _rule(self, operator: str, times: int | list[int] | None = None) -> Any:
        raise NotImplementedError

    def at_least(self, times: int) -> Any:
        """It happened at least so often."""
        return self._rule("at_least", times)

    def at_most(self, times: int) -> Any:
        """It happened at most so often, or not at all."""
        return self._rule("at_most", times)

    def exactly(self, times: int) -> Any:
        """It happened exactly so often."""
        return self._rule("exactly", times)

    def between(self, least: int, most: int) -> Any:
        """It happened so often, both included."""
        return self._rule("between", [least, most])

    @property
    def not_happened(self) -> Any:
        """It did not happen, in the scope and window that follow."""
        return self._rule("not_happened")


class Event(_Counted):
    """An event in a channel: ``email.opened``."""

    __slots__ = ("channel", "name")

    def __init__(self, channel: str, name: str) -> None:
        self.channel = channel
        self.name = name

    def _rule(self, operator: str, times: int | list[int] | None = None) -> Activity:
        words: dict[str, Any] = {"channel": self.channel, "event": self.name, "operator": operator}
        return Activity({"activity": words if times is None else {**words, "times": times}})

    @property
    def exists(self) -> Activity:
        """It happened ever."""
        return self._rule("exists")

    @property
    def does_not_exist(self) -> Activity:
        """It happened never."""
        return self._rule("does_not_exist")

    def __repr__(self) -> str:
        return f"{self.channel}.{self.name}"


class Channel:
    """A channel; its attributes are events: ``email.opened``, ``push.clicked``.

    Which there are, ``winnow.command("catalog")`` says.
    """

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __getattr__(self, event: str) -> Event:
        if event not in _EVENTS:
            raise AttributeError(f"{self.name} has no event {event}; events are {', '.join(_EVENTS)}")
        return Event(self.name, event)

    def __dir__(self) -> list[str]:
        return ["name", "reachable", *_EVENTS]

    def __reduce__(self) -> tuple[Any, ...]:
        return Channel, (self.name,)

    @property
    def reachable(self) -> Rule:
        """Who is subscribed, and has a subscription of the channel that is."""
        return Rule({"subscription": {"operator": "reachable", "channel": self.name}})

    def __repr__(self) -> str:
        return self.name


# What a channel may have at all; which of them it has, the engine says.
_EVENTS = (
    "sent", "delivered", "opened", "read", "clicked", "unique_clicked", "unique_link_clicked", "unique_opened",
    "unsubscribe_clicked", "undelivered", "policy_violated", "hard_bounced", "soft_bounced", "complained",
    "suppressed", "confirm_clicked", "glanced", "skimmed", "replied", "subscribed", "unsubscribed",
    "subscription_confirmed",
)  # fmt: skip

email = Channel("email")
sms = Channel("sms")
push = Channel("push")
telegram_bot = Channel("telegram_bot")
telegram_group = Channel("telegram_group")
max_bot = Channel("max_bot")
max_group = Channel("max_group")
whatsapp = Channel("whatsapp")
viber = Channel("viber")
vk_notify = Channel("vk_notify")


class Field:
    """A field of profiles, to be compared: ``field("ltv") >= 100``."""

    __slots__ = ("name",)
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, name: str) -> None:
        self.name = name

    def where(self, operator: str, value: Any = None, *, ignore_case: bool = False) -> Rule:
        """A rule by the operator's name in JSON."""
        words: dict[str, Any] = {"name": self.name, "operator": operator}
        if value is not None:
            words["value"] = value
        if ignore_case:
            words["ignore_case"] = True
        return Rule({"field": words})

    def __eq__(self, value: Value) -> Rule:  # type: ignore[override]
        return self.where("equals", value)

    def __ne__(self, value: Value) -> Rule:  # type: ignore[override]
        return self.where("not_equals", value)

    def __lt__(self, value: Value) -> Rule:
        return self.where(_compared("less_than", "before", value), value)

    def __le__(self, value: Value) -> Rule:
        return self.where(_compared("at_most", "on_or_before", value), value)

    def __gt__(self, value: Value) -> Rule:
        return self.where(_compared("greater_than", "after", value), value)

    def __ge__(self, value: Value) -> Rule:
        return self.where(_compared("at_least", "on_or_after", value), value)

    def equals(self, value: Value, *, ignore_case: bool = False) -> Rule:
        """The field has just this value."""
        return self.where("equals", value, ignore_case=ignore_case)

    def is_in(self, values: Iterable[Value], *, ignore_case: bool = False) -> Rule:
        """The field has one of these values."""
        return self.where("in", _list(values), ignore_case=ignore_case)

    def not_in(self, values: Iterable[Value], *, ignore_case: bool = False) -> Rule:
        """The field has none of these values, or no value."""
        return self.where("not_in", _list(values), ignore_case=ignore_case)

    def between(self, low: Value, high: Value) -> Rule:
        """From one value to another, both included."""
        return self.where("between", [low, high])

    def contains(self, text: str, *, ignore_case: bool = False) -> Rule:
        """The text is somewhere in the value."""
        return self.where("contains", text, ignore_case=ignore_case)

    def starts_with(self, text: str, *, ignore_case: bool = False) -> Rule:
        """The value begins with the text."""
        return self.where("starts_with", text, ignore_case=ignore_case)

    def ends_with(self, text: str, *, ignore_case: bool = False) -> Rule:
        """The value ends with the text."""
        return self.where("ends_with", text, ignore_case=ignore_case)

    def matches(self, pattern: str, *, ignore_case: bool = False) -> Rule:
        """The whole value is like the pattern, in which ``*`` stands for anything."""
        return self.where("matches", pattern, ignore_case=ignore_case)

    def has_any(self, *values: str) -> Rule:
        """The set has one of these."""
        return self.where("has_any", [own for given in values for own in _list(given)])

    def has_all(self, *values: str) -> Rule:
        """The set has all of these."""
        return self.where("has_all", [own for given in values for own in _list(given)])

    def has_none(self, *values: str) -> Rule:
        """The set has none of these, or there is none."""
        return self.where("has_none", [own for given in values for own in _list(given)])

    def last(self, count: int, unit: str = "days", mode: str | None = None) -> Rule:
        """The date lies in the last ``count`` ``unit``."""
        window: dict[str, Any] = {"last": count, "unit": unit}
        return self.where("during", window if mode is None else {**window, "mode": mode})

    def next(self, count: int, unit: str = "days", mode: str | None = None) -> Rule:
        """The date lies in the next ``count`` ``unit``."""
        window: dict[str, Any] = {"next": count, "unit": unit}
        return self.where("during", window if mode is None else {**window, "mode": mode})

    def during(self, window: Mapping[str, Any]) -> Rule:
        """The date lies in a window as JSON has it."""
        return self.where("during", dict(window))

    def aged(self, least: int | None = None, most: int | None = None, feb29: str | None = None) -> Rule:
        """So many years are completed since the date, both included."""
        ends = {"from": least, "to": most, "feb29": feb29}
        return self.where("age", {key: end for key, end in ends.items() if end is not None})

    def anniversary(self, first: int = 0, last: int = 0, feb29: str | None = None) -> Rule:
        """The date's day of the year is from ``first`` to ``last`` days from today."""
        ends = {"from": first, "to": last, "feb29": feb29}
        return self.where("anniversary", {key: end for key, end in ends.items() if end is not None})

    @property
    def exists(self) -> Rule:
        """The field has a value."""
        return self.where("exists")

    @property
    def does_not_exist(self) -> Rule:
        """The field has no value."""
        return self.where("does_not_exist")

    @property
    def is_empty(self) -> Rule:
        """The text or set is there, and empty."""
        return self.where("is_empty")

    @property
    def is_blank(self) -> Rule:
        """The field has no value, or an empty one."""
        return self.where("is_blank")

    @property
    def is_not_blank(self) -> Rule:
        """The field has a value that is not empty."""
        return self.where("is_not_blank")

    def __repr__(self) -> str:
        return f"field({self.name!r})"


def _compared(number: str, moment: str, value: Value) -> str:
    return moment if isinstance(value, (str, datetime.date)) else number


def field(name: str) -> Field:
    """A field of profiles; ``id``, ``email``, ``phone`` and ``global_status`` are fields, too."""
    return Field(name)


class Goal(_Counted):
    """Goals that people reached."""

    __slots__ = ("_words",)

    def __init__(self, words: Mapping[str, Any]) -> None:
        self._words = dict(words)

    def _rule(self, operator: str, times: int | list[int] | None = None) -> GoalRule:
        words = {**self._words, "operator": operator}
        return GoalRule({"goal": words if times is None else {**words, "times": times}})


class GoalRule(_Scoped):
    """A rule about goals."""

    __slots__ = ()

    def value(self, what: str, **comparison: Value) -> GoalRule:
        """Compares the ``"sum"``, ``"min"``, ``"max"`` or ``"average"`` of the values of the goals that count:
        ``.value("sum", at_least=100)``."""
        return self._with(value={what: comparison})


def goal(*goals: str, pixel: str | Iterable[str] | None = None) -> Goal:
    """Goals by their ids, by the ids of their pixels, or both."""
    words: dict[str, Any] = {}
    if goals:
        words["goal"] = [own for given in goals for own in _list(given)]
    if pixel is not None:
        words["pixel"] = _list(pixel)
    return Goal(words)


class Subscription(_Counted):
    """Subscriptions that profiles have."""

    __slots__ = ("_words",)

    def __init__(self, words: Mapping[str, Any]) -> None:
        self._words = dict(words)

    def _rule(self, operator: str, times: int | list[int] | None = None) -> _Scoped:
        words = {**self._words, "operator": operator}
        return _Scoped({"subscription": words if times is None else {**words, "times": times}})

    @property
    def exists(self) -> _Scoped:
        """There is one."""
        return self._rule("exists")

    @property
    def does_not_exist(self) -> _Scoped:
        """There is none."""
        return self._rule("does_not_exist")


def subscription(
    channel: str | Channel | None = None, *, resource: str | Iterable[str] | None = None,
    status: str | Iterable[str] | None = None, provider: str | Iterable[str] | None = None,
    contact: str | Iterable[str] | None = None,
) -> Subscription:  # fmt: skip
    """Subscriptions with all that is named here."""
    words: dict[str, Any] = {}
    if channel is not None:
        words["channel"] = channel.name if isinstance(channel, Channel) else channel
    for key, values in (("resource", resource), ("status", status), ("provider", provider), ("contact", contact)):
        if values is not None:
            words[key] = _list(values)
    return Subscription(words)


def segment(name: str) -> Rule:
    """Who is in a saved segment."""
    return Rule({"segment": name})


def sample(first: Value, last: Value, salt: str | None = None) -> Rule:
    """A share of all profiles, from ``first`` to ``last`` percent; always the same for a ``salt``."""
    words: dict[str, Any] = {"from": first, "to": last}
    return Rule({"sample": words if salt is None else {**words, "salt": salt}})
