"""Dose-volume metrics: hand-computed cases exactly, dicompyler-core closely, and what holds of any dose."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tgsci.errors import UsageError
from tgsci_radiotherapy.goals import Metric
from tgsci_radiotherapy.goals.values import RankedDoses

#: Ten voxels of 0.5 cc.
TEN = np.array([4.0, 1.0, 10.0, 7.0, 2.0, 9.0, 5.0, 3.0, 8.0, 6.0])
CC = 0.5


def value(text: str, dose: np.ndarray = TEN, prescription: float = 8.0) -> float:
    return Metric.parse(text).value(dose, CC, prescription, everything=np.concatenate([dose, [8.0, 9.0, 1.0]]))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("D10%", 10.0),  # the hottest voxel
        ("D50%", 6.0),  # the hottest five: 10 9 8 7 6
        ("D95%", 1.5),  # half way from the ninth to the tenth
        ("D100%", 1.0),
        ("D0%", 10.0),
        ("D5%", 10.0),  # half a voxel: the hottest
        ("D15%", 9.5),
        ("D0.03cc", 10.0),  # less than a voxel
        ("D0.5cc", 10.0),
        ("D1cc", 9.0),
        ("D1.25cc", 8.5),
        ("D5cc", 1.0),
        ("D20cc", 1.0),  # more than the structure has
        ("Dmax", 10.0),
        ("Dmin", 1.0),
        ("Dmean", 5.5),
        ("Median", 6.0),
        ("V6Gy", 50.0),  # 6 itself counts
        ("V6.01Gy", 40.0),
        ("V6Gy[cc]", 2.5),
        ("V0.5Gy", 100.0),
        ("V11Gy", 0.0),
        ("V50%", 70.0),  # 4 of 8 Gy
        ("V100%[cc]", 1.5),
        ("CV6Gy", 50.0),
        ("CV4Gy[cc]", 1.5),
        ("HI", (10.0 - 1.2) / 6.0),  # D2% 10, D98% 1 + 0.2, D50% 6
        ("CI", 3.0**2 / (10 * 5)),  # 3 of 10 get 8 Gy, 5 of all
        ("CI100%", 3.0**2 / (10 * 5)),
        ("CI75%", 5.0**2 / (10 * 7)),  # 6 Gy
        ("DC50%", 6.0),
        ("D50%[Gy]", 6.0),
        ("D 0.5 cm\u00b3 [Gy]", 10.0),
        ("Max[Gy]", 10.0),
        ("Mean[Gy]", 5.5),
        ("V6Gy[%]", 50.0),
        ("V6Gy[cm3]", 2.5),
        ("gEUD(1)", 5.5),
        ("gEUD(2)", math.sqrt(38.5)),
        ("gEUD(-1)", 10.0 / sum(1.0 / k for k in range(1, 11))),
    ],
)
def test_ten_voxels_by_hand(text: str, expected: float) -> None:
    assert value(text) == pytest.approx(expected, rel=1e-12)


def test_one_voxel_and_uniform_dose() -> None:
    one = np.array([3.0], np.float32)
    for text in ("D95%", "D2%", "D2cc", "Dmean", "Dmax", "Dmin", "gEUD(8)", "gEUD(-8)"):
        assert value(text, one) == pytest.approx(3.0)
        assert value(text, np.full(7, 3.0)) == pytest.approx(3.0)
    assert value("HI", one) == 0.0


def test_no_dose_at_all() -> None:
    none = np.zeros(5)
    assert value("gEUD(8)", none) == value("gEUD(-8)", none) == value("D95%", none) == 0.0
    assert math.isnan(value("HI", none))
    assert Metric.parse("CI").value(none, CC, 8.0, everything=none) == 0.0


def test_a_rank_that_is_whole_but_for_rounding_is_whole() -> None:
    """95% of 300 voxels are 285, though 0.95 * 300 is not: the metric is that voxel's dose, without its neighbour's."""
    dose = np.arange(300.0)
    for percent in range(1, 100):
        assert Metric.parse(f"D{percent}%").value(dose) == 300 - 3 * percent


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("d95%", "D95%"),
        ("D 95 %", "D95%"),
        ("D_95%", "D95%"),
        ("D95%[Gy]", "D95%"),
        ("D0.03cc", "D0.03cc"),
        ("d2cm3", "D2cc"),
        ("V20Gy", "V20Gy"),
        ("v20gy[%]", "V20Gy"),
        ("V 20 Gy [cc]", "V20Gy[cc]"),
        ("V20Gy[cm3]", "V20Gy[cc]"),
        ("V95%", "V95%"),
        ("CV15Gy[cc]", "CV15Gy[cc]"),
        ("mean[Gy]", "Dmean"),
        ("Max", "Dmax"),
        ("D50%", "D50%"),
        ("median", "D50%"),
        ("hi", "HI"),
        ("geud(8)", "gEUD(8)"),
        ("EUD(-10)", "gEUD(-10)"),
        ("gEUD(a=4)", "gEUD(4)"),
    ],
)
def test_metrics_are_read_and_written_in_one_way(text: str, canonical: str) -> None:
    metric = Metric.parse(text)
    assert str(metric) == canonical
    assert Metric.parse(canonical) == metric


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("D95", "write D95% or D95cc"),
        ("V20", "write V20Gy, or V20% of the prescription"),
        ("V2000cGy", "write V20Gy"),
        ("V5000Gy", "write V50Gy"),
        ("D120%", "write 0 to 100"),
        ("D0cc", "write Dmax"),
        ("D95%[cGy]", "write [Gy]"),
        ("D95%[cc]", "D95% is in Gy"),
        ("V20Gy[Gy]", "is a volume"),
        ("HI[%]", "a plain number"),
        ("gEUD(0)", "the exponent"),
        ("EUD(900)", "the exponent"),
        ("Dmedium", "no metric 'Dmedium'"),
        ("", "no metric ''"),
        ("D95%\x1b[31m", "no metric"),
        ("x" * 5000, "no metric"),
        ("D" + "9" * 50 + "%", "no metric"),
    ],
)
def test_what_is_no_metric_says_what_to_write(text: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        Metric.parse(text)
    assert said in str(caught.value)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 400


def test_what_is_missing_is_said() -> None:
    with pytest.raises(UsageError, match="V95% needs the prescription"):
        Metric.parse("V95%").value(TEN)
    with pytest.raises(UsageError, match="D2cc needs the volume of a voxel"):
        Metric.parse("D2cc").value(TEN)
    with pytest.raises(UsageError, match="outside the structure"):
        Metric.parse("CI").value(TEN, CC, 8.0)
    with pytest.raises(UsageError, match="N at least 1"):
        Metric.parse("D95%").value(np.zeros(0))


doses = arrays(np.float64, st.integers(1, 60), elements=st.floats(0.0, 80.0, width=32))
percents = st.floats(0.0, 100.0)


@settings(deadline=None)
@given(doses, percents, percents)
def test_a_smaller_volume_gets_no_less(dose: np.ndarray, a: float, b: float) -> None:
    low, high = Metric("D%", max(a, b)).value(dose), Metric("D%", min(a, b)).value(dose)
    assert dose.min() <= low <= high <= dose.max()


@settings(deadline=None)
@given(doses, st.floats(0.1, 90.0), st.floats(0.1, 90.0))
def test_a_higher_dose_reaches_no_more_volume(dose: np.ndarray, a: float, b: float) -> None:
    more, less = (Metric("VGy", x, "%").value(dose) for x in (min(a, b), max(a, b)))
    assert 100.0 >= more >= less >= 0.0
    assert Metric("CVGy", a, "%").value(dose) == pytest.approx(100.0 - Metric("VGy", a, "%").value(dose))


@settings(deadline=None)
@given(doses, st.integers(1, 60))
def test_dose_at_volume_and_volume_at_dose_are_inverse_at_voxels(dose: np.ndarray, k: int) -> None:
    k = min(k, len(dose))
    at = Metric("D%", 100.0 * k / len(dose)).value(dose)
    assert Metric("VGy", at, "cc").value(dose, 1.0) >= k if at > 0 else True


ALL = ("D95%", "D2%", "D37.5%", "D0.7cc", "D3cc", "Dmean", "Dmax", "Dmin", "gEUD(3)", "gEUD(-3)")


@settings(deadline=None)
@given(doses, st.sampled_from(ALL), st.floats(0.1, 10.0))
def test_twice_the_dose_is_twice_the_metric(dose: np.ndarray, text: str, factor: float) -> None:
    metric = Metric.parse(text)
    assert metric.value(factor * dose, CC) == pytest.approx(factor * metric.value(dose, CC), rel=1e-9, abs=1e-12)


@settings(deadline=None)
@given(doses, st.sampled_from([*ALL, "V20Gy", "V20Gy[cc]", "V95%", "CV3Gy", "HI"]), st.randoms(use_true_random=False))
def test_the_order_of_voxels_does_not_count(dose: np.ndarray, text: str, rng: object) -> None:
    mixed = dose[rng.sample(range(len(dose)), len(dose))]  # type: ignore[attr-defined]
    metric = Metric.parse(text)
    assert metric.value(mixed, CC, 50.0) == pytest.approx(metric.value(dose, CC, 50.0), rel=1e-12, nan_ok=True)


@settings(deadline=None)
@given(doses, st.sampled_from(ALL))
def test_single_precision_gives_the_same(dose: np.ndarray, text: str) -> None:
    metric = Metric.parse(text)
    assert metric.value(dose.astype(np.float32), CC) == pytest.approx(metric.value(dose, CC), rel=1e-6)


@settings(deadline=None)
@given(doses, st.lists(st.floats(0.5, 70.0), min_size=1, max_size=8))
def test_ranks_prepared_together_are_those_of_a_full_sort(dose: np.ndarray, ranks: list[float]) -> None:
    ordered = RankedDoses(dose, ranks[:-1])
    descending = np.sort(dose)[::-1]
    for rank in ranks:
        assert ordered.at(rank) == pytest.approx(np.interp(rank, np.arange(1, len(dose) + 1), descending), abs=1e-12)


def realistic(kind: str) -> np.ndarray:
    """Doses as plans have them: a target with shoulders, an organ in the fall-off, a body that gets little."""
    rng = np.random.default_rng(7)
    if kind == "target":
        return np.clip(rng.normal(51.5, 0.9, 6000) - rng.exponential(0.4, 6000), 30, 56)
    if kind == "organ":
        return 52.0 / (1.0 + np.exp(rng.uniform(-3.0, 3.0, 4000) / 0.8)) + rng.uniform(0.5, 2.0, 4000)
    return np.concatenate([rng.exponential(6.0, 30000).clip(0, 50), rng.normal(50, 2, 800)])


@pytest.mark.parametrize("kind", ["target", "organ", "body"])
def test_dicompyler_core_agrees(kind: str) -> None:
    """Its histograms have bins of 1 cGy and it takes the nearest bin: within 0.1 Gy, and 0.1% of the volume.

    Volumes of a few voxels (0.1 cc are 3.7) are the exception: it takes the dose of the nearer voxel, we between the
    two. There the doses may be as far apart as those two voxels are.
    """
    dvh = pytest.importorskip("dicompylercore.dvh")
    dose, voxel_cc = realistic(kind), 0.027
    counts, bins = np.histogram(dose, np.arange(0.0, dose.max() + 0.02, 0.01))
    theirs = dvh.DVH(counts * voxel_cc, bins, dvh_type="differential")
    for name in ("D98", "D95", "D50", "D10", "D5", "D2"):
        assert Metric.parse(f"{name}%").value(dose) == pytest.approx(theirs.statistic(name).value, abs=0.1)
    hottest = np.sort(dose)[::-1]
    for cc in (0.1, 2, 10):
        rank = cc / voxel_cc
        apart = hottest[int(rank) - 1] - hottest[int(rank)]
        expected = theirs.statistic(f"D{cc}cc").value
        assert Metric("Dcc", cc).value(dose, voxel_cc) == pytest.approx(expected, abs=max(0.1, apart))
    total = len(dose) * voxel_cc
    for gray in (5, 10, 20, 30, 45, 49):
        expected = theirs.statistic(f"V{gray}Gy").value
        assert Metric.parse(f"V{gray}Gy[cc]").value(dose, voxel_cc) == pytest.approx(expected, abs=1e-3 * total)
        assert Metric.parse(f"V{gray}Gy").value(dose) == pytest.approx(100.0 * expected / total, abs=0.1)
    assert Metric.parse("Dmean").value(dose) == pytest.approx(theirs.mean, abs=0.1)
    assert Metric.parse("Dmax").value(dose) == pytest.approx(theirs.max, abs=0.1)
    assert Metric.parse("Dmin").value(dose) == pytest.approx(theirs.min, abs=0.1)
