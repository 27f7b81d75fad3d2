"""Train, validation and test: three sets that have nothing in common."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from tgsci.basics import checks
from tgsci.basics.texts import literal, quote
from tgsci.errors import UsageError

from .example import Dataset, Example

#: Sizes of train, validation and test that TextGrad takes of a BIG-Bench Hard file.
TEXTGRAD_SIZES = (50, 100, 100)
#: Shares of train, validation and test where nothing is said.
SHARES = (0.2, 0.4, 0.4)
NAMES = ("train", "validation", "test")


@dataclass(frozen=True)
class Split:
    """Three sets of examples: what gradients come from, what decides, and what is measured once.

    Args:
        train: Shown to whoever proposes.
        validation: Decides what is kept; never shown.
        test: Measured once, at the end; never shown, and decides nothing.

    Raises:
        UsageError: A set is empty, a question stands in two of them, or one question has two answers.
    """

    train: Dataset
    validation: Dataset
    test: Dataset

    def __post_init__(self) -> None:
        seen: dict[str, tuple[str, Example]] = {}
        for name, dataset in self.sets.items():
            if not dataset:
                raise UsageError(f"the {name} set is empty")
            for example in dataset:
                other, first = seen.setdefault(example.key, (name, example))
                where = f"{name} {example.id} and {other} {first.id}: {quote(example.question)}"
                if other != name:
                    raise UsageError(
                        f"the split overlaps, so its figures would mean little: the same question is {where}. Remove "
                        'it, or write duplicates = "drop" to keep each question once'
                    )
                if first.answer != example.answer:
                    raise UsageError(
                        f"one question has two answers, {quote(first.answer)} and {quote(example.answer)}: {where}. "
                        'Correct the file, or write duplicates = "drop" to keep the first'
                    )

    @property
    def sets(self) -> Mapping[str, Dataset]:
        """The three sets by their names."""
        return {"train": self.train, "validation": self.validation, "test": self.test}

    @property
    def digest(self) -> str:
        """A name of the content of all three."""
        return " ".join(dataset.digest for dataset in self.sets.values())


def split_dataset(
    dataset: Dataset,
    sizes: Sequence[float] = SHARES,
    *,
    shuffle: int | None = None,
    drop_duplicates: bool = False,
) -> Split:
    """Split a data set: the first for train, the next for validation, the last for test.

    Args:
        dataset: What to split.
        sizes: Three whole numbers, of examples; or three shares of the set, each below 1. What is left between
            validation and test is not used.
        shuffle: A seed: the examples are mixed first. None leaves them in the file's order.
        drop_duplicates: Keep each question once, rather than refuse the set; a copy in test stays, then in validation.

    Raises:
        UsageError: Sizes that do not fit, or anything that `Split` refuses.
    """
    train, validation, test = _counts(sizes, len(dataset), NAMES)
    order = _mixed(dataset, shuffle)
    parts = order[:train], order[train : train + validation], order[len(order) - test :]
    return make_split(*parts, name=dataset.name, drop_duplicates=drop_duplicates)


def split_in_two(
    dataset: Dataset, sizes: Sequence[float], *, shuffle: int | None = None
) -> tuple[list[Example], list[Example]]:
    """Split a data set into train and validation, where test is another file; the arguments as for `split_dataset`.

    Args:
        dataset: What to split.
        sizes: Two whole numbers, or two shares.
        shuffle: As for `split_dataset`.
    """
    train, validation = _counts(sizes, len(dataset), NAMES[:2])
    order = _mixed(dataset, shuffle)
    return order[:train], order[train : train + validation]


def make_split(
    train: Iterable[Example],
    validation: Iterable[Example],
    test: Iterable[Example],
    *,
    name: str = "",
    drop_duplicates: bool = False,
) -> Split:
    """Make a split of three lists of examples; the arguments are those of `split_dataset`."""
    parts = [list(train), list(validation), list(test)]
    if drop_duplicates:
        seen: set[str] = set()
        for part in reversed(parts):
            once: dict[str, Example] = {}
            for example in part:
                if example.key not in seen:
                    once.setdefault(example.key, example)
            part[:] = once.values()
            seen.update(once)
    return Split(*(Dataset(f"{name} {kind}".strip(), tuple(p)) for kind, p in zip(NAMES, parts, strict=True)))


def _mixed(dataset: Dataset, seed: int | None) -> list[Example]:
    order = list(dataset)
    if seed is not None:
        random.Random(f"{seed}:split").shuffle(order)
    return order


def _counts(sizes: Sequence[float], total: int, names: Sequence[str]) -> list[int]:
    if isinstance(sizes, str) or len(sizes) != len(names):
        raise UsageError(f"split must be {len(names)} numbers, of {' and '.join(names)}; not {literal(sizes)}")
    numbers = [checks.number("a size of split", size, above=0) for size in sizes]
    if all(number < 1 for number in numbers):
        if sum(numbers) > 1 + 1e-9:
            raise UsageError(f"the shares of split add up to {sum(numbers):g}; the most is 1")
        numbers = [float(int(number * total + 1e-9)) for number in numbers]
    counts = [checks.whole("a size of split", int(n) if n == int(n) else n, 0) for n in numbers]
    if 0 in counts:
        raise UsageError(f"the {names[counts.index(0)]} set is empty: split {list(sizes)} of {total} examples")
    if sum(counts) > total:
        raise UsageError(f"split asks for {' + '.join(map(str, counts))} = {sum(counts)} examples; there are {total}")
    return counts
