"""Stores and what is asked of them."""

from __future__ import annotations

import datetime
import decimal
import json
import os
import threading
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from . import _errors, _json, _library, _loading
from ._explanation import Explanation
from ._library import Memory, byref, encoded
from ._results import Answers, Count, LoadSummary
from .rules import Rule, RuleLike

if TYPE_CHECKING:
    import numpy
    import pyarrow
    import pyroaring


def open(path: str | os.PathLike[str]) -> Store:
    """Opens the store in a folder.

    Raises ``NotFound`` when there is none, ``DamagedStore`` when it cannot be read.
    """
    return Store(path)


def create(path: str | os.PathLike[str], schema: Mapping[str, Any] | str | None = None) -> Store:
    """Makes an empty store in a folder that is new or empty, and opens it.

    ``schema``: ``{"fields": [{"name": "country", "type": "string"}]}``, or such JSON. Types are string,
    integer, decimal (with a ``scale``), boolean, date, datetime and string_set.
    """
    store = Store.__new__(Store)
    handle = _Handle("close")
    text = _json.written(schema, "a schema") if isinstance(schema, Mapping) else schema
    own = None if text is None else encoded(text, "a schema")
    _library.call("create", _path(path), own, byref(handle.value))
    store._begin(path, handle)
    return store


def command(command: str, /, **arguments: Any) -> Answers:
    """Calls a command of the command line that needs no open store: ``command("catalog")``.

    Arguments are its options, with ``_`` for ``-``, and what stands by place by the name that help gives it.
    """
    return _command(None, command, arguments)


def _command(target: Any, name: str, arguments: Mapping[str, Any]) -> Answers:
    memory = Memory()
    text = _json.written(
        {key.rstrip("_"): _argument(value) for key, value in arguments.items() if value is not None}, "an argument"
    )
    _library.call("call", target, encoded(name, "a command"), encoded(text, "arguments"), byref(memory.address))
    # Numbers of rules keep their digits.
    number = decimal.Decimal if name == "rule" else float
    return Answers(json.loads(memory.text(), parse_float=number), _library.notes())


def _argument(value: Any) -> Any:
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    return _json.instant(value) if isinstance(value, datetime.datetime) else value


def _path(path: str | os.PathLike[str]) -> bytes:
    return encoded(os.fsdecode(os.fspath(path)), "a path")


def _rule(rule: RuleLike) -> bytes:
    if isinstance(rule, str):
        return encoded(rule, "a rule")
    if isinstance(rule, (Rule, Mapping)):
        return encoded(_json.written(rule, "a rule"), "a rule")
    raise _errors.Usage(f"a rule is text, a dict or a winnow.Rule, not {type(rule).__name__}")


def _options(as_of: Any, timezone: str | None, strict: bool, threads: int | None) -> bytes | None:
    options: dict[str, Any] = {}
    if as_of is not None:
        options["as_of"] = _json.instant(as_of)
    if timezone is not None:
        options["timezone"] = timezone
    if strict:
        options["strict"] = True
    if threads is not None:
        options["threads"] = threads
    return encoded(_json.written(options), "options") if options else None


class _Handle:
    """Something of the library's, ended once."""

    def __init__(self, end: str) -> None:
        self.value = _library.c_void_p()
        self._end = end
        self._lock = threading.Lock()

    def get(self) -> Any:
        if not self.value:
            raise _errors.Usage("this has been closed")
        return self.value

    def end(self) -> None:
        with self._lock:
            value, self.value = self.value, _library.c_void_p()
        if value:
            _library.call(self._end, value)

    def __del__(self) -> None:
        if getattr(self, "value", None):
            try:
                self.end()
            except _errors.Error:
                pass


class _Asked:
    """What a store and a snapshot are both asked."""

    def _snapshot(self) -> Snapshot:
        raise NotImplementedError

    def _target(self) -> Any:
        raise NotImplementedError

    def count(
        self, rule: RuleLike, *, as_of: str | datetime.datetime | None = None, timezone: str | None = None,
        strict: bool = False, threads: int | None = None,
    ) -> Count:  # fmt: skip
        """Counts a segment, exactly.

        ``as_of``: the instant of evaluation, by default now; a ``datetime`` needs a zone. ``timezone``: an IANA
        name for rules that have none. ``strict``: makes unknown campaigns and links errors, not warnings.
        ``threads``: how many to use at most.
        """
        return self.counts([rule], as_of=as_of, timezone=timezone, strict=strict, threads=threads)[0]

    def counts(
        self, rules: Iterable[RuleLike], *, as_of: str | datetime.datetime | None = None,
        timezone: str | None = None, strict: bool = False, threads: int | None = None,
    ) -> list[Count]:  # fmt: skip
        """Counts several segments as of the same instant, in one pass, which takes less than one by one."""
        texts = [_rule(rule) for rule in _several(rules)]
        if not texts:
            return []
        array = (_library.c_char_p * len(texts))(*texts)
        memory = Memory()
        options = _options(as_of, timezone, strict, threads)
        # Held until the call is over: the last to go ends it.
        snapshot = self._snapshot()
        handle = snapshot._handle.get()
        _library.call("count_many", handle, array, len(texts), options, byref(memory.address))
        return [Count(answer) for answer in json.loads(memory.text())]

    def prepare(
        self, rule: RuleLike, *, as_of: str | datetime.datetime | None = None, timezone: str | None = None,
        strict: bool = False, threads: int | None = None,
    ) -> Prepared:  # fmt: skip
        """Binds a rule to a version of the store and an instant, to be asked many times."""
        return Prepared(self._snapshot(), rule, _options(as_of, timezone, strict, threads))

    def ids(self, rule: RuleLike, **options: Any) -> pyarrow.LargeStringArray:
        """The ids of a segment's profiles in the order of their rows, without a copy. Needs pyarrow.

        Options are those of ``count``.
        """
        return self.prepare(rule, **options).ids()

    def rows(self, rule: RuleLike, **options: Any) -> numpy.ndarray[Any, numpy.dtype[numpy.uint32]]:
        """The row numbers of a segment's profiles: ``uint32``, ascending, shape ``(n,)``. Needs numpy.

        A profile keeps its row number for as long as the store lives.
        """
        return self.prepare(rule, **options).rows()

    def bitmap(self, rule: RuleLike, **options: Any) -> pyroaring.BitMap:
        """The row numbers as a bitmap of pyroaring."""
        return self.prepare(rule, **options).bitmap()

    def table(
        self, rule: RuleLike, fields: Sequence[str] | None = None, limit: int | None = None, **options: Any
    ) -> pyarrow.Table:
        """A segment's profiles as a pyarrow Table: ``id``, then ``fields``, by default all.

        Types are large_string, int64, decimal128(18, scale), bool, date32, timestamp[ms, UTC], and lists of
        large_string for sets. ``pyarrow.parquet.write_table``, ``.to_pandas()`` and ``polars.from_arrow`` go on
        from there.
        """
        return self.prepare(rule, **options).table(fields, limit)

    def reader(
        self, rule: RuleLike, fields: Sequence[str] | None = None, limit: int | None = None, **options: Any
    ) -> pyarrow.RecordBatchReader:
        """The same as a reader of record batches, which takes memory for a few thousand profiles at a time."""
        return self.prepare(rule, **options).reader(fields, limit)

    def explain(self, rule: RuleLike, **options: Any) -> Explanation:
        """Counts each part of a rule; a notebook shows it as a tree with bars.

        Options are those of ``winnow explain``.
        """
        return Explanation(self.call("explain", rule=_text(rule), **options)[0])

    def show(self, what: str, **options: Any) -> Answers:
        """All that the store has of the profiles that an id, e-mail address or ``FIELD:VALUE`` means."""
        return self.call("show", what=what, **options)

    def breakdown(self, rule: RuleLike, **options: Any) -> Answers:
        """Who is in a segment by fields (``by=["country"]``), or what they did by time; see ``winnow breakdown``."""
        return self.call("breakdown", rule=_text(rule), **options)

    def overlap(self, rules: Iterable[RuleLike], **options: Any) -> Answers:
        """How 2 to 64 segments share their profiles."""
        return self.call("overlap", rules=[_text(rule) for rule in _several(rules)], **options)

    def export(self, rule: RuleLike, **options: Any) -> Answers:
        """Writes a segment's profiles to a file, ``output=…``, or answers them; see ``winnow export``."""
        return self.call("export", rule=_text(rule), **options)

    def info(self, **options: Any) -> Answers:
        """What the store holds."""
        return self.call("info", **options)

    def call(self, command: str, /, **arguments: Any) -> Answers:
        """Calls any command of the command line on this: ``call("segment save", name="fans", rule="…")``.

        Arguments are its options, with ``_`` for ``-``, and what stands by place by the name that help gives it.
        Answers are what ``--format json`` prints. Commands that write go to the newest version.
        """
        return _command(self._target(), command, arguments)


def _text(rule: RuleLike) -> Any:
    return rule.to_rule() if isinstance(rule, Rule) else rule


def _several(rules: Iterable[RuleLike]) -> list[RuleLike]:
    if isinstance(rules, (str, Mapping, Rule)):
        raise _errors.Usage("several rules are a list; for one there is count")
    return list(rules)


class Store(_Asked):
    """A store: where it is. What is asked of it is asked of its newest version.

    It can be pickled, and is opened anew where it arrives.
    """

    path: str
    """The folder."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        handle = _Handle("close")
        _library.call("open", _path(path), byref(handle.value))
        self._begin(path, handle)

    def _begin(self, path: str | os.PathLike[str], handle: _Handle) -> None:
        self.path = os.path.abspath(os.fsdecode(os.fspath(path)))
        self._handle = handle

    def snapshot(self) -> Snapshot:
        """The version that is current now; it does not change, whatever is loaded."""
        handle = _Handle("release")
        _library.call("snapshot", self._handle.get(), byref(handle.value))
        return Snapshot(self, handle)

    def _snapshot(self) -> Snapshot:
        return self.snapshot()

    def _target(self) -> Any:
        return self._handle.get()

    def load(self, kind: str, data: Any, *, batch: str | None = None, **options: Any) -> LoadSummary:
        """Loads rows as one batch: all of it becomes visible at once and durably, or nothing does.

        ``kind``: profiles, events, campaigns, templates, subscriptions, goals, or feed with ``map=``.

        ``data``: a file (CSV, NDJSON, ``.zst``, ``.gz``, Parquet) or several; a pyarrow table or reader, a Polars or
        pandas frame, which are read where they are; rows as dicts; or text as ``bytes``, with ``format="csv"`` or
        ``"ndjson"``. In tables nulls say nothing; with ``empty="clear"`` they take the stored value away. Text
        means what it means in CSV.

        ``batch``: an id under which the batch is remembered: loading the same again does nothing.

        Other options are those of ``winnow load``, such as ``unknown_profiles="create"``.

        What a reader raises while it is read ends the load, with nothing stored. A Ctrl-C is noticed when the call
        returns; who may have to load again gives a ``batch``. Attributes of campaigns come from NDJSON or dicts alone.
        """
        own = _loading.made(data)
        if batch is not None:
            options["batch"] = batch
        if own.files is not None:
            options["files"] = own.files
        if own.format is not None:
            options["format"] = own.format
        if own.text is not None and options.get("format") is None:
            raise _errors.Usage('say what the text is: format="csv" or "ndjson"')
        memory = Memory()
        given = {key: _argument(value) for key, value in options.items() if value is not None}
        text = encoded(_json.written(given, "an option"), "options")
        what = encoded(kind, "a kind")
        address = own.address()
        if address is not None:
            try:
                _library.call("load_arrow", self._handle.get(), what, address, text, byref(memory.address))
            except _errors.Error:
                # What the source raised says more.
                if own.failures:
                    raise own.failures[0] from None
                raise
        else:
            size = len(own.text or b"")
            _library.call("load", self._handle.get(), what, own.text, size, text, byref(memory.address))
        return LoadSummary(json.loads(memory.text()), _library.notes())

    def close(self) -> None:
        """Ends it; snapshots go on."""
        self._handle.end()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __reduce__(self) -> tuple[Any, ...]:
        return Store, (self.path,)

    def __repr__(self) -> str:
        return f"winnow.open({self.path!r})"


class Snapshot(_Asked):
    """One version of a store."""

    def __init__(self, store: Store, handle: _Handle) -> None:
        self._store = store
        self._handle = handle

    def _snapshot(self) -> Snapshot:
        return self

    def _target(self) -> Any:
        return self._handle.get()

    @property
    def store(self) -> Store:
        """The store that it is of."""
        return self._store

    def close(self) -> None:
        """Lets the version go, whose files may be removed then."""
        self._handle.end()

    def __enter__(self) -> Snapshot:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __reduce__(self) -> tuple[Any, ...]:
        raise TypeError("a snapshot cannot be pickled; pickle its store, and take a snapshot there")

    def __repr__(self) -> str:
        return f"{self._store!r}.snapshot()"


class Prepared:
    """A segment bound to a version of a store and an instant."""

    def __init__(self, snapshot: Snapshot, rule: RuleLike, options: bytes | None) -> None:
        self._handle = _Handle("finish")
        _library.call("prepare", snapshot._handle.get(), _rule(rule), options, byref(self._handle.value))

    def count(self) -> int:
        """How many profiles, exactly; some 2 µs above what the engine takes."""
        count = _library.c_uint64()
        _library.call("count", self._handle.get(), byref(count))
        return count.value

    def ids(self) -> pyarrow.LargeStringArray:
        """See ``Snapshot.ids``."""
        try:
            import pyarrow
        except ImportError as error:
            raise _errors.needed("pyarrow", "ids", error) from error
        count, offsets, text = _library.c_size_t(), Memory(), Memory()
        _library.call("ids", self._handle.get(), byref(count), byref(offsets.address), byref(text.address))
        ends = offsets.bytes(8 * (count.value + 1))
        size = int.from_bytes(ends[-8:], "little")
        buffers = [pyarrow.py_buffer(ends), pyarrow.py_buffer(text.bytes(size))]
        return pyarrow.LargeStringArray.from_buffers(count.value, *buffers)

    def rows(self) -> numpy.ndarray[Any, numpy.dtype[numpy.uint32]]:
        """See ``Snapshot.rows``."""
        try:
            import numpy
        except ImportError as error:
            raise _errors.needed("numpy", "row numbers", error) from error
        count, rows = _library.c_size_t(), Memory()
        _library.call("rows", self._handle.get(), byref(count), byref(rows.address))
        return numpy.frombuffer(rows.bytes(4 * count.value), dtype=numpy.uint32)

    def bitmap(self) -> pyroaring.BitMap:
        """See ``Snapshot.bitmap``."""
        try:
            import pyroaring
        except ImportError as error:
            raise _errors.needed("pyroaring", "a bitmap", error) from error
        size, memory = _library.c_size_t(), Memory()
        _library.call("bitmap", self._handle.get(), byref(size), byref(memory.address))
        return pyroaring.BitMap.deserialize(bytes(memory.bytes(size.value)))

    def reader(self, fields: Sequence[str] | None = None, limit: int | None = None) -> pyarrow.RecordBatchReader:
        """See ``Snapshot.reader``."""
        try:
            import pyarrow
        except ImportError as error:
            raise _errors.needed("pyarrow", "a table", error) from error
        if isinstance(fields, str):
            raise _errors.Usage("fields are a list of names")
        given = {"fields": None if fields is None else list(fields), "limit": limit}
        options = {key: value for key, value in given.items() if value is not None}
        stream = _library.ArrowArrayStream()
        text = encoded(_json.written(options, "an option"), "options")
        _library.call("export_arrow", self._handle.get(), text, byref(stream))
        return pyarrow.RecordBatchReader._import_from_c(_library.addressof(stream))

    def table(self, fields: Sequence[str] | None = None, limit: int | None = None) -> pyarrow.Table:
        """See ``Snapshot.table``."""
        return self.reader(fields, limit).read_all()

    def close(self) -> None:
        """Ends it."""
        self._handle.end()

    def __enter__(self) -> Prepared:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
