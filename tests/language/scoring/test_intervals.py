import pytest

from tgsci_language.scoring.intervals import accuracy_interval, paired_difference


@pytest.mark.parametrize(
    ("right", "n", "low", "high"), [(81, 263, 0.2553, 0.3662), (0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0)]
)
def test_the_interval_of_an_accuracy_is_wilsons(right, n, low, high):
    """81 of 263: Newcombe (1998), table I, method 3."""
    assert accuracy_interval(right, n) == pytest.approx((low, high), abs=1e-4)


def test_the_paired_difference_agrees_with_agresti_and_min():
    """Their adjusted interval from the counts: ((c' - b') ± z sqrt(b' + c' - (c' - b')²/n')) / n'."""
    gained, lost, both, neither = 14, 5, 60, 21
    first = [0.0] * gained + [1.0] * lost + [1.0] * both + [0.0] * neither
    second = [1.0] * gained + [0.0] * lost + [1.0] * both + [0.0] * neither
    found = paired_difference(first, second)
    b, c, n = lost + 0.5, gained + 0.5, 102
    half = 1.959963984540054 * (b + c - (c - b) ** 2 / n) ** 0.5 / n
    assert (found.low, found.high) == pytest.approx(((c - b) / n - half, (c - b) / n + half))
    assert (found.mean, found.gained, found.lost, found.n) == (pytest.approx(0.09), 14, 5, 100)
    assert not found.within_noise
    assert "+9.0 points" in str(found)


def test_a_difference_of_few_questions_is_within_noise_and_says_so():
    found = paired_difference([0, 1, 1, 0], [1, 1, 1, 0])
    assert found.within_noise
    assert str(found).endswith("n = 4; gained 1, lost 0): within noise")
    assert paired_difference([1, 1], [1, 1]).within_noise
    with pytest.raises(ValueError, match="no pairs"):
        paired_difference([1], [])
