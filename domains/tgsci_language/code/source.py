"""Source of a solution: what it is called by, its one canonical form, and why a text is none."""

from __future__ import annotations

import ast
import re
import textwrap
import warnings
from dataclasses import dataclass

from tgsci.basics.texts import quote
from tgsci.errors import InvalidValue, UsageError

#: Characters of a solution, at most.
LONGEST = 50_000
_FENCED = re.compile(
    r"^[ \t]*(```+|~~~+)[ \t]*([A-Za-z0-9_+.-]*)[ \t]*\r?\n(.*?)\n?^[ \t]*\1[ \t]*$", re.DOTALL | re.MULTILINE
)


@dataclass(frozen=True)
class Signature:
    """What is called.

    Args:
        name: Of the function or method.
        owner: The class of a method; "" for a function.
        least: Arguments by position that a call gives at least, `self` not counted; None where that is unknown.
        most: At most; None for any number.
        text: As it was written.
    """

    name: str
    owner: str
    least: int | None
    most: int | None
    text: str

    @property
    def called(self) -> str:
        """What stands before the brackets of a call: "area", "Solution().area"."""
        return f"{self.owner}().{self.name}" if self.owner else self.name


def read_signature(text: str) -> Signature:
    """Read the line that begins a function, or a class with one method.

    Raises:
        UsageError: It is none.
    """
    given = textwrap.dedent(text).strip().rstrip(":")
    owner = re.match(r"class\s+(\w+)[^:\n]*:\s*", given)
    line = given[owner.end() :].strip() if owner else given
    try:
        parsed = ast.parse(f"{line}: ...").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        parsed = []
    if len(parsed) != 1 or not isinstance(parsed[0], ast.FunctionDef):
        raise UsageError(
            f"signature must be the line that begins the function, 'def area(width, height)'; not {quote(text)}"
        )
    least, most = _span(parsed[0].args, 1 if owner else 0)
    return Signature(parsed[0].name, owner[1] if owner else "", least, most, given)


def signature_of(called: str) -> Signature:
    """Make the signature of what is only known by its call: "area", "Solution().area"."""
    owner, _, name = called.rpartition("().")
    return Signature(name, owner, None, None, f"class {owner} with a method {name}" if owner else f"a function {name}")


def stub(signature: Signature) -> str:
    """Write a solution that raises, for a task that has no start."""
    head, _, method = signature.text.partition(":") if signature.text.startswith("class") else ("", "", signature.text)
    if signature.least is None:
        head, method = f"class {signature.owner}" if signature.owner else "", f"def {signature.name}(*arguments)"
    if signature.owner:
        return f"{head}:\n    {method.strip()}:\n        raise NotImplementedError\n"
    return f"{method}:\n    raise NotImplementedError\n"


def canonical(text: str, signature: Signature) -> str:
    """Bring a solution to its one form: out of a code fence, dedented, no spaces at the ends of lines.

    Raises:
        InvalidValue: It is no Python, it does not define what is called, or it is too long or too deep; written for who
            proposed it.
    """
    if len(text) > 4 * LONGEST:
        raise InvalidValue(f"the code has {len(text):,} characters; at most {LONGEST:,} are taken")
    if "\x00" in text:
        raise InvalidValue("the code holds null bytes")
    source = unfenced(text)
    source = textwrap.dedent(source.replace("\r\n", "\n").replace("\r", "\n"))
    source = "\n".join(line.rstrip() for line in source.split("\n")).strip("\n") + "\n"
    if not source.strip():
        raise InvalidValue(f"there is no code; write {signature.text}: ...")
    if len(source) > LONGEST:
        raise InvalidValue(f"the code has {len(source):,} characters; at most {LONGEST:,} are taken")
    tree = _parsed(source)
    _check_defined(tree, signature)
    return source


def unfenced(text: str) -> str:
    """Take the code out of Markdown: the longest fenced block, or the whole text where there is none."""
    blocks = [match[3] for match in _FENCED.finditer(text)]
    return max(blocks, key=len) if blocks else text


def skeleton(source: str) -> str:
    """Name the kind of a solution by what it is built of: "2 nested loops; numpy.cumsum, sorted".

    Solutions with the same loops, recursion and calls have the same name, however they name and order things.
    """
    try:
        tree = _parsed(source)
    except InvalidValue:
        return ""
    modules = _modules(tree)
    own = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    calls: set[str] = set()
    recursive = False
    for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
        for node in ast.walk(function):
            if not isinstance(node, ast.Call):
                continue
            name = _called(node.func, modules)
            recursive = recursive or name.rpartition(".")[2] == function.name
            if name and name not in own and name not in _ORDINARY:
                calls.add(name)
    depth = _loops(tree)
    loops = "no loop" if not depth else "1 loop" if depth == 1 else f"{depth} nested loops"
    parts = [loops, *(["recursion"] if recursive else []), *([", ".join(sorted(calls)[:4])] if calls else [])]
    return "; ".join(parts)


#: Calls that say nothing of how a solution works.
_ORDINARY = frozenset(
    [
        "abs",
        "bool",
        "dict",
        "enumerate",
        "float",
        "int",
        "isinstance",
        "len",
        "list",
        "max",
        "min",
        "print",
        "range",
        "reversed",
        "set",
        "str",
        "tuple",
        "zip",
    ]
)


def _parsed(source: str) -> ast.Module:
    """Parse code; what is made to break a parser is refused as well.

    Raises:
        InvalidValue: It is no Python, or too deep.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(source)
    except SyntaxError as error:
        line = (
            source.split("\n")[error.lineno - 1].strip()
            if error.lineno and error.lineno <= source.count("\n") + 1
            else ""
        )
        raise InvalidValue(f"this is no Python: {error.msg} (line {error.lineno}: {quote(line)})") from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise InvalidValue(f"Python cannot read this code: {type(error).__name__}, it is nested too deeply") from None
    return tree


def _check_defined(tree: ast.Module, signature: Signature) -> None:
    body: list[ast.stmt] = tree.body
    if signature.owner:
        classes = [node for node in body if isinstance(node, ast.ClassDef) and node.name == signature.owner]
        if not classes:
            raise InvalidValue(f"the code does not define the class {signature.owner}; it must begin {signature.text}")
        body = classes[-1].body
    found = [node for node in body if signature.name in _bound(node)]
    if not found:
        raise InvalidValue(f"the code does not define {signature.name} at its top level; it must have {signature.text}")
    if isinstance(found[-1], ast.AsyncFunctionDef):
        raise InvalidValue(f"{signature.name} is an async function; it is called as a plain one")
    if not isinstance(found[-1], ast.FunctionDef) or signature.least is None:
        return  # given by assignment or import: what it takes shows when it is called
    least, most = _span(found[-1].args, 1 if signature.owner else 0)
    if least > signature.least or (most is not None and (signature.most is None or most < signature.most)):
        raise InvalidValue(f"{signature.name} does not take the arguments of {signature.text}")


def _bound(node: ast.stmt) -> set[str]:
    """Name what a statement binds; the branches of `if` and `try` count."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {node.name}
    if isinstance(node, ast.Import | ast.ImportFrom):
        return {alias.asname or alias.name for alias in node.names}
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    names = {each.id for target in targets for each in ast.walk(target) if isinstance(each, ast.Name)}
    inner = [each for key in ("body", "orelse", "finalbody") for each in getattr(node, key, [])]
    inner += [each for handler in getattr(node, "handlers", []) for each in handler.body]
    return names.union(*map(_bound, inner)) if isinstance(node, ast.If | ast.Try | ast.With) else names


def _span(arguments: ast.arguments, bound: int) -> tuple[int, int | None]:
    """Count the arguments by position that must be given, and that may be; `bound` of them are given already."""
    names = len(arguments.posonlyargs) + len(arguments.args)
    return max(0, names - len(arguments.defaults) - bound), None if arguments.vararg else max(0, names - bound)


def _modules(tree: ast.AST) -> dict[str, str]:
    """What each imported name stands for: {"np": "numpy"}."""
    found: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.asname or alias.name: alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    return found


def _called(node: ast.expr, modules: dict[str, str]) -> str:
    """Name what is called; a method of an object by its own name alone."""
    if isinstance(node, ast.Name):
        return modules.get(node.id, node.id)
    if isinstance(node, ast.Attribute):
        before = _called(node.value, modules) if isinstance(node.value, ast.Name | ast.Attribute) else ""
        known = isinstance(node.value, ast.Name) and node.value.id in modules
        return f"{before}.{node.attr}" if known or "." in before else node.attr
    return ""


def _loops(tree: ast.AST) -> int:
    """Count how deep loops stand in each other."""
    deepest, left = 0, [(tree, 0)]
    while left:  # no recursion of our own: the tree may be deep
        node, depth = left.pop()
        depth += isinstance(node, ast.For | ast.While)
        if isinstance(node, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
            depth += len(node.generators)
        deepest = max(deepest, depth)
        left += [(child, depth) for child in ast.iter_child_nodes(node)]
    return deepest
