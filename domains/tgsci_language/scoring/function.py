"""Score a reply by a Python function of the user's own, in the sandbox: what it is given is a model's text."""

from __future__ import annotations

import ast
import math
import threading
from collections.abc import Iterable
from itertools import islice
from pathlib import Path

from tgsci.basics import checks
from tgsci.basics.texts import quote
from tgsci.errors import UsageError
from tgsci.runs.run import cores

from ..datasets.example import Example
from ..datasets.readers import read_text
from ..sandbox.calls import CallResult, call
from ..sandbox.layers import best
from ..sandbox.limits import Limits
from .scorer import NOT_JUDGED, WRONG, Score, Scorer, end_of

#: Sandboxes at the same time, of all threads: each takes a core.
_AT_ONCE = threading.BoundedSemaphore(cores())
#: Examples on which the function is tried before anything is asked.
_TRIED = 20


class Function(Scorer):
    """A function `(question, answer, reply)` gives True or False, or a share from 0 to 1.

    It runs in the sandbox, in a process of its own for each reply: no network, no files, five seconds. Where it
    raises, takes too long or returns something else, the reply counts as not judged, which is not right.

    Args:
        file: A Python file with the function.
        function: Its name there.
        packages: What it may import beside the standard library.
        unsafe_local: True runs it without a sandbox, with resource limits only.

    Raises:
        UsageError: The file cannot be read, has no such function, or there is no sandbox here.
    """

    name = "function"

    def __init__(
        self, file: str, function: str = "score", packages: Iterable[str] = (), unsafe_local: bool = False
    ) -> None:
        path = Path(checks.text("file", file, "a Python file with the function"))
        self.source = read_text(path)
        self.function = checks.text("function", function, "the function's name")
        self.packages = tuple(packages)
        self.unsafe_local = checks.flag("unsafe_local", unsafe_local)
        try:
            there = [node.name for node in ast.parse(self.source).body if isinstance(node, ast.FunctionDef)]
        except (SyntaxError, ValueError, RecursionError) as error:
            raise UsageError(f"{quote(path)} is no valid Python: {error}") from None
        if function not in there:
            raise UsageError(
                f"{quote(path)} has no function {quote(function)}; there are: {', '.join(there) or 'none'}"
            )
        self._layer = best(unsafe_local=self.unsafe_local)

    def score(self, example: Example, reply: str) -> Score:
        (result,) = self._call([(example, end_of(reply))])
        right = _share(result)
        shown = reply.strip().rpartition("\n")[2]
        if right is None:
            return Score(0.0, result.message or shown, NOT_JUDGED)
        return Score(right, shown, "" if right >= 1 else WRONG)

    def first_complaint(self, examples: Iterable[Example]) -> tuple[Example, str] | None:
        """Try the function on reference answers, bare and as "Answer: ..."; one of them all has to be right."""
        tried = list(islice(examples, _TRIED))
        results = self._call([(e, reply) for e in tried for reply in (e.answer, self.ideal(e))])
        shares = [_share(result) for result in results]
        if any(share is not None and share > 0 for share in shares):
            return None
        failed = next((r for r, share in zip(results, shares, strict=True) if share is None), None)
        if failed is not None:
            said = f"{failed.error}: {failed.message}" if failed.error else failed.message or repr(failed.value)[:80]
            return tried[0], f"the function {self.function!r} gives no figure from 0 to 1 ({said[:300]})"
        return tried[0], f"the function {self.function!r} gives 0 for every reference answer itself"

    def _call(self, asked: list[tuple[Example, str]]) -> list[CallResult]:
        arguments = [(example.prompt, example.answer, reply) for example, reply in asked]
        limits = Limits(seconds=5.0)
        with _AT_ONCE:
            outcome = call(self.source, self.function, arguments, limits, layer=self._layer, packages=self.packages)
        missing = CallResult("not run", error=outcome.error, message=outcome.message or outcome.status)
        return [*outcome.calls, *[missing] * (len(asked) - len(outcome.calls))]


def _share(result: CallResult) -> float | None:
    """Read what the function returned; None for what is no figure from 0 to 1."""
    value = result.value
    if not result.returned or not isinstance(value, bool | int | float):
        return None
    return float(value) if math.isfinite(value) and 0 <= value <= 1 else None
