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
import inspect
import pickle
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import partial
from hashlib import sha256
from pathlib import PurePath
from tokenize import TokenError
from types import BuiltinFunctionType, CellType, CodeType, FunctionType, MethodType, ModuleType, SimpleNamespace
from typing import Any

from .basics.bytecode import CodeFacts, facts_of
from .basics.packages import installed, source_of

#: Values whose `repr` says all.
_WRITTEN_OUT = {"array", "builtins", "datetime", "decimal", "fractions", "ipaddress", "re", "uuid", "zoneinfo"}

#: Modules whose objects change whenever they are used.
_RANDOM = ("random", "numpy.random")

#: Methods that run before anything is measured: what they assign is a setting.
_MAKING = {"__init__", "__new__", "__post_init__", "__init_subclass__", "__setstate__"}

#: Objects within objects that are followed.
_DEEPEST = 60


def setting_of(value: object) -> object:
    """Write a setting as it enters a fingerprint; None for what cannot be written down."""
    with _walking() as walk:
        return walk.setting(value)


def function_identity(function: object) -> str:
    """Write down what a function computes: its code, and everything that the code reads."""
    with _walking() as walk:
        return walk.identity(function)


def described(instance: object) -> str:
    """Write an object down: its class, and those public attributes that can be written down."""
    with _walking() as walk:
        return str(walk.once(walk.described, instance))


def digest(text: str) -> str:
    """Shorten a text to 16 hexadecimal digits."""
    return sha256(text.encode()).hexdigest()[:16]


@contextlib.contextmanager
def _walking() -> Iterator[_Walk]:
    """Go on with the fingerprint under way, else begin one: a loss within a loss asks for its own in between."""
    walk = _current.get() or _Walk()
    token = _current.set(walk)
    try:
        yield walk
    finally:
        _current.reset(token)


class _Walk:
    """Writes one fingerprint: goes through an object and all that it holds, each thing once."""

    def __init__(self) -> None:
        #: What is being written down: an object may hold itself.
        self._open: set[tuple[object, ...]] = set()
        #: What was written down, with the object, so that its id stays its own.
        self._written: dict[tuple[object, ...], tuple[object, object]] = {}
        #: True within the class of a loss: of what it reads from outside only code counts.
        self._code_only = False
        #: True within the methods of a class. Of these the class tells which are used when something is measured:
        #: what `__init__` assigns is no state.
        self._in_method = False
        self._state = _State()

    def once(self, write: Callable[[Any], object], value: object) -> object:
        """Write an object by a method of this walk, if it was not yet written."""
        key = (id(value), write.__name__, self._code_only)
        if key in self._open:
            return "itself"
        if key not in self._written:
            if len(self._open) > _DEEPEST:
                return f"{type(value).__qualname__}, too deep to be followed"
            self._open.add(key)
            self._written[key] = (value, write(value))
            self._open.discard(key)
        return self._written[key][1]

    def setting(self, value: object) -> object:
        if isinstance(value, Enum):
            return f"{type(value).__qualname__}.{value.name} {value.value!r}"
        if value is None or isinstance(value, str | int | float | bool | bytes):
            return repr(value)
        return self.once(self.compound, value)

    def identity(self, function: object) -> str:
        return str(self.once(self.function, function))

    # -- objects -----------------------------------------------------------------------------------

    def compound(self, value: object) -> object:
        if isinstance(value, PurePath):
            return repr(str(value))
        if isinstance(value, type):
            return self.of_class(value)
        for stated in ("fingerprint", "identity"):  # a loss's, and an engine's: who answers, not how often it was asked
            if isinstance(text := getattr(value, stated, None), str):
                return text
        if isinstance(value, Mapping):
            return {str(k): self.setting(v) for k, v in value.items()}
        if isinstance(value, list | tuple | deque):
            return [self.setting(v) for v in value]
        if isinstance(value, set | frozenset):
            return sorted(str(self.setting(v)) for v in value)
        if isinstance(value, ModuleType):
            return installed(value.__name__) or source_of(value.__name__)
        if is_dataclass(value):
            return [self.setting(type(value)), self.held(value, [field.name for field in fields(value)])]
        if hasattr(value, "detach") and hasattr(value, "cpu"):  # a tensor of PyTorch
            return self.array(value.detach().cpu().numpy())
        if hasattr(value, "dtype") and hasattr(value, "tobytes"):
            return self.array(value)
        if callable(value):
            return digest(str(self.function(value)))
        if hasattr(value, "to_csv"):  # a table of pandas
            return sha256(str(value.to_csv()).encode()).hexdigest()
        if type(value).__module__ in _WRITTEN_OUT and " at 0x" not in repr(value):
            return repr(value)
        if isinstance(value, memoryview):
            return [value.format, list(value.shape or ()), sha256(value.tobytes()).hexdigest()]
        if isinstance(value, SimpleNamespace) or hasattr(value, "get_params"):  # a fitted model of scikit-learn
            return [type(value).__qualname__, self.setting(vars(value))]
        return self.instance(value) if installed(type(value).__module__) is None else self.pickled(value)

    def pickled(self, value: object) -> str | None:
        """Write an object of an installed class by what its pickle holds; None for state, and where it has none."""
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
        held = [self.setting(list(part) if isinstance(part, Iterator) else part) for part in parts]
        return f"{kind.__qualname__} {digest(str(held))}"  # a digest: it may hold a secret

    def held(self, value: object, names: Iterable[str]) -> dict[str, object]:
        """Write the attributes of an object, but for its state."""
        self._state.learn(value)
        setting = {name: getattr(value, name, None) for name in names if not self._state.holds(name, type(value))}
        return {name: self.setting(each) for name, each in setting.items()}

    def described(self, instance: object) -> str:
        held = self.held(instance, sorted(name for name in vars(instance) if not name.startswith("_")))
        before, self._code_only = self._code_only, True
        try:
            name = self.of_class(type(instance))
        finally:
            self._code_only = before
        return f"{name}{ {k: v for k, v in held.items() if v is not None} }"

    def instance(self, value: object) -> str:
        """Write an object of the user's own class: the class, and a digest of what it holds, which may be secret."""
        slots = [getattr(base, "__slots__", ()) for base in type(value).__mro__]
        names = {name for each in slots for name in ([each] if isinstance(each, str) else each)}
        held = self.held(value, sorted(names.union(getattr(value, "__dict__", ()))))
        return f"{type(value).__qualname__} {digest(str([self.of_class(type(value)), held]))}"

    def array(self, array: Any) -> object:
        """Write an array or a single figure of NumPy or its like by content; nothing is imported for it."""
        shape = list(getattr(array, "shape", ()))
        if getattr(array.dtype, "hasobject", False):  # its bytes are addresses
            return [str(array.dtype), shape, self.setting(array.tolist())]
        return [str(array.dtype), shape, sha256(array.tobytes()).hexdigest()]

    def of_class(self, found: type) -> str:
        """Write a class by its name; the user's own by its code and attributes too."""
        name = f"{found.__module__}.{found.__qualname__}"
        if installed(found.__module__) is not None:
            return name
        self._state.learn(found)
        members: list[tuple[str, object]] = []
        for key, member in sorted(vars(found).items()):
            plain = _plain(member)
            if self._state.holds(key, found):
                continue
            if isinstance(plain, FunctionType):
                members.append((key, self.once(self.method, plain)))
            elif not key.startswith(("__", "_abc_")):
                members.append((key, self.setting(plain)))
        return f"{name} {digest(str([*(self.setting(base) for base in found.__bases__), *members]))}"

    # -- functions ---------------------------------------------------------------------------------

    def method(self, function: FunctionType) -> object:
        before, self._in_method = self._in_method, True
        try:
            return self.setting(function)
        finally:
            self._in_method = before

    def function(self, function: object) -> object:
        if isinstance(function, partial):
            return [self.identity(function.func), self.setting(function.args), self.setting(function.keywords)]
        if isinstance(function, MethodType):
            return [self.identity(function.__func__), self.setting(function.__self__)]
        inner = getattr(function, "__wrapped__", getattr(function, "py_func", None))
        if isinstance(inner, FunctionType) and not isinstance(function, FunctionType):
            return [type(function).__qualname__, self.identity(inner)]  # functools.cache, numba.njit
        if not isinstance(function, FunctionType):
            if installed(type(function).__module__) is None:
                return self.instance(function)
            owner = getattr(function, "__self__", None)  # of `"abc".count` and `np.add.reduce`; of `len` its module
            held = self.setting(vars(function) if hasattr(function, "__dict__") else {})
            bound = None if isinstance(owner, ModuleType) else self.setting(owner)
            content = None if isinstance(function, BuiltinFunctionType) else self.pickled(function)  # an itemgetter
            return [type(function).__qualname__, getattr(function, "__qualname__", ""), held, bound, content]
        if version := installed(function.__module__):
            return [version, function.__qualname__, self.defaults(function)]
        if not self._in_method:
            self._state.learn(function)
        try:
            # A lambda's source is the whole statement around it, the budget of the run included.
            lambda_ = function.__name__ == "<lambda>"
            code = self.code(function.__code__) if lambda_ else inspect.getsource(function.__code__)
        except (OSError, TypeError, SyntaxError, TokenError):  # no source, or another than at import
            code = self.code(function.__code__)
        read = {name: self.setting(value) for name, value in _reads(function) if self.counts(function, name, value)}
        attributes = {
            name: self.setting(value)
            for name, value in vars(function).items()
            if name != "__wrapped__" and not self._code_only and not self._state.holds(name)
        }
        return [code, self.defaults(function), read, attributes]

    def counts(self, function: FunctionType, name: str, value: object) -> bool:
        """Tell whether what a function reads from outside is a setting of it."""
        if self._state.holds(name.rpartition(".")[2]):
            return False
        if not self._code_only or isinstance(value, FunctionType | type):
            return True
        # The settings of a class are its attributes. A switch around it, which stops it in the middle say, is none.
        return name in function.__code__.co_freevars and not isinstance(value, bool)

    def defaults(self, function: FunctionType) -> dict[str, object]:
        names = function.__code__.co_varnames[: function.__code__.co_argcount]
        values = function.__defaults__ or ()
        given = dict(zip(names[len(names) - len(values) :], values, strict=True)) | (function.__kwdefaults__ or {})
        changed = facts_of(function.__code__).changes
        return {name: self.setting(value) for name, value in given.items() if f"{name}=" not in changed}

    def code(self, code: CodeType) -> str:
        constants = [self.code(c) if isinstance(c, CodeType) else self.setting(c) for c in code.co_consts]
        return str([code.co_code, code.co_names, constants])


_current: ContextVar[_Walk | None] = ContextVar("tgsci_fingerprint", default=None)


class _State:
    """The names of what code changes when it is used: attributes of a class's objects, and globals and the like."""

    def __init__(self) -> None:
        #: Names by the class whose methods change them on `self`; by None what is changed wherever it is.
        self._names: dict[type | None, set[str]] = {}
        self._read: set[object] = set()
        #: Attributes that the code uses, methods among them; a search begins with these two.
        self._used = {"evaluate", "validate"}
        #: Methods of the classes met so far, by name, that none of the code is known to call.
        self._uncalled: list[tuple[str, FunctionType, type]] = []

    def holds(self, name: str, of: type | None = None) -> bool:
        """Tell whether a name is state: an attribute of a class or of its objects, or a global or the like."""
        changed = self._names.items()
        return any(name in names and (owner is None or (of and _related(owner, of))) for owner, names in changed)

    def learn(self, found: object) -> None:
        """Learn what a function or an object changes when it is used, by way of all that it uses in turn."""
        waiting: list[tuple[object, type | None]] = [(found, None)]
        while waiting:
            found, owner = waiting.pop()
            if isinstance(found, MethodType):
                waiting += [(found.__func__, type(found.__self__)), (type(found.__self__), None)]
            elif isinstance(found, partial):
                waiting.append((found.func, None))
            elif isinstance(found, FunctionType):
                if self._is_new(found.__code__, found.__module__):
                    self._note(facts_of(found.__code__), owner)
                    waiting += [(value, None) for _, value in _reads(found)]
            elif isinstance(found, type):
                if self._is_new(found, found.__module__):
                    methods = ((name, _plain(member)) for name, member in vars(found).items())
                    self._uncalled += [(name, m, found) for name, m in methods if isinstance(m, FunctionType)]
                    waiting += [(base, None) for base in found.__bases__]
            elif hasattr(found, "__dict__") and not isinstance(found, ModuleType):
                waiting.append((getattr(found, "__wrapped__", type(found)), None))
            if not waiting:
                waiting = [(method, kind) for name, method, kind in self._uncalled if self._calls(name)]
                self._uncalled = [each for each in self._uncalled if not self._calls(each[0])]

    def _note(self, facts: CodeFacts, owner: type | None) -> None:
        self._used |= facts.names
        for name in facts.changes:
            of = owner if name.startswith(".") else None
            self._names.setdefault(of, set()).add(name.removeprefix("."))

    def _is_new(self, code: object, module: str | None) -> bool:
        """Tell whether code is the user's own and was not read yet; from now on it was."""
        if code in self._read or installed(module) is not None:
            return False
        self._read.add(code)
        return True

    def _calls(self, name: str) -> bool:
        return name in self._used or (name.startswith("__") and name not in _MAKING)


def _related(owner: type, of: type) -> bool:
    return issubclass(of, owner) or issubclass(owner, of)


def _plain(member: object) -> object:
    """Find the function behind a property, a class method or a static method; return anything else as it is."""
    for inner in ("fget", "__func__", "func"):
        if isinstance(found := getattr(member, inner, None), FunctionType):
            return found
    return member


def _reads(function: FunctionType) -> Iterator[tuple[str, object]]:
    """List what a function reads from outside: closure variables, globals, and attributes of the user's modules."""
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        yield name, _content(cell)
    outside = function.__globals__
    for chain in facts_of(function.__code__).chains:
        name, value = chain[0], outside.get(chain[0], outside)
        for attribute in chain[1:]:
            if isinstance(value, ModuleType) and installed(value.__name__) is None and hasattr(value, attribute):
                name, value = f"{name}.{attribute}", getattr(value, attribute)
        if value is not outside:
            yield name, value
    for module in facts_of(function.__code__).imports:
        yield f"import {module}", installed(module) or source_of(module)


def _content(cell: CellType) -> object:
    try:
        return cell.cell_contents
    except ValueError:  # still empty: the function refers to itself
        return None
