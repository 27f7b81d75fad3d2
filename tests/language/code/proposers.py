"""Engines that answer as a model that writes code would, from a script: wrong, slow and right code."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Sequence

from tgsci.testing import Scripted


def reply(prompt: str, solutions: Sequence[tuple[str, str]]) -> str:
    """Write solutions, each with the name of its change, in the form that the prompt asks for."""
    tags = re.findall(r"<([A-Z_]*V[A-Z_]*?)(_1)?>", prompt)
    name, numbered = tags[-1]
    if "IDEA 1 |" in prompt:
        return "\n\n".join(
            f"IDEA {i} | FROM 0 | ROLE refine | EXPECT 0.5\nCHANGE: {change}\nREASON: {change}\n"
            f"<{name}>\n{code}\n</{name}>"
            for i, (change, code) in enumerate(solutions, 1)
        )
    return "\n".join(
        f"<REASON{n}>{change}</REASON{n}>\n<{name}{n}>\n{code}\n</{name}{n}>"
        for n, (change, code) in ((f"_{i}" if numbered else "", each) for i, each in enumerate(solutions, 1))
    )


class Coder(Scripted):
    """Writes the next solutions of a list at each question, and keeps the last ones at the end.

    Args:
        solutions: The name of a change, and the code.
        each: How many it writes at a question.
    """

    def __init__(self, solutions: Sequence[tuple[str, str]], each: int = 1) -> None:
        self.solutions, self.each = solutions, each
        self._asked = 0
        self._counting = threading.Lock()
        super().__init__(self._answer, name="coder")

    def _answer(self, prompt: str, system: str) -> str:
        with self._counting:
            first, self._asked = self._asked, self._asked + self.each
        return reply(prompt, self.solutions[first : first + self.each] or self.solutions[-1:])


def reader(rules: Sequence[tuple[str, str, str]]) -> Callable[[str, str], str]:
    """Make an engine that reads the page: the first rule whose pattern is in the prompt says what it writes.

    Args:
        rules: A regular expression, the name of a change, and the code.
    """

    def answer(prompt: str, system: str = "") -> str:
        for pattern, change, code in rules:
            if re.search(pattern, prompt):
                return reply(prompt, [(change, code)])
        raise AssertionError(f"no rule for this prompt: {prompt[-2000:]}")

    return answer
