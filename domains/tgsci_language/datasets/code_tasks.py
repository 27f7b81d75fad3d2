"""A programming task as a published set has it: what is asked, its tests, and a right solution."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..sandbox.calls import Call
from .assertions import Assertion


@dataclass(frozen=True)
class Task:
    """A function to write.

    Args:
        name: As its set calls it: "HumanEval/0".
        statement: What is asked, for a model.
        function: The expression that gives the function: "has_close_elements", "Solution().twoSum".
        start: Code that a solution completes or begins with: the imports and the function's head.
        visible: Tests that a model may see.
        hidden: Tests that it never sees; for the end.
        scripts: Hidden tests that are no calls with given arguments: code with assert statements about `candidate`.
        visible_scripts: The same that a model may see.
        visible_from_text: Whether the visible tests were read from a text, which may be wrong.
        inputs: Arguments of further hidden tests; what they must give is what the reference gives.
        tolerance: How far a number may be off for these: absolute; relative 1e-7 beside it. 0 for numbers that are
            compared as the set does: equal, floats to 1e-6.
        prelude: Code that runs before a solution: imports and classes that it may rely on.
        reference: A right solution, whole; "" where there is none.
    """

    name: str
    statement: str
    function: str
    start: str = ""
    visible: Sequence[Assertion] = ()
    hidden: Sequence[Assertion] = ()
    scripts: Sequence[str] = ()
    inputs: Sequence[Call] = ()
    tolerance: float = 0.0
    prelude: str = ""
    reference: str = ""
    visible_scripts: Sequence[str] = ()
    visible_from_text: bool = False
