"""Data sets of our own, made from a seed: to try everything without a download."""

from __future__ import annotations

import csv
import json
import random
from collections.abc import Callable
from pathlib import Path

from tgsci.basics import checks
from tgsci.basics.files import write_atomically
from tgsci.errors import UsageError

from .example import Dataset, Example

#: By kind, the things that are counted; and under "words" those that are sorted.
_THINGS = {
    kind: words.split()
    for kind, words in csv.reader(
        Path(__file__).with_name("words.tsv").read_text(encoding="utf-8").splitlines(), delimiter="\t"
    )
}
_WORDS = _THINGS.pop("words")
_NUMBERS = ["zero", "one", "two", "three", "four", "five", "six"]


def _count_objects(rng: random.Random) -> tuple[str, str]:
    kind = rng.choice(list(_THINGS))
    others = [thing for name, things in _THINGS.items() if name != kind for thing in things]
    counted = [(thing, rng.choice((1, 1, 1, 2, 3, 4))) for thing in rng.sample(_THINGS[kind], rng.randint(3, 8))]
    distracting = [(thing, rng.choice((1, 2, 3))) for thing in rng.sample(others, rng.randint(0, 4))]
    listed = counted + distracting
    rng.shuffle(listed)
    named = [_some(thing, number) for thing, number in listed]
    question = f"I have {', '.join(named[:-1])}, and {named[-1]}. How many {kind} do I have?"
    return question, str(sum(number for _, number in counted))


def _some(thing: str, number: int) -> str:
    if number == 1:
        return f"{'an' if thing[0] in 'aeiou' else 'a'} {thing}"
    ending = "es" if thing.endswith(("ch", "sh", "s", "x", "o")) and thing not in ("piano", "cello") else "s"
    plural = f"{thing[:-1]}ies" if thing.endswith("y") and thing[-2] not in "aeo" else f"{thing}{ending}"
    return f"{_NUMBERS[number]} {plural}"


def _sort_words(rng: random.Random) -> tuple[str, str]:
    words = rng.sample(_WORDS, rng.randint(4, 14))
    return f"Sort the following words alphabetically: List: {' '.join(words)}", " ".join(sorted(words))


def _calculate(rng: random.Random) -> tuple[str, str]:
    a, b, c, d = (rng.randint(2, 40) for _ in range(4))
    text, value = rng.choice((
        (f"{a} + {b} * {c} - {d}", a + b * c - d),
        (f"({a} + {b}) * {c} - {d}", (a + b) * c - d),
        (f"{a} * {b} - {c} * {d}", a * b - c * d),
    ))  # fmt: skip
    return f"What is {text}?", str(value)


#: What can be made, by the name that `--make` takes.
MAKERS: dict[str, Callable[[random.Random], tuple[str, str]]] = {
    "object-counting": _count_objects,
    "word-sorting": _sort_words,
    "arithmetic": _calculate,
}
_MOST = 100_000


def make_dataset(name: str, examples: int = 250, seed: int = 0) -> Dataset:
    """Make a data set; the same seed gives the same one.

    Args:
        name: "object-counting", "word-sorting" or "arithmetic".
        examples: How many, no two alike.
        seed: Of all randomness.

    Raises:
        UsageError: No such set, or a number that cannot be used.
    """
    maker = MAKERS[checks.choice("the set to make", name, MAKERS)]
    most = checks.whole("examples", examples, 1, _MOST)
    rng = random.Random(f"{checks.whole('seed', seed)}:{name}")
    found: dict[str, Example] = {}
    for _ in range(100 * most):
        question, answer = maker(rng)
        example = Example(question, answer, str(len(found) + 1))
        found.setdefault(example.key, example)
        if len(found) == most:
            return Dataset(name, tuple(found.values()))
    raise UsageError(f"{name}: no {most:,} different questions were found")


def write_dataset(dataset: Dataset, path: Path) -> None:
    """Write open questions as a JSON file in the format of BIG-Bench Hard.

    Raises:
        OSError: It cannot be written; what was there stays.
    """
    examples = [{"input": example.question, "target": example.answer} for example in dataset]
    content = json.dumps({"name": dataset.name, "examples": examples}, ensure_ascii=False, indent=1)
    write_atomically(path, f"{content}\n")
