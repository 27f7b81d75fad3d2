from itertools import combinations

import pytest

from tgsci import UsageError
from tgsci_language.datasets.pass_at_k import mean_pass_at_k, pass_at_k


@pytest.mark.parametrize(("samples", "right", "k"), [(5, 0, 1), (5, 2, 1), (5, 2, 3), (6, 1, 6), (4, 4, 2), (7, 3, 4)])
def test_it_is_the_share_of_draws_with_a_right_one(samples, right, k):
    draws = list(combinations([True] * right + [False] * (samples - right), k))
    assert pass_at_k(samples, right, k) == pytest.approx(sum(map(any, draws)) / len(draws))


def test_the_mean_is_over_tasks():
    assert mean_pass_at_k([[True, False], [False, False]], 1) == pytest.approx(0.25)
    assert mean_pass_at_k([[True, False], [False, False]], 2) == pytest.approx(0.5)


def test_numbers_that_do_not_go_together_are_refused():
    with pytest.raises(UsageError, match=r"pass@3 needs 3 samples of each task; task 2 has 2"):
        mean_pass_at_k([[True] * 3, [True] * 2], 3)
    with pytest.raises(UsageError, match="at least one task"):
        mean_pass_at_k([], 1)
    with pytest.raises(UsageError, match="right must be"):
        pass_at_k(3, 4, 1)
    with pytest.raises(UsageError, match="k must be"):
        pass_at_k(3, 1, 4)
