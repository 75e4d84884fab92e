"""What can be loaded, in the form that the library takes."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Union

from . import _errors, _json
from ._library import ArrowArrayStream

Data = Union[str, "os.PathLike[str]", bytes, bytearray, memoryview, Iterable[Any]]
"""Names of files, text in memory, tables, or rows as ``dict``."""

_capsule_pointer = ctypes.pythonapi.PyCapsule_GetPointer
_capsule_pointer.restype = ctypes.c_void_p
_capsule_pointer.argtypes = [ctypes.py_object, ctypes.c_char_p]


class Input:
    """One of: files for the options, text, or a stream of Arrow."""

    files: list[str] | None = None
    text: bytes | None = None
    format: str | None = None
    stream: Any = None
    """What keeps the stream until it is taken over."""
    failures: list[BaseException]
    """What a source in Python raised while it was read."""

    def __init__(self) -> None:
        self.failures = []

    def address(self) -> int | None:
        """Where the stream is."""
        if self.stream is None:
            return None
        if isinstance(self.stream, ArrowArrayStream):
            return ctypes.addressof(self.stream)
        try:
            return int(_capsule_pointer(self.stream, b"arrow_array_stream"))
        except ValueError as error:
            raise _errors.Usage(f"__arrow_c_stream__ gave {type(self.stream).__name__}, which is no stream") from error


def made(data: Any) -> Input:
    """What somebody hands over, as the library takes it."""
    own = Input()
    if isinstance(data, (str, os.PathLike)):
        path = os.fspath(data)
        if isinstance(path, bytes):
            path = os.fsdecode(path)
        if _is_parquet(path):
            own.stream = _capsule(_parquet([path], own.failures))
        else:
            own.files = [path]
        return own
    if isinstance(data, (bytes, bytearray, memoryview)):
        own.text = bytes(data)
        return own
    if hasattr(data, "__dataframe__") and type(data).__module__.partition(".")[0] == "pandas":
        own.stream = _capsule(_pandas(data))
        return own
    if hasattr(data, "collect") and type(data).__module__.partition(".")[0] == "polars":
        data = data.collect()
    if hasattr(data, "read_next_batch"):
        own.stream = _capsule(_checked(data, own.failures))
        return own
    if hasattr(data, "__arrow_c_stream__") or hasattr(data, "_export_to_c") and hasattr(data, "schema"):
        own.stream = _capsule(data)
        return own
    if isinstance(data, Mapping) or not isinstance(data, Iterable):
        raise _errors.Usage(
            f"cannot load {type(data).__name__}: name a file, or hand over bytes, a pyarrow, Polars or pandas table, "
            "a reader of record batches, or a list of dicts"
        )
    values = list(data)
    if values and all(isinstance(value, (str, os.PathLike)) for value in values):
        paths = [os.fspath(value) for value in values]
        parquet = [path for path in paths if _is_parquet(path)]
        if parquet and len(parquet) < len(paths):
            raise _errors.Usage("files of one load are all Parquet, or none is")
        if parquet:
            own.stream = _capsule(_parquet(paths, own.failures))
        else:
            own.files = paths
    elif all(isinstance(value, Mapping) for value in values):
        own.text = _json.rows(values)
        own.format = "ndjson"
    else:
        raise _errors.Usage("what is loaded are names of files, or rows as dicts; not some of each, or others")
    return own


def _capsule(table: Any) -> Any:
    if hasattr(table, "__arrow_c_stream__"):
        return table.__arrow_c_stream__()
    # pyarrow before 15.
    stream = ArrowArrayStream()
    (table.to_reader() if hasattr(table, "to_reader") else table)._export_to_c(ctypes.addressof(stream))
    return stream


def _is_parquet(path: str) -> bool:
    return path.lower().endswith((".parquet", ".parq"))


def _checked(reader: Any, failures: list[BaseException]) -> Any:
    """The same batches, each of the types that the reader promises: the library cannot see that."""
    import pyarrow

    def batches() -> Iterator[Any]:
        try:
            for batch in reader:
                if not batch.schema.equals(reader.schema):
                    raise _errors.BadData(
                        f"a batch has the columns {', '.join(map(str, batch.schema))}; the reader promised "
                        f"{', '.join(map(str, reader.schema))}", "bad_value")  # fmt: skip
                yield batch
        except BaseException as error:
            # The library hears no more than that it failed.
            failures.append(error)
            raise

    return pyarrow.RecordBatchReader.from_batches(reader.schema, batches())


def _parquet(paths: list[str], failures: list[BaseException]) -> Any:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise _errors.needed("pyarrow", "loading Parquet", error) from error

    def bad(path: str, error: Exception) -> _errors.Error:
        if isinstance(error, FileNotFoundError):
            return _errors.NotFound(f"{path}: no such file", "not_found", path)
        return _errors.BadData(f"{path}: {error}", "bad_value", path)

    files = []
    for path in paths:
        try:
            files.append(pyarrow.parquet.ParquetFile(path))
        except (pyarrow.ArrowException, OSError) as error:
            raise bad(path, error) from error
    schema = files[0].schema_arrow
    for path, file in zip(paths, files):
        if not file.schema_arrow.equals(schema):
            raise _errors.BadData(f"{path} has other columns than {paths[0]}; load them one by one", "bad_value", path)

    def batches() -> Iterator[Any]:
        for path, file in zip(paths, files):
            try:
                yield from file.iter_batches(batch_size=1 << 16)
            except (pyarrow.ArrowException, OSError) as error:
                failures.append(bad(path, error))
                raise

    return pyarrow.RecordBatchReader.from_batches(schema, batches())


def _pandas(frame: Any) -> Any:
    try:
        import pyarrow
    except ImportError as error:
        raise _errors.needed("pyarrow", "loading what pandas has", error) from error
    # An index with a name is a column, too.
    names = [name for name in frame.index.names if name is not None]
    try:
        return pyarrow.Table.from_pandas(frame, preserve_index=bool(names))
    except (pyarrow.ArrowException, ValueError, TypeError) as error:
        raise _errors.BadData(f"the data frame cannot be read as a table: {error}", "bad_value") from error
