"""The figures of a comparison against those that others published or worked out by hand."""

import pytest

from tgsci_language.answers.comparison import Row, mcnemar


def test_mcnemars_exact_p_is_that_of_a_fair_coin():
    assert mcnemar(0, 0) == 1.0
    assert mcnemar(0, 5) == pytest.approx(2 / 2**5)
    assert mcnemar(3, 3) == 1.0
    assert mcnemar(1, 9) == mcnemar(9, 1) == pytest.approx(2 * (1 + 10) / 2**10)
    # Agresti, Categorical Data Analysis: approval of the prime minister, 150 against 86; z^2 = 17.36.
    assert mcnemar(86, 150) == pytest.approx(3.7e-5, rel=0.03)
    assert 0 < mcnemar(1000, 1100) < 0.05
    assert mcnemar(0, 3000) < 1e-15


def test_a_row_says_its_share_with_wilsons_interval():
    # Newcombe (1998), Statistics in Medicine 17, 857, table I: 81 of 263 gives 0.2553 to 0.3662.
    row = Row("draft", 1.0, 81, 263)
    assert row.accuracy == pytest.approx(0.3080, abs=1e-4)
    assert row.interval == pytest.approx((0.2553, 0.3662), abs=1e-4)
    assert row.cells == ["draft", "1", "81 of 263", "30.8", "25.5 to 36.6", "unknown"]
    assert Row("draft", 7.0, 0, 0).cells[3:5] == ["", ""]
