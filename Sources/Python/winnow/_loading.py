"""What can be loaded, in the form that the library takes."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterable, Mapping
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

    def address(self) -> int | None:
        """Where the stream is."""
        if self.stream is None:
            return None
        if isinstance(self.stream, ArrowArrayStream):
            return ctypes.addressof(self.stream)
        return int(_capsule_pointer(self.stream, b"arrow_array_stream"))


def made(data: Any) -> Input:
    """What somebody hands over, as the library takes it."""
    own = Input()
    if isinstance(data, (str, os.PathLike)):
        path = os.fspath(data)
        if isinstance(path, bytes):
            path = os.fsdecode(path)
        if path.endswith((".parquet", ".parq")):
            own.stream = _capsule(_parquet([path]))
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
    if hasattr(data, "__arrow_c_stream__"):
        own.stream = data.__arrow_c_stream__()
        return own
    if hasattr(data, "_export_to_c") and hasattr(data, "schema"):
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
        if all(path.endswith((".parquet", ".parq")) for path in paths):
            own.stream = _capsule(_parquet(paths))
        else:
            own.files = paths
    elif all(isinstance(value, Mapping) for value in values):
        own.text = "".join(_json.written(value, "a row") + "\n" for value in values).encode()
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


def _parquet(paths: list[str]) -> Any:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise _errors.needed("pyarrow", "loading Parquet", error) from error
    try:
        files = [pyarrow.parquet.ParquetFile(path) for path in paths]
    except FileNotFoundError as error:
        raise _errors.NotFound(f"there is no file {error.filename or paths}", "not_found") from error
    except (pyarrow.ArrowInvalid, OSError) as error:
        raise _errors.BadData(f"{', '.join(paths)}: {error}", "bad_value") from error
    schema = files[0].schema_arrow
    for path, file in zip(paths, files):
        if file.schema_arrow != schema:
            raise _errors.BadData(f"{path} has other columns than {paths[0]}; load them one by one", "bad_value")
    batches = (batch for file in files for batch in file.iter_batches(batch_size=1 << 16))
    return pyarrow.RecordBatchReader.from_batches(schema, batches)


def _pandas(frame: Any) -> Any:
    try:
        import pyarrow
    except ImportError as error:
        raise _errors.needed("pyarrow", "loading what pandas has", error) from error
    try:
        return pyarrow.Table.from_pandas(frame, preserve_index=False)
    except pyarrow.ArrowException as error:
        raise _errors.BadData(f"a column of the data frame has values of several types: {error}", "bad_value") from error
