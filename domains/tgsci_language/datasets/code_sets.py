"""Read programming tasks as they are published: HumanEval, MBPP, both with EvalPlus's tests, LeetCodeDataset."""

from __future__ import annotations

import ast
import doctest
import gzip
import json
import re
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from tgsci.basics import checks
from tgsci.basics.texts import literal, quote, visible
from tgsci.errors import UsageError

from ..sandbox.calls import Call
from .assertions import Assertion, NoLiteral, read_assertion, read_assertions, split_script
from .code_tasks import Task
from .mbpp_types import typed
from .readers import LARGEST, read_text

Row = Mapping[str, Any]
#: Between a call and its result in the text of a docstring.
_SIGN = re.compile(r"(?<=\))\s*(?:==>|=>|==|->|➞|→)\s*")


def read_tasks(path: str | Path, format: str | None = None, *, examples: int = 3) -> list[Task]:
    """Read a set of programming tasks. Nothing of it is executed.

    What is visible: of HumanEval the examples in the docstring; of MBPP the tests of `test_list`, which its own
    prompt shows, where there are others to hide, else the first; of LeetCodeDataset the first `examples` tests, which
    the problem's text has. All others are hidden, without those that are visible.

    Args:
        path: JSON Lines, JSON for the sanitized MBPP, or either with .gz.
        format: A name of `FORMATS`; None tells it from the fields.
        examples: How many tests of LeetCodeDataset are visible.

    Raises:
        UsageError: The file cannot be read, or a task lacks a field or a test; says which line.
    """
    path = Path(path).expanduser()
    if format is not None:
        checks.choice("format", format, FORMATS)
    checks.whole("examples", examples, 0)
    tasks: list[Task] = []
    names: dict[str, str] = {}
    for where, row in _rows(path):
        try:
            kind = format or _kind(row)
            task = _without_repeats(FORMATS[kind](row, examples))
        except UsageError as error:
            raise UsageError(f"{visible(str(path))}, {where}: {error}") from None
        if task.name in names:
            raise UsageError(f"{visible(str(path))}, {where}: task {quote(task.name)} is also in {names[task.name]}")
        names[task.name] = where
        tasks.append(task)
    if not tasks:
        raise UsageError(f"{visible(str(path))} holds no task")
    return tasks


def _kind(row: Row) -> str:
    """Tell a set by the fields of a task."""
    if "base_input" in row:
        return "mbpp+" if str(row.get("task_id", "")).lower().startswith("mbpp") else "humaneval+"
    if "test_list" in row:
        return "mbpp"
    if "canonical_solution" in row:
        return "humaneval"
    if "completion" in row or "starter_code" in row:
        return "leetcode"
    raise UsageError(
        f"the set cannot be told from the fields {', '.join(sorted(map(quote, row)))[:200]}; give a format: "
        f"{', '.join(FORMATS)}"
    )


def _humaneval(row: Row, examples: int) -> Task:
    prompt, name = _text(row, "prompt"), _text(row, "entry_point")
    hidden, scripts = _tests(_text(row, "test"), [name])
    return Task(
        _text(row, "task_id"), prompt, name, prompt, _docstring_examples(prompt, name), hidden, scripts,
        reference=prompt + _text(row, "canonical_solution"), visible_from_text=True,
        prelude=_code(prompt),
    )  # fmt: skip


def _humaneval_plus(row: Row, examples: int) -> Task:
    """Read a task with EvalPlus's inputs.

    EvalPlus judges find_zero (HumanEval/32) by whether the result is a root; here it must be the reference's root.
    """
    prompt, name = _text(row, "prompt"), _text(row, "entry_point")
    return Task(
        _text(row, "task_id"), prompt, name, prompt, _docstring_examples(prompt, name),
        inputs=[*_inputs(row, "base_input"), *_inputs(row, "plus_input")], tolerance=_number(row, "atol"),
        reference=prompt + _text(row, "canonical_solution"), visible_from_text=True,
        prelude=_code(prompt),
    )  # fmt: skip


def _mbpp(row: Row, examples: int) -> Task:
    code = _text(row, "code")
    statement = _text(row, "text" if "text" in row else "prompt")
    before = "\n".join([*_texts(row, "test_imports"), _optional(row, "test_setup_code")])
    name = _called(code, "\n".join(_texts(row, "test_list")))
    shown, scripts = _tests("\n".join(_texts(row, "test_list")), [name])
    hidden, more = _tests("\n".join(_texts(row, "challenge_test_list")), [name])
    if not hidden and not more:
        shown, hidden = shown[:1], shown[1:]
    scripts = [f"{before}\n{script}" for script in (*scripts, *more)]
    return Task(f"MBPP/{_id(row)}", statement, name, "", shown, hidden, scripts, prelude=before, reference=code)


def _mbpp_plus(row: Row, examples: int) -> Task:
    prompt, name = _text(row, "prompt"), _text(row, "entry_point")
    shown: list[Assertion] = []
    if "assertion" in row:
        shown, _ = _tests(_text(row, "assertion"), [name])
    number = _text(row, "task_id").rpartition("/")[2]
    given = [*_inputs(row, "base_input"), *_inputs(row, "plus_input")]
    try:
        inputs = [Call(tuple(typed(number, call.arguments))) for call in given]
    except (TypeError, ValueError, IndexError, AttributeError) as error:
        raise UsageError(f"its inputs are not of the types that this task takes ({error})") from None
    return Task(
        _text(row, "task_id"), prompt, name, "", shown, inputs=inputs, tolerance=_number(row, "atol"),
        reference=_text(row, "canonical_solution"),
    )  # fmt: skip


def _leetcode(row: Row, examples: int) -> Task:
    prelude = _optional(row, "prompt")
    found, scripts = _tests(_text(row, "test"), [_text(row, "entry_point")])
    shown: list[str] = []
    if not found:  # lists and trees: each call makes its arguments by functions of the prelude
        parts = [split_script(script, examples) for script in scripts]
        shown, scripts = [first for first, _ in parts if first], [rest for _, rest in parts if rest]
    return Task(
        _text(row, "task_id"), _text(row, "query" if row.get("query") else "problem_description"), row["entry_point"],
        _optional(row, "starter_code"), found[:examples], found[examples:], scripts, prelude=prelude,
        reference=_text(row, "completion"), visible_scripts=shown,
    )  # fmt: skip


#: The sets, by the name that a task gives them.
FORMATS: dict[str, Callable[[Row, int], Task]] = {
    "humaneval": _humaneval,
    "humaneval+": _humaneval_plus,
    "mbpp": _mbpp,
    "mbpp+": _mbpp_plus,
    "leetcode": _leetcode,
}


def _without_repeats(task: Task) -> Task:
    """Take out of the hidden tests what is visible, and check that something is left to test."""
    seen = {_key(call) for each in task.visible for call in each.calls}
    hidden = [each for each in task.hidden if not {_key(call) for call in each.calls} <= seen]
    inputs = {_key(call): call for call in task.inputs if _key(call) not in seen}
    if not (hidden or task.scripts or inputs or task.visible or task.visible_scripts):
        raise UsageError(f"task {quote(task.name)} has no test")
    return replace(task, hidden=hidden, inputs=list(inputs.values()))


def _key(call: Call) -> tuple[str, str]:
    return repr(call.arguments), repr(sorted(call.keywords.items()))


def _tests(source: str, names: Sequence[str]) -> tuple[list[Assertion], list[str]]:
    try:
        return read_assertions(source, names)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise UsageError(f"its tests are no Python: {error}") from None


def _docstring_examples(prompt: str, name: str) -> list[Assertion]:
    """Read the examples that a docstring shows: a Python session, or lines such as `f(2) == 4` and `f(2) ➞ 4`.

    Those that are no call with a literal result are left out.
    """
    found: dict[tuple[str, str], Assertion] = {}
    try:
        session = doctest.DocTestParser().get_examples(prompt)
    except ValueError:  # a session that is written badly is text
        session = []
    pairs = [(example.source, example.want.strip().removesuffix('"""').removesuffix("'''")) for example in session]
    for line in prompt.splitlines():
        call, sign, value = (part.strip() for part in _partition(line))
        if sign and call.startswith(f"{name}("):
            pairs.append((call, {"true": "True", "false": "False"}.get(value, value)))
    for call, value in pairs:
        if not value.strip():
            continue
        try:
            read = read_assertion(f"({call.strip()}) == ({value.strip()})", [name])
            _ = read.expected
        except NoLiteral:
            continue
        found.setdefault(_key(read.calls[0]), replace(read, text=f"{call.strip()} == {value.strip()}"))
    return list(found.values())


def _partition(line: str) -> tuple[str, str, str]:
    """Split a line at the sign between a call and its result, which docstrings write in several ways."""
    sign = _SIGN.search(line)
    return (line[: sign.start()], sign[0], line[sign.end() :]) if sign else (line, "", "")


def _code(prompt: str) -> str:
    """Take a prompt as code that a solution completes: its imports and helpers count; "" where it is none."""
    try:
        ast.parse(prompt)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ""
    return prompt


def _called(code: str, tests: str) -> str:
    """Find the name that the tests call: the last function of the reference that they name."""
    try:
        names = [node.name for node in ast.parse(code).body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
        used = {node.id for node in ast.walk(ast.parse(tests)) if isinstance(node, ast.Name)}
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise UsageError(f"its code or its tests are no Python: {error}") from None
    for name in reversed(names):
        if name in used:
            return name
    raise UsageError("its tests call no function of its code")


def _rows(path: Path) -> list[tuple[str, Row]]:
    """Read the objects of a file, each with where it stands."""
    text = _content(path)
    where = visible(str(path))
    found: list[tuple[str, Row]] = []
    if text.lstrip()[:1] == "[":
        try:
            items = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise UsageError(f"{where}: no valid JSON: {error}") from None
        found = [(f"task {number}", item) for number, item in enumerate(items, 1)]
    else:
        for number, line in enumerate(text.splitlines(), 1):
            if not line.strip():
                continue
            try:
                found.append((f"line {number}", json.loads(line)))
            except (ValueError, RecursionError) as error:
                raise UsageError(f"{where}, line {number}: no valid JSON: {error}") from None
    for place, item in found:
        if not isinstance(item, dict):
            raise UsageError(f"{where}, {place}: a task is a JSON object, not {literal(item)}")
    return found


def _content(path: Path) -> str:
    if path.suffix.lower() != ".gz":
        return read_text(path)
    where = visible(str(path))
    try:
        with gzip.open(path) as file:
            content = file.read(LARGEST + 1)
    except OSError as error:
        raise UsageError(f"cannot read {where}: {error.strerror or error}") from None
    except (EOFError, zlib.error) as error:
        raise UsageError(f"{where} is a damaged gzip file: {error}") from None
    if len(content) > LARGEST:
        raise UsageError(f"{where} has more than {LARGEST:,} bytes when unpacked")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise UsageError(f"{where} is not UTF-8 in line {line} of what is packed in it") from None


def _text(row: Row, key: str) -> str:
    if key not in row:
        raise UsageError(f"the field {key!r} is missing")
    value: Any = row[key]
    if not isinstance(value, str) or not value.strip():
        raise UsageError(f"the field {key!r} must be text, not {literal(value)}")
    return value


def _optional(row: Row, key: str) -> str:
    return _text(row, key) if row.get(key) else ""


def _texts(row: Row, key: str) -> list[str]:
    value = row.get(key) or []
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise UsageError(f"the field {key!r} must be a list of texts, not {literal(value)}")
    return value


def _id(row: Row) -> str:
    value = row.get("task_id")
    if not isinstance(value, int | str) or isinstance(value, bool):
        raise UsageError(f"the field 'task_id' must be a number or text, not {literal(value)}")
    return str(value)


def _number(row: Row, key: str) -> float:
    return checks.number(f"the field {key!r}", row.get(key, 0), 0.0)


def _inputs(row: Row, key: str) -> list[Call]:
    value = row.get(key)
    if key == "plus_input" and value in ({}, None):  # EvalPlus writes {} where it adds none
        return []
    if not isinstance(value, list) or not all(isinstance(each, list) for each in value):
        raise UsageError(
            f"the field {key!r} must be a list with a list of arguments for each call, not {literal(value)}"
        )
    return [Call(tuple(each)) for each in value]
