"""Values as bytes: what a call is given and what it returns. Never pickle, never evaluated.

A value is one letter and what follows it:

    N T F            None, True, False
    i DIGITS ;       a whole number, hexadecimal
    f 8 BYTES        a number (nan and infinities too)
    c 16 BYTES       a complex number
    s b COUNT ; ...  text as UTF-8, bytes
    l t S z COUNT ;  list, tuple, set, frozenset, then its items; d: dict, then key, value, key, value ...
    I R COUNT ; ...  a list of 64-bit whole numbers, of numbers, packed;  J Q: a tuple of them
    a ... ...        a numpy array: its kind as text, its shape as a tuple, its bytes
    o ... ...        an object of another class: the class's name, and how it prints, as text
    r PLACE ;        an object in a table of objects (`objects.py`)

Reading is strict and bounded: the answers of a candidate are hostile.
"""

from __future__ import annotations

import sys
from struct import error as _StructError
from struct import pack, unpack

TYPE_CHECKING = False  # as typing has it, without the time that importing typing takes at every start
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

#: Containers in containers: deeper ones, and those that hold themselves, have no encoding.
DEEPEST = 200
#: Characters that are kept of how an object of another class prints.
LONGEST_OBJECT = 500
_PACK_FROM = 8


class BadValue(ValueError):
    """A value that has no encoding, or bytes that are none."""


class Opaque:
    """An object of a class that has no encoding. It equals nothing: a test cannot pass with it.

    Args:
        kind: The name of its class.
        shown: How it prints, cut.
    """

    def __init__(self, kind: str, shown: str) -> None:
        self.kind, self.shown = kind, shown

    def __eq__(self, other: object) -> bool:
        return False

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return self.shown


class Ref:
    """Stands for an object in a table.

    Args:
        place: Where it is there.
    """

    def __init__(self, place: int) -> None:
        self.place = place


def encode(value: object) -> bytes:
    """Write a value as bytes.

    Objects of derived classes are written as what they derive from: a Counter as a dict, numpy's numbers as numbers.
    Any other object is written as the name of its class and how it prints.

    Raises:
        BadValue: It is nested too deeply, holds itself, or holds an `Opaque`.
    """
    pieces: list[bytes] = []
    _encode(value, pieces.append, DEEPEST)
    return b"".join(pieces)


def _encode(value: Any, write: Callable[[bytes], object], depth: int) -> None:
    kind = type(value)  # not what the value says of itself: it may lie
    if value is None:
        write(b"N")
    elif value is True:
        write(b"T")
    elif value is False:
        write(b"F")
    elif issubclass(kind, int):
        write(b"i%x;" % int.__add__(value, 0))
    elif issubclass(kind, float):
        write(b"f" + pack("<d", value))
    elif issubclass(kind, complex):
        write(b"c" + pack("<dd", value.real, value.imag))
    elif issubclass(kind, str):
        text = str.encode(value, "utf-8", "surrogatepass")
        write(b"s%d;" % len(text) + text)
    elif issubclass(kind, bytes | bytearray):
        write(b"b%d;" % len(value) + bytes(value))
    elif issubclass(kind, list | tuple | set | frozenset | dict):
        if depth == 0:
            raise BadValue(f"nested more than {DEEPEST} deep, or it holds itself")
        _encode_container(value, write, depth - 1)
    elif kind is Ref:
        write(b"r%d;" % value.place)
    elif kind is Opaque:
        raise BadValue(f"it holds an object of the class {value.kind}")
    elif "numpy" in sys.modules and kind.__module__ == "numpy" and hasattr(value, "tobytes"):
        _encode_array(value, write, depth)
    else:
        try:
            shown = repr(value)[:LONGEST_OBJECT]
        except Exception as error:
            shown = f"<{kind.__name__}: its repr raises {type(error).__name__}>"
        write(b"o")
        _encode(kind.__name__, write, depth)
        _encode(shown, write, depth)


def _encode_container(value: Any, write: Callable[[bytes], object], depth: int) -> None:
    kind = type(value)
    if issubclass(kind, dict):
        write(b"d%d;" % len(value))
        for key, item in dict.items(value):
            _encode(key, write, depth)
            _encode(item, write, depth)
        return
    if issubclass(kind, list | tuple) and len(value) >= _PACK_FROM:
        kinds = set(map(type, value))
        packed = b""
        if kinds == {float} or kinds == {int}:
            try:
                packed = pack(f"<{len(value)}{'q' if kinds == {int} else 'd'}", *value)
            except _StructError:  # a whole number of more than 64 bits
                packed = b""
        if packed:
            letters = "IR" if issubclass(kind, list) else "JQ"
            write(letters[kinds == {float}].encode() + b"%d;" % (len(packed) // 8) + packed)
            return
    letter = b"l" if issubclass(kind, list) else b"t" if issubclass(kind, tuple) else b"z"
    write((b"S" if issubclass(kind, set) else letter) + b"%d;" % len(value))
    for item in value:
        _encode(item, write, depth)


def _encode_array(value: Any, write: Callable[[bytes], object], depth: int) -> None:
    """Write numpy's arrays as their bytes and numpy's numbers as numbers."""
    if not isinstance(value, sys.modules["numpy"].ndarray):
        _encode(value.item(), write, depth)
        return
    if value.dtype.kind not in "biufcSU":
        _encode(value.tolist(), write, depth)
        return
    write(b"a")
    _encode(value.dtype.str, write, depth)
    _encode(tuple(value.shape), write, depth)
    _encode(value.tobytes(), write, depth)


def decode(data: bytes) -> object:
    """Read a value; arrays need numpy, and are read as lists without it.

    Raises:
        BadValue: These bytes are no value, or more than one.
    """
    try:
        value, end = _decode(data, 0, DEEPEST + 1)
    except (IndexError, ValueError, TypeError, MemoryError, ArithmeticError, _StructError) as error:
        raise BadValue(f"not a value: {str(error)[:80]}") from None
    if end != len(data):
        raise BadValue("not a value: something follows it")
    return value


def _decode(data: bytes, at: int, depth: int) -> tuple[object, int]:
    letter = data[at : at + 1]
    at += 1
    if letter in (b"N", b"T", b"F"):
        return {b"N": None, b"T": True, b"F": False}[letter], at
    if letter == b"f":
        return unpack("<d", data[at : at + 8])[0], at + 8
    if letter == b"c":
        return complex(*unpack("<dd", data[at : at + 16])), at + 16
    if letter == b"a":
        return _decode_array(data, at)
    if letter == b"o":
        kind, at = _decode(data, at, 0)
        shown, at = _decode(data, at, 0)
        if type(kind) is not str or type(shown) is not str:
            raise BadValue("an object without a name")
        return Opaque(kind[:80], shown[:LONGEST_OBJECT]), at
    if not letter or letter not in b"isbltSzdIRJQr":
        raise BadValue(f"unknown letter {letter!r}")
    end = data.index(b";", at)
    if letter == b"i":
        return int(data[at:end], 16), end + 1
    if end - at > 12 or not data[at:end].isdigit():
        raise BadValue("a bad count")
    count, at = int(data[at:end]), end + 1
    if letter == b"r":
        return Ref(count), at
    if letter in b"sbIRJQ":
        return _decode_run(letter, count, data, at)
    if count > len(data) - at:
        raise BadValue("a count beyond the end")
    if depth == 0:
        raise BadValue("nested too deeply")
    items = []
    for _ in range(2 * count if letter == b"d" else count):
        item, at = _decode(data, at, depth - 1)
        items.append(item)
    if letter in b"Szd":
        _check_hashes(items[::2] if letter == b"d" else items)
    if letter == b"d":
        return dict(zip(items[::2], items[1::2], strict=True)), at
    return {b"l": list, b"t": tuple, b"S": set, b"z": frozenset}[letter](items), at


def _check_hashes(keys: list[object]) -> None:
    """Refuse keys that were made to have equal hashes: a set of them takes hours to build."""
    if len(keys) > 64 and len(set(map(hash, keys))) < len(keys) / 4:
        raise BadValue("keys of equal hashes")


def _decode_run(letter: bytes, count: int, data: bytes, at: int) -> tuple[object, int]:
    """Read so many bytes, or so many packed numbers."""
    end = at + count * (1 if letter in b"sb" else 8)
    if end > len(data):
        raise BadValue("a count beyond the end")
    raw = data[at:end]
    if letter == b"s":
        return raw.decode("utf-8", "surrogatepass"), end
    if letter == b"b":
        return raw, end
    packed = unpack(f"<{count}{'q' if letter in b'IJ' else 'd'}", raw)
    return list(packed) if letter in b"IR" else packed, end


def _decode_array(data: bytes, at: int) -> tuple[object, int]:
    kind, at = _decode(data, at, 0)
    shape, at = _decode(data, at, 1)
    raw, at = _decode(data, at, 0)
    if type(kind) is not str or type(shape) is not tuple or type(raw) is not bytes:
        raise BadValue("a bad array")
    plain = kind[1:2] in tuple("biufcSU") and kind[2:].isdigit()
    if not plain or not all(type(size) is int and size >= 0 for size in shape):
        raise BadValue("a bad array")
    import numpy

    return numpy.frombuffer(raw, numpy.dtype(kind)).reshape(shape).copy(), at
