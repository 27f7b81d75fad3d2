"""Goals as sentences, and goals that exclude each other."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tgsci.errors import UsageError
from tgsci_radiotherapy.goals import Metric
from tgsci_radiotherapy.goals.goal import Goal, parse_goal


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("PTV D95% >= 50 Gy, priority 1", Goal("PTV", Metric("D%", 95.0), ">=", 50.0, "Gy", 0.0, 1)),
        ("PTV D95%>=50Gy", Goal("PTV", Metric("D%", 95.0), ">=", 50.0, "Gy")),
        ("PTV D95% > 95%", Goal("PTV", Metric("D%", 95.0), ">=", 95.0, "%")),
        ("Parotid L Dmean < 25 Gy, tolerance 1 Gy", Goal("Parotid L", Metric("Dmean"), "<=", 25.0, "Gy", 1.0)),
        ("Lung V 20 Gy <= 30 %", Goal("Lung", Metric("VGy", 20.0, "%"), "<=", 30.0, "%")),
        ("Bowel V15Gy ≤ 120 cc, optional", Goal("Bowel", Metric("VGy", 15.0, "cc"), "<=", 120.0, "cc", optional=True)),
        ("Bowel V15Gy[cc] <= 120 cm3", Goal("Bowel", Metric("VGy", 15.0, "cc"), "<=", 120.0, "cc")),
        ("PTV V95% >= 98%", Goal("PTV", Metric("V%", 95.0, "%"), ">=", 98.0, "%")),
        ("PTV HI <= 0.1, Priority: 3", Goal("PTV", Metric("HI", 0.0, ""), "<=", 0.1, "", 0.0, 3)),
        ("[TARGETS] CI >= 0.8", Goal("[targets]", Metric("CI", 0.0, ""), ">=", 0.8, "")),
        ("CTV 70.2 Gy D98% >= 66 Gy", Goal("CTV 70.2 Gy", Metric("D%", 98.0), ">=", 66.0, "Gy")),
    ],
)
def test_goals_are_read(text: str, expected: Goal) -> None:
    found = parse_goal(text)
    assert replace(found, text="") == expected
    assert replace(parse_goal(str(found)), text="") == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("PTV D95% 50 Gy", "has 0"),
        ("PTV 40 Gy <= D95% <= 50 Gy", "has 2"),
        ("PTV D95% = 50 Gy", "write <= or >=, not ="),
        ("PTV D95% => 50 Gy", "write <= or >=, not =>"),
        ("D95% >= 50 Gy", "needs a structure and a metric"),
        ("PTV D95 >= 50 Gy", "write D95% or D95cc"),
        ("PTV coverage >= 50 Gy", "no metric 'coverage'"),
        ("PTV D95% >= 50", "its limit has no unit"),
        ("PTV D95% >= 50 cc", "its limit is in cc"),
        ("PTV D95% >= 5000 cGy", "write 50 Gy"),
        ("PTV D95% >= 5000 Gy", "write 50 Gy"),
        ("PTV D95% >= fifty Gy", "must be a number and its unit"),
        ("PTV D95% >= nan Gy", "must be a number and its unit"),
        ("PTV D95% >= -5 Gy", "negative"),
        ("PTV D95% >= 0 Gy", "cannot be"),
        ("Lung V20Gy <= 30", "write 30% or 30 cc"),
        ("Lung V20Gy <= 30 Gy", "is a volume"),
        ("Lung V20Gy <= 130%", "write 0 to 100%"),
        ("Lung V20Gy[cc] <= 30%", "write one of them"),
        ("Lung V2000cGy <= 30%", "write V20Gy"),
        ("PTV HI <= 10%", "HI has no unit"),
        ("PTV D95% >= 50 Gy, priority high", "a priority is a whole number from 1"),
        ("PTV D95% >= 50 Gy, priority 0", "a priority is a whole number from 1"),
        ("PTV D95% >= 50 Gy, priority 1, priority 2", "priority stands twice"),
        ("PTV D95% >= 50 Gy, tolerance 2%", "tolerance must be in the limit's unit"),
        ("PTV D95% >= 50 Gy, tolerance -1 Gy", "negative"),
        ("PTV D95% >= 50 Gy, important", "is none of: priority 1, tolerance 1 Gy, optional"),
        ("<script> D95% >= 50 Gy", "has 3"),
        ("\u202e\u202e D95% >= 50 Gy", "names no structure"),
        ("x" * 300, "at most 200 characters"),
    ],
)
def test_what_is_no_goal_says_what_to_write(text: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_goal(text)
    assert said in str(caught.value)
    assert str(caught.value).isprintable()


@settings(deadline=None)
@given(
    st.sampled_from(["PTV", "Parotid_L", "[targets]", "CTV 70"]),
    st.sampled_from(
        [("D95%", "Gy"), ("D2cc", "%"), ("V20Gy", "%"), ("V20Gy", "cc"), ("HI", ""), ("Dmean", "Gy"), ("CV5Gy", "cc")]
    ),
    st.sampled_from(["<=", ">="]),
    st.integers(1, 9000).map(lambda n: n / 100),
    st.integers(0, 500).map(lambda n: n / 100),
    st.integers(1, 4),
    st.booleans(),
)
def test_a_goal_reads_back_from_its_own_words(
    structure: str, what: tuple[str, str], sign: str, limit: float, tolerance: float, priority: int, optional: bool
) -> None:
    metric, unit = what
    more = ", optional" if optional else ""
    first = parse_goal(
        f"{structure} {metric} {sign} {limit} {unit}, tolerance {tolerance} {unit}, priority {priority}{more}"
    )
    assert replace(parse_goal(str(first)), text="") == replace(first, text="")
    assert (first.limit, first.tolerance, first.priority, first.optional) == (limit, tolerance, priority, optional)


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("Cord D0.03cc[Gy] <= 45", "Cord D0.03cc <= 45 Gy"),
        ("Lung V20Gy[cc] <= 500", "Lung V20Gy[cc] <= 500 cc"),
        ("Lung V20Gy[%] <= 30", "Lung V20Gy <= 30%"),
        ("PTV D95%[Gy] >= 70", "PTV D95% >= 70 Gy"),
        ("PTV D95%[%] >= 95", "PTV D95% >= 95%"),
        ("PTV V95%[%] >= 98", "PTV V95% >= 98%"),
        ("PTV Max[Gy] <= 77", "PTV Dmax <= 77 Gy"),
        ("Parotid Mean[Gy] <= 26, tolerance 2", "Parotid Dmean <= 26 Gy, tolerance 2 Gy"),
        ("PTV CI95% >= 0.8", "PTV CI95% >= 0.8"),
        ("PTV DC2%[Gy] >= 60", "PTV D98% >= 60 Gy"),
        ("Left Eye D 0.03 cc [Gy] <= 8", "Left Eye D0.03cc <= 8 Gy"),
        ("PTV63 - (PTV70 + 5 mm) D2%[%] <= 107", "PTV63 - (PTV70 + 5 mm) D2% <= 107%"),
    ],
)
def test_tg263_with_the_unit_in_brackets(text: str, means: str) -> None:
    assert str(parse_goal(text)) == f"{means}, priority 1"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("PTV D95%[%] >= 70 Gy", "the metric is in % and its limit in Gy"),
        ("PTV D95%[foo] >= 70", r"write \[Gy\], \[%\] or \[cc\]"),
        ("PTV D95[Gy] >= 70", "write D95% or D95cc"),
        ("Lung V20[cc] <= 3", "write V20Gy"),
        ("Lung V20Gy[Gy] <= 3", "is a volume"),
        ("Lung Mean[cc] <= 3", r"leave \[cc\] out"),
        ("PTV CI95 >= 0.8", "write CI95%"),
        ("PTV CI900% >= 0.8", "write 10 to 150"),
        ("PTV DC0.5cc[Gy] >= 60", "D in %"),
        ("Body R50% <= 5", "set a limit for V20Gy"),
        ("PTV Volume[cc] <= 60", "no goal of a plan"),
        ("PTV NTCP <= 3", "not modelled"),
    ],
)
def test_what_tg263_has_and_this_has_not_is_refused_with_what_to_write(text: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        parse_goal(text)
