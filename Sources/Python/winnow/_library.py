"""The functions of winnow.h."""

from __future__ import annotations

import ctypes
import os
from ctypes import POINTER, addressof, byref, c_char_p, c_int, c_int64, c_size_t, c_uint8, c_uint32, c_uint64, c_void_p
from pathlib import Path
from typing import Any

from . import _errors


def _load() -> ctypes.CDLL:
    # Beside this file in a wheel; what a developer names comes first, what the system has last.
    own = Path(__file__).with_name("libwinnow.so.0")
    path = os.environ.get("WINNOW_LIBRARY") or (str(own) if own.exists() else "libwinnow.so.0")
    try:
        return ctypes.CDLL(path)
    except OSError as error:
        raise ImportError(
            f"the library of winnow cannot be loaded ({error}); tools/install or the wheel has it"
        ) from error


class ArrowArrayStream(ctypes.Structure):
    """Room for a stream of Arrow's C interface."""

    _fields_ = [("members", c_void_p * 5)]


_library = _load()
_text_out = POINTER(c_void_p)
_SIGNATURES: dict[str, list[Any]] = {
    "open": [c_char_p, POINTER(c_void_p)],
    "create": [c_char_p, c_char_p, POINTER(c_void_p)],
    "close": [c_void_p],
    "snapshot": [c_void_p, POINTER(c_void_p)],
    "release": [c_void_p],
    "prepare": [c_void_p, c_char_p, c_char_p, POINTER(c_void_p)],
    "finish": [c_void_p],
    "count": [c_void_p, POINTER(c_uint64)],
    "count_many": [c_void_p, POINTER(c_char_p), c_size_t, c_char_p, _text_out],
    "ids": [c_void_p, POINTER(c_size_t), _text_out, _text_out],
    "rows": [c_void_p, POINTER(c_size_t), _text_out],
    "bitmap": [c_void_p, POINTER(c_size_t), _text_out],
    "load": [c_void_p, c_char_p, c_char_p, c_size_t, c_char_p, _text_out],
    "load_arrow": [c_void_p, c_char_p, c_void_p, c_char_p, _text_out],
    "export_arrow": [c_void_p, c_char_p, POINTER(ArrowArrayStream)],
    "call": [c_void_p, c_char_p, c_char_p, _text_out],
}
for _name, _arguments in _SIGNATURES.items():
    _function = getattr(_library, "winnow_" + _name)
    _function.argtypes = _arguments
    _function.restype = c_int
_library.winnow_free.argtypes = [c_void_p]
_library.winnow_free.restype = None
for _name in ("version", "last_error", "last_notes"):
    getattr(_library, "winnow_" + _name).restype = c_char_p


def version() -> str:
    """The version of the engine."""
    return str(_library.winnow_version().decode())


def call(name: str, *arguments: Any) -> None:
    """Calls a function of the library. Raises what it says of an error."""
    if getattr(_library, "winnow_" + name)(*arguments):
        text = _library.winnow_last_error()
        raise _errors.made(text.decode()) if text else _errors.Error(f"winnow_{name} failed")


def notes() -> list[str]:
    """What the last call of this thread told beside its answer."""
    text = _library.winnow_last_notes()
    return text.decode().split("\n") if text else []


def encoded(text: str, what: str) -> bytes:
    """A text for C, which has none with NUL in it."""
    if not isinstance(text, str):
        raise _errors.Usage(f"{what} is a str, not {type(text).__name__}")
    if "\0" in text:
        raise _errors.Usage(f"{what} has a NUL character in it")
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise _errors.Usage(f"{what} is no Unicode text: {error}") from error


class Memory:
    """Bytes that the library has handed out. They are freed with the last object that looks at them."""

    def __init__(self) -> None:
        self.address = c_void_p()

    def bytes(self, count: int) -> memoryview:
        """A look at the first bytes, which keeps the memory."""
        array = (c_uint8 * count).from_address(self.address.value or 0)
        array._winnow_memory = self  # type: ignore[attr-defined]
        return memoryview(array).cast("B")

    def text(self) -> str:
        """The text that ends with NUL."""
        return ctypes.string_at(self.address).decode()

    def __del__(self) -> None:
        if self.address:
            _library.winnow_free(self.address)


__all__ = [
    "ArrowArrayStream", "Memory", "addressof", "byref", "c_char_p", "c_int64", "c_size_t", "c_uint32", "c_uint64", "c_void_p",
    "call", "encoded", "notes", "version",
]  # fmt: skip
