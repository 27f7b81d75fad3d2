"""The value of a prompt search: an instruction, or one a step, with the examples that the student is shown."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from tgsci.basics.texts import literal, quote, trimmed
from tgsci.errors import InvalidValue

#: Longest instruction of one step, characters.
LONGEST = 20_000
_EXAMPLES = re.compile(r"<EXAMPLES>([^<]{0,10000})</EXAMPLES>")
_OUR_TAG = re.compile(r"</?(?:STEP_\d{1,3}|EXAMPLES)>")


@dataclass(frozen=True, slots=True)
class Prompt:
    """An instruction that was read.

    Args:
        steps: The instruction of each step, in order; most tasks have one.
        examples: Ids of the train examples that the student is shown, in order.
    """

    steps: tuple[str, ...]
    examples: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Write the canonical text: that of a single step as it is, several in numbered tags, examples last."""
        if len(self.steps) == 1:
            text = self.steps[0]
        else:
            text = "\n".join(f"<STEP_{i}>\n{step}\n</STEP_{i}>" for i, step in enumerate(self.steps, 1))
        return f"{text}\n<EXAMPLES>{' '.join(self.examples)}</EXAMPLES>" if self.examples else text


def read_prompt(value: str, steps: int, most_examples: int = 0, train: Sequence[str] = ()) -> Prompt:
    """Read a value strictly.

    Args:
        value: An instruction; for several steps each between <STEP_1> and </STEP_1>, and so on; at the end the ids of
            examples between <EXAMPLES> and </EXAMPLES>, where the task takes any.
        steps: How many steps the task has.
        most_examples: How many examples a value may show.
        train: The ids that it may name.

    Raises:
        InvalidValue: It cannot be used; says why, for whoever proposed it.
    """
    rest, named = _without_examples(value)
    if named and not most_examples:
        raise InvalidValue("this task shows the student no examples: leave out <EXAMPLES>")
    if len(named) > most_examples:
        raise InvalidValue(f"it names {len(named)} examples; the most is {most_examples}")
    unknown = [id for id in named if id not in train]
    if unknown:
        raise InvalidValue(f"there is no train example {quote(unknown[0])}; name them by their numbers: {_some(train)}")
    if len(set(named)) < len(named):
        raise InvalidValue("it names an example twice")
    texts = [rest] if steps == 1 else _steps(rest, steps)
    instructions = tuple(trimmed(text) for text in texts)
    for number, instruction in enumerate(instructions, 1):
        where = "the instruction" if steps == 1 else f"the instruction of step {number}"
        if not instruction:
            raise InvalidValue(f"{where} is empty")
        if len(instruction) > LONGEST:
            raise InvalidValue(f"{where} has {len(instruction)} characters; the most is {LONGEST}")
        stray = _OUR_TAG.search(instruction)
        if stray:
            raise InvalidValue(f"{where} holds {stray[0]}, which has a meaning of its own here; {_form(steps)}")
    return Prompt(instructions, tuple(named))


def _without_examples(value: str) -> tuple[str, list[str]]:
    found = list(_EXAMPLES.finditer(value))
    if not found:
        return value, []
    if len(found) > 1 or value[found[0].end() :].strip():
        raise InvalidValue("<EXAMPLES> stands once, at the very end")
    return value[: found[0].start()], found[0][1].replace(",", " ").split()


def _steps(text: str, steps: int) -> list[str]:
    found, at = [], 0
    for number in range(1, steps + 1):
        opening, closing = f"<STEP_{number}>", f"</STEP_{number}>"
        start = text.find(opening, at)
        end = text.find(closing, start)
        if start < 0 or end < 0 or text[at:start].strip():
            raise InvalidValue(f"there is no {opening}...{closing} in its place; {_form(steps)}")
        found.append(text[start + len(opening) : end])
        at = end + len(closing)
    if text[at:].strip():
        raise InvalidValue(f"after the last step stands {literal(text[at:].strip(), 40)}; {_form(steps)}")
    return found


def _form(steps: int) -> str:
    """Say how a value is written."""
    if steps == 1:
        return "write the instruction as plain text"
    return f"write {steps} instructions, each between its own tags, from <STEP_1>...</STEP_1> to <STEP_{steps}>"


def _some(ids: Sequence[str]) -> str:
    return ", ".join(ids[:5]) + (", ..." if len(ids) > 5 else "")
