"""The page about an instruction: what went wrong, grouped, beside what went right. No model writes it.

Only train examples are shown. Of validation there are counts alone: whoever proposes must not learn it by heart.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from tgsci.basics.texts import one_line

from ..datasets.example import Example
from ..scoring.intervals import accuracy_interval
from ..scoring.scorer import FAULTS, FORMAT, INCOMPLETE, NO_ANSWER, OFF_BY_ONE, OTHER_ORDER, WRONG_UNIT
from .student import Sample, accuracy, of_set

#: Examples of one fault that are shown, of all faults, and characters of a question and of a reply's end.
_OF_A_FAULT, _FAILURES, _QUESTION, _REPLY = 2, 6, 500, 1_300

#: What would help, by fault, where that can be said without knowing the task.
_HINTS = {
    NO_ANSWER: "no answer could be read: the instruction should say how the last line has to look",
    FORMAT: "the right answer is there, but not where or how it is read",
    OFF_BY_ONE: "one off: something is counted twice or left out",
    OTHER_ORDER: "the right parts in another order",
    INCOMPLETE: "parts are missing",
    WRONG_UNIT: "the number may be right, its unit is not",
}


def write_page(samples: Sequence[Sample], examples: Mapping[str, Example], reading: str, missing: int = 0) -> str:
    """Write the page.

    Args:
        samples: Of train and validation.
        examples: Train examples by id.
        reading: How an answer is read, in a line.
        missing: Validation examples that were not asked, because the search drops what is behind.
    """
    train, validation = of_set(samples, "train"), of_set(samples, "validation")
    lines = [headline("Validation", validation)]
    if missing:
        lines[0] += f"; {missing} more were not asked"
    wrong = faults(validation)
    if wrong:
        lines.append(f"  wrong in validation: {listed(wrong)} (its questions are not shown)")
    if train:
        lines += ["", headline("Train minibatch", train), f"How an answer is read: {reading}"]
        lines += _failures([sample for sample in train if sample.right < 1], train, examples)
    return "\n".join(lines)


def headline(name: str, samples: Sequence[Sample]) -> str:
    """Write an accuracy with its number of examples and its 95 % interval."""
    n = len(samples)
    if not n:
        return f"{name}: nothing was asked"
    right = sum(sample.right for sample in samples)
    low, high = accuracy_interval(right, n)
    interval = f"95 % interval {100 * low:.0f} to {100 * high:.0f} %"
    return f"{name}: {accuracy(samples):.1f} % right ({right:g} of {n}; {interval})"


def faults(samples: Iterable[Sample]) -> dict[str, int]:
    """Count what went wrong, in the order of `FAULTS`."""
    count = Counter(sample.fault for sample in samples if sample.fault)
    return {fault: count[fault] for fault in FAULTS if count[fault]}


def listed(count: Mapping[str, int]) -> str:
    """Write counts on a line, the most frequent first: "off by one 9, no answer 2"."""
    return ", ".join(f"{fault} {n}" for fault, n in sorted(count.items(), key=lambda item: -item[1]))


def _failures(wrong: Sequence[Sample], train: Sequence[Sample], examples: Mapping[str, Example]) -> list[str]:
    right = [sample for sample in train if sample.right >= 1]
    if not wrong:
        return ["All of them are right.", *_shown("RIGHT", right[:2], examples)]
    lines = []
    left = _FAILURES
    for fault, count in sorted(faults(wrong).items(), key=lambda item: -item[1]):
        if left <= 0:
            break
        hint = f" ({_HINTS[fault]})" if fault in _HINTS else ""
        lines += ["", f"== {fault.upper()}: {count} of {len(train)}{hint}"]
        group = [sample for sample in wrong if sample.fault == fault][: min(_OF_A_FAULT, left)]
        left -= len(group)
        lines += _shown("WRONG", group, examples)
        # Side by side: the right one that is most like the first wrong one shows what makes the difference.
        near = _nearest(group[0], right, examples)
        if near:
            right = [sample for sample in right if sample is not near]
            lines += _shown("RIGHT, for comparison", [near], examples)
    if not right and len(wrong) == len(train):
        lines += ["", "None of the minibatch is right."]
    return lines


def _shown(title: str, samples: Sequence[Sample], examples: Mapping[str, Example]) -> list[str]:
    lines = []
    for sample in samples:
        question = one_line(examples[sample.id].prompt)
        expected, read = (_cut(one_line(text), 200) for text in (sample.expected, sample.answer))
        lines += [
            f"- {title} (train {sample.id}): {_cut(question, _QUESTION)}",
            f"  expected: {expected}; read: {read or 'nothing'}",
            f"  the reply ends: {_end(one_line(sample.reply), _REPLY) or '(empty)'}",
        ]
    return lines


def _nearest(wrong: Sample, right: Sequence[Sample], examples: Mapping[str, Example]) -> Sample | None:
    """Find the right sample whose question has most words in common with the wrong one's."""
    words = set(examples[wrong.id].key.split())

    def likeness(sample: Sample) -> float:
        other = set(examples[sample.id].key.split())
        return len(words & other) / max(1, len(words | other))

    return max(right, key=likeness, default=None)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 3]}..."


def _end(text: str, most: int) -> str:
    return text if len(text) <= most else f"...{text[3 - most :]}"
