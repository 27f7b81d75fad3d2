"""Tasks are an interface: a loader of one's own, and batches."""

from __future__ import annotations

import random

import pytest

from tgsci.errors import UsageError
from tgsci.textgrad.tasks import DataLoader, Dataset, load_instance_task, load_task, register


class Sums(Dataset):
    def __getitem__(self, index):
        return f"{index} + 1?", index + 1

    def __len__(self):
        return 7


def test_batches_of_pairs_are_columns_in_a_new_order_each_time():
    random.seed(12)
    loader = DataLoader(Sums(), batch_size=3)
    first, second = list(loader), list(loader)
    assert [len(questions) for questions, _ in first] == [3, 3, 1]
    assert sorted(answer for _, answers in first for answer in answers) == list(range(1, 8))
    assert first != second
    assert next(iter(DataLoader([1, 2, 3], batch_size=2, shuffle=False))) == [1, 2]


def test_a_task_is_what_was_registered_under_its_name():
    register("sums", lambda evaluation_api, size=7: (Sums(), size, evaluation_api))
    assert load_task("sums", "engine", size=3)[1:] == (3, "engine")
    assert load_instance_task("sums", evaluation_api=None)[1] == 7
    with pytest.raises(UsageError, match=r"register\('GSM8K_DSPy', loader\)"):
        load_task("GSM8K_DSPy", None)
