"""Data sets and batches of them."""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any


class Dataset(ABC):
    """Samples by number. Derive from it, and give it to a `DataLoader`."""

    @abstractmethod
    def __getitem__(self, index: int) -> Any:
        """Return the sample of that number, usually a tuple (question, answer)."""

    @abstractmethod
    def __len__(self) -> int:
        """Return how many samples there are."""


class DataLoader:
    """Go through a data set in batches, in a new order each time.

    Args:
        data: The samples: a `Dataset` or any sequence.
        batch_size: Samples a batch; the last one may be smaller.
        shuffle: False keeps the order. The order comes from `random`, so that `random.seed` repeats it.
    """

    def __init__(self, data: Dataset | Sequence[Any], batch_size: int = 32, shuffle: bool = True) -> None:
        self.data = data
        self.batch_size = batch_size
        self.shuffle = shuffle

    def __iter__(self) -> Iterator[Any]:
        """Yield batches: of tuples a tuple of columns, else a list of samples."""
        order = list(range(len(self.data)))
        if self.shuffle:
            random.shuffle(order)
        for first in range(0, len(order), self.batch_size):
            batch = [self.data[index] for index in order[first : first + self.batch_size]]
            yield tuple(zip(*batch, strict=True)) if isinstance(batch[0], tuple) else batch
