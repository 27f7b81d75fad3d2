"""Fingerprint: everything that changes what a loss or an engine gives, as a text.

Settings are written down by content. A function is followed through everything that it reads: closures, globals, helper
functions and classes. The class of a loss is followed through the code that it uses, but not through globals that hold
data: its settings are its attributes. What is installed counts by name and version, the user's own by content.

What the code itself changes is its state, not a setting, and does not count: a name that it assigns (`global calls`,
`self.calls += 1`), or changes in place (`seen[value] = 1`, `self.log.append(value)`). A loss that counts its calls is
the same loss before and after.
"""

from __future__ import annotations

import contextlib
import dis
import importlib.util
import inspect
import pickle
import sys
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, fields, is_dataclass
from enum import Enum
from functools import cache, lru_cache, partial, wraps
from hashlib import sha256
from pathlib import Path, PurePath
from tokenize import TokenError
from types import BuiltinFunctionType, CellType, CodeType, FunctionType, MethodType, ModuleType, SimpleNamespace
from typing import Any, TypeVar

R = TypeVar("R")

#: Values whose `repr` says all.
_WRITTEN_OUT = {"array", "builtins", "datetime", "decimal", "fractions", "ipaddress", "re", "uuid", "zoneinfo"}

#: Modules whose objects change whenever they are used.
_RANDOM = ("random", "numpy.random")

#: Methods that change what they are called on.
_CHANGING = {
    *("add", "append", "appendleft", "clear", "difference_update", "discard", "extend", "extendleft", "fill", "insert"),
    *("intersection_update", "move_to_end", "pop", "popitem", "popleft", "put", "put_nowait", "remove", "reverse"),
    *("rotate", "setdefault", "sort", "subtract", "symmetric_difference_update", "update", "write", "writelines"),
}

#: Methods that run before anything is measured: what they assign is a setting.
_MAKING = {"__init__", "__new__", "__post_init__", "__init_subclass__", "__setstate__"}

_DEEPEST = 60


class _Walk:
    """One fingerprint under way."""

    def __init__(self) -> None:
        #: What is being written down: an object may hold itself.
        self.open: set[tuple[object, ...]] = set()
        #: What was written down, with the object, so that its id stays its own.
        self.known: dict[tuple[object, ...], tuple[object, Any]] = {}
        #: Names that the code met so far assigns or changes in place.
        self.state: set[str] = set()
        #: True within the class of a loss: of what it reads from outside only code counts.
        self.code_only = False
        self._read: set[object] = set()
        #: Attributes that this code uses, methods among them; a search begins with these two.
        self._used = {"evaluate", "validate"}
        #: Methods of the classes met so far, by name, that none of this code is known to call.
        self._uncalled: list[tuple[str, FunctionType]] = []

    def note_state(self, found: object) -> None:
        """Learn what a function or an object changes when it is used, by way of all that it uses in turn."""
        waiting = [found]
        while waiting:
            found = waiting.pop()
            if isinstance(found, MethodType):
                waiting += [found.__func__, type(found.__self__)]
            elif isinstance(found, partial):
                waiting.append(found.func)
            elif isinstance(found, FunctionType):
                if found.__code__ not in self._read and installed(found.__module__) is None:
                    self._read.add(found.__code__)
                    self.state |= _facts(found.__code__).changes
                    self._used |= _facts(found.__code__).names
                    waiting += [value for _, value in _reads(found)]
            elif isinstance(found, type):
                if found not in self._read and installed(found.__module__) is None:
                    self._read.add(found)
                    methods = ((name, _plain(member)) for name, member in vars(found).items())
                    self._uncalled += [(name, m) for name, m in methods if isinstance(m, FunctionType)]
                    waiting += found.__bases__
            elif hasattr(found, "__dict__") and not isinstance(found, ModuleType):
                waiting.append(getattr(found, "__wrapped__", type(found)))
            if not waiting:
                called = [self._calls(name) for name, _ in self._uncalled]
                waiting = [method for (_, method), now in zip(self._uncalled, called, strict=True) if now]
                self._uncalled = [each for each, now in zip(self._uncalled, called, strict=True) if not now]

    def _calls(self, name: str) -> bool:
        return name in self._used or (name.startswith("__") and name not in _MAKING)


_walk: ContextVar[_Walk | None] = ContextVar("_walk", default=None)


def _walking(write: Callable[[Any], R]) -> Callable[[Any], R]:
    """Let `write` go on with the fingerprint under way, else begin one. Each object is written once."""

    @wraps(write)
    def wrapped(value: Any) -> Any:
        walk = _walk.get() or _Walk()
        token = _walk.set(walk)
        key = (id(value), write, walk.code_only)
        try:
            if key in walk.open:
                return "itself"
            if key not in walk.known:
                if len(walk.open) > _DEEPEST:
                    return f"{type(value).__qualname__}, too deep to be followed"
                walk.open.add(key)
                walk.known[key] = (value, write(value))
                walk.open.discard(key)
            return walk.known[key][1]
        finally:
            _walk.reset(token)

    return wrapped


def setting_of(value: object) -> object:
    """A setting as it enters a fingerprint; None where it is nothing that can be written down."""
    if isinstance(value, Enum):
        return f"{type(value).__qualname__}.{value.name} {value.value!r}"
    if value is None or isinstance(value, str | int | float | bool | bytes):
        return repr(value)
    return _compound(value)


@_walking
def _compound(value: object) -> object:
    if isinstance(value, PurePath):
        return repr(str(value))
    if isinstance(value, type):
        return _class(value)
    for stated in ("fingerprint", "identity"):  # a loss's, and an engine's: who answers, not how often it was asked
        if isinstance(text := getattr(value, stated, None), str):
            return text
    if isinstance(value, Mapping):
        return {str(k): setting_of(v) for k, v in value.items()}
    if isinstance(value, list | tuple | deque):
        return [setting_of(v) for v in value]
    if isinstance(value, set | frozenset):
        return sorted(str(setting_of(v)) for v in value)
    if isinstance(value, ModuleType):
        return installed(value.__name__) or _source_of_module(value.__name__)
    if is_dataclass(value):
        _known_state(value)
        held = {f.name: setting_of(getattr(value, f.name, None)) for f in fields(value) if not _is_state(f.name)}
        return [setting_of(type(value)), held]
    if hasattr(value, "detach") and hasattr(value, "cpu"):  # a tensor of PyTorch
        return _array(value.detach().cpu().numpy())
    if hasattr(value, "dtype") and hasattr(value, "tobytes"):
        return _array(value)
    if callable(value):
        return digest(str(_function(value)))
    if hasattr(value, "to_csv"):  # a table of pandas
        return sha256(str(value.to_csv()).encode()).hexdigest()
    if type(value).__module__ in _WRITTEN_OUT and " at 0x" not in repr(value):
        return repr(value)
    if isinstance(value, memoryview):
        return [value.format, list(value.shape or ()), sha256(value.tobytes()).hexdigest()]
    if isinstance(value, SimpleNamespace) or hasattr(value, "get_params"):  # a fitted model of scikit-learn
        return [type(value).__qualname__, setting_of(vars(value))]
    return _instance(value) if installed(type(value).__module__) is None else _pickled(value)


@_walking
def function_identity(function: object) -> str:
    """What a function computes: its code, and everything that the code reads."""
    return str(_function(function))


@_walking
def described(instance: object) -> str:
    """An object by its class and its public attributes that can be written down."""
    _known_state(instance)
    held = {k: setting_of(v) for k, v in sorted(vars(instance).items()) if not k.startswith("_") and not _is_state(k)}
    with _only_code():
        name = _class(type(instance))
    return f"{name}{ {k: v for k, v in held.items() if v is not None} }"


def digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:16]


@contextlib.contextmanager
def _only_code() -> Iterator[None]:
    walk = _walk.get() or _Walk()
    before, walk.code_only = walk.code_only, True
    try:
        yield
    finally:
        walk.code_only = before


def _known_state(found: object) -> None:
    if walk := _walk.get():
        walk.note_state(found)


def _is_state(name: str) -> bool:
    walk = _walk.get()
    return walk is not None and name in walk.state


def _array(array: Any) -> object:
    """An array or a single figure of NumPy or its like, by content; nothing is imported for it."""
    shape = list(getattr(array, "shape", ()))
    if getattr(array.dtype, "hasobject", False):  # its bytes are addresses
        return [str(array.dtype), shape, setting_of(array.tolist())]
    return [str(array.dtype), shape, sha256(array.tobytes()).hexdigest()]


def _instance(value: object) -> object:
    """An object of the user's own class: the class and everything that it holds. A digest: it may hold a secret."""
    _known_state(value)
    slots = [name for base in type(value).__mro__ for name in _names(getattr(base, "__slots__", ()))]
    there = {name: getattr(value, name, None) for name in (*slots, *getattr(value, "__dict__", ()))}
    held = {name: setting_of(v) for name, v in sorted(there.items()) if not _is_state(name)}
    return f"{type(value).__qualname__} {digest(str([_class(type(value)), held]))}"


def _pickled(value: object) -> object:
    """An object of an installed class by what a pickle of it holds; None where it is state, or cannot be pickled."""
    kind = type(value)
    if kind is object or hasattr(kind, "__next__") or kind.__module__.startswith(_RANDOM):
        return None
    try:
        pickle.dumps(value)  # refuses what holds a lock, a connection or a thread
        parts = value.__reduce_ex__(4)
    except Exception:  # whatever the class raises where it does not mean to be pickled
        return None
    if isinstance(parts, str):
        return f"{kind.__module__}.{parts}"
    held = [setting_of(list(part) if isinstance(part, Iterator) else part) for part in parts]
    return f"{kind.__qualname__} {digest(str(held))}"  # a digest: it may hold a secret


def _names(slots: str | Sequence[str]) -> Sequence[str]:
    return [slots] if isinstance(slots, str) else slots


def _class(found: type) -> str:
    """A class by its name; the user's own by its code and attributes too."""
    name = f"{found.__module__}.{found.__qualname__}"
    if installed(found.__module__) is not None:
        return name
    _known_state(found)
    members = [
        (key, setting_of(_plain(member)))
        for key, member in sorted(vars(found).items())
        if not _is_state(key) and (isinstance(_plain(member), FunctionType) or not key.startswith(("__", "_abc_")))
    ]
    return f"{name} {digest(str([*(setting_of(base) for base in found.__bases__), *members]))}"


def _plain(member: object) -> object:
    """The function behind a property, a class method or a static method; anything else as it is."""
    for inner in ("fget", "__func__", "func"):
        if isinstance(found := getattr(member, inner, None), FunctionType):
            return found
    return member


# -- functions -----------------------------------------------------------------------------------------


def _function(function: object) -> object:
    if isinstance(function, partial):
        return [function_identity(function.func), setting_of(function.args), setting_of(function.keywords)]
    if isinstance(function, MethodType):
        return [function_identity(function.__func__), setting_of(function.__self__)]
    inner = getattr(function, "__wrapped__", getattr(function, "py_func", None))
    if isinstance(inner, FunctionType) and not isinstance(function, FunctionType):
        return [type(function).__qualname__, function_identity(inner)]  # functools.cache, numba.njit
    if not isinstance(function, FunctionType):
        if installed(type(function).__module__) is None:
            return _instance(function)
        owner = getattr(function, "__self__", None)  # of `"abc".count` and `np.add.reduce`; of `len` its module
        held = setting_of(vars(function) if hasattr(function, "__dict__") else {})
        bound = None if isinstance(owner, ModuleType) else setting_of(owner)
        content = None if isinstance(function, BuiltinFunctionType) else _pickled(function)  # operator.itemgetter
        return [type(function).__qualname__, getattr(function, "__qualname__", ""), held, bound, content]
    if version := installed(function.__module__):
        return [version, function.__qualname__, _made_with(function)]
    _known_state(function)
    try:
        # A lambda's source is the whole statement around it, the budget of the run included.
        code = _code(function.__code__) if function.__name__ == "<lambda>" else inspect.getsource(function.__code__)
    except (OSError, TypeError, SyntaxError, TokenError):  # no source, or another than at import
        code = _code(function.__code__)
    walk, closure = _walk.get(), function.__code__.co_freevars
    read = {
        name: setting_of(value)
        for name, value in _reads(function)
        if not _is_state(name.rpartition(".")[2])
        # The settings of a class are its attributes. A switch around it, which stops it in the middle say, is none.
        and not (walk and walk.code_only and (name not in closure or isinstance(value, bool)) and not _is_code(value))
    }
    attributes = {
        name: setting_of(value)
        for name, value in vars(function).items()
        if name != "__wrapped__" and not _is_state(name) and not (walk and walk.code_only and not _is_code(value))
    }
    return [code, _made_with(function), read, attributes]


def _is_code(value: object) -> bool:
    return isinstance(value, FunctionType | type)


def _made_with(function: FunctionType) -> dict[str, object]:
    names = function.__code__.co_varnames[: function.__code__.co_argcount]
    defaults = function.__defaults__ or ()
    given = {**dict(zip(names[len(names) - len(defaults) :], defaults, strict=True)), **(function.__kwdefaults__ or {})}
    return {name: setting_of(value) for name, value in given.items() if not _is_state(f"{name}=")}


def _code(code: CodeType) -> str:
    constants = [_code(c) if isinstance(c, CodeType) else setting_of(c) for c in code.co_consts]
    return str([code.co_code, code.co_names, constants])


def _reads(function: FunctionType) -> Iterator[tuple[str, object]]:
    """What a function reads from outside, by name: closure variables, globals, and attributes of the user's modules."""
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        yield name, _content(cell)
    outside = function.__globals__
    for chain in _facts(function.__code__).chains:
        name, value = chain[0], outside.get(chain[0], outside)
        for attribute in chain[1:]:
            if isinstance(value, ModuleType) and installed(value.__name__) is None and hasattr(value, attribute):
                name, value = f"{name}.{attribute}", getattr(value, attribute)
        if value is not outside:
            yield name, value
    for module in _facts(function.__code__).imports:
        yield f"import {module}", installed(module) or _source_of_module(module)


def _content(cell: CellType) -> object:
    try:
        return cell.cell_contents
    except ValueError:  # still empty: the function refers to itself
        return None


def _codes(code: CodeType) -> Iterator[CodeType]:
    """A function's code and that of the functions within it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


@dataclass(frozen=True, slots=True)
class _Facts:
    """What code does with names.

    Args:
        names: All that it mentions.
        chains: The globals that it reads, each with the attributes that are taken of it: ("settings", "TARGET").
        imports: The modules that it imports while it runs.
        changes: What it assigns or changes in place: globals, closure variables, attributes; "name=" for a default.
    """

    names: set[str]
    chains: list[tuple[str, ...]]
    imports: list[str]
    changes: set[str]


@lru_cache(maxsize=4096)
def _facts(function: CodeType) -> _Facts:
    names: set[str] = set()
    chains: list[tuple[str, ...]] = []
    imports: list[str] = []
    changes: set[str] = set()
    for code in _codes(function):
        names.update(code.co_names)
        chain: list[str] = []
        # An expression and what it begins with have one place: in `self.seen[value]` that is `self` and `self.seen`.
        places: dict[object, list[dis.Instruction]] = {}
        for step in dis.get_instructions(code):
            name, argument = step.opname, step.argval
            attribute = name in ("LOAD_ATTR", "LOAD_METHOD")
            if chain and attribute:
                chain.append(argument)
            else:
                chains += [tuple(chain)] * bool(chain)
                chain = [argument] if name in ("LOAD_GLOBAL", "LOAD_NAME") else []
            if name == "IMPORT_NAME" and argument:
                imports.append(argument)
            before = places.setdefault(step.positions and (step.positions.lineno, step.positions.col_offset), [])
            if name in ("STORE_GLOBAL", "DELETE_GLOBAL") or (
                name == "STORE_DEREF" and argument in function.co_freevars
            ):
                changes.add(argument)
            elif name in ("STORE_ATTR", "DELETE_ATTR"):
                changes.update(_outside([*before, step], code, function))
            elif name in ("STORE_SUBSCR", "DELETE_SUBSCR") or (attribute and argument in _CHANGING):
                changes.update(_outside(before, code, function))
            if name.startswith(("LOAD_", "CALL")):
                before.append(step)
    return _Facts(names, list(dict.fromkeys(chains)), list(dict.fromkeys(imports)), changes)


def _outside(steps: Sequence[dis.Instruction], code: CodeType, function: CodeType) -> Iterator[str]:
    """The name of what is changed: the last attribute, else the variable. What a function made itself has none."""
    chain: list[dis.Instruction] = []
    for step in steps:
        if not step.opname.startswith("CALL"):
            chain.append(step)
        elif chain and chain[-1].argval != "type":  # of `self.kinds.get(key)` a part may be changed, of `made()` none
            chain.pop()
    if not chain:
        return
    root, parameters = chain[0], code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    if root.opname.startswith("LOAD_FAST"):
        if len(chain) == 1 and root.argval in parameters:
            yield f"{root.argval}="
        elif len(chain) > 1 and root.argval in parameters[:1]:
            yield chain[-1].argval
    elif root.opname in ("LOAD_GLOBAL", "LOAD_NAME") or (
        root.opname == "LOAD_DEREF" and (len(chain) > 1 or root.argval in function.co_freevars)
    ):
        yield chain[-1].argval


# -- modules -------------------------------------------------------------------------------------------


@cache
def installed(module: str | None) -> str | None:
    """The name and version of a module that is Python's own or installed; None for one of the user's own."""
    name = module or "builtins"
    top = name.partition(".")[0]
    if top != "__main__" and top in sys.stdlib_module_names:
        return name
    if top != __name__.partition(".")[0] and not {"site-packages", "dist-packages"} & set(Path(_origin(top)).parts):
        return None
    from importlib import metadata  # a quarter of the time that `import tgsci` takes

    version = getattr(sys.modules.get(top), "__version__", "")
    with contextlib.suppress(metadata.PackageNotFoundError):
        version = metadata.version(top)
    return f"{name} {version}".rstrip()


def _origin(module: str) -> str:
    """The file of a module, "" where there is none."""
    found: Any = sys.modules.get(module)
    if found is None:
        try:
            found = importlib.util.find_spec(module)
        except (ImportError, ValueError):
            return ""
    return str(getattr(found, "__file__", None) or getattr(found, "origin", None) or "")


def _source_of_module(module: str) -> str:
    """A module of the user's own that is read as a whole: its name and its file's content."""
    try:
        return f"{module} {sha256(Path(_origin(module)).read_bytes()).hexdigest()[:16]}"
    except OSError:
        return module
