"""Figures for people keep their decimals; texts from outside are quoted, cut and harmless; near names are found."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tgsci.basics.texts import (
    column,
    compact,
    did_you_mean,
    differences,
    duration,
    figure,
    literal,
    metric,
    named_metric,
    nearest,
    one_line,
    quote,
    rounded,
    settings_differences,
    shell_word,
    visible,
    well_formed,
    with_type,
)


def test_a_metric_is_written_with_its_name_and_unit():
    assert named_metric("vina", -9.87, "kcal/mol") == "vina -9.870 kcal/mol"
    assert named_metric("rings", 3.0) == "rings 3"


def test_a_value_of_the_wrong_type_is_named_with_it():
    assert with_type(None) == "None"
    assert with_type("a") == "str 'a'"
    assert with_type(["a"] * 1000).startswith("list ['a', ")
    assert len(with_type(["a"] * 1000)) < 100


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (-12.0, "-12.00"),
        (-12.003, "-12.00"),
        (-9.8732, "-9.873"),
        (0.5, "0.5000"),
        (489.6, "489.6"),
        (12345.6, "12346"),
        (0.0, "0.000"),
        (-0.0, "0.000"),
        (9.99996, "10.00"),
        (0.00012, "0.0001200"),
        (1e-9, "1e-09"),
        (1e12, "1e+12"),
        (math.nan, ""),
        (None, ""),
        (math.inf, "inf"),
    ],
)
def test_a_figure_keeps_its_decimals(value, shown):
    assert figure(value) == shown


def test_whole_figures_without_a_unit_are_counts():
    assert metric(3.0) == "3"
    assert metric(-12.0, "kcal/mol") == "-12.00"
    assert metric(0.853) == "0.8530"
    assert metric(math.nan) == ""


def test_a_column_has_the_same_decimals_throughout():
    assert column([-12.003, -9.8732, None, math.nan, 0.5], "kcal/mol") == ["-12.00", "-9.87", "", "", "0.50"]
    assert column([3.0, 12.0], "") == ["3", "12"]
    assert column([3.0, 12.0]) == ["3.00", "12.00"]
    assert column([3.0, 12.5], "") == ["3.00", "12.50"]
    assert column([]) == []


@given(st.floats(-1e300, 1e300))
def test_a_figure_is_what_it_stands_for(value):
    shown = float(figure(value))
    assert math.isclose(shown, value, rel_tol=5.1e-3, abs_tol=1e-300) or abs(shown - value) < 1e-3
    assert len(figure(value)) <= 12


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (51.5, "51.5"),
        (1000.0, "1000"),
        (12345.6, "12350"),
        (0.035, "0.035"),
        (1e-6, "1e-06"),
        (-0.0, "0"),
        (1e20, "1e+20"),
    ],
)
def test_a_compact_figure_has_no_zeros_to_spare(value, text):
    assert compact(value) == text


def test_a_rounded_figure_is_a_number_still():
    assert rounded(51.23456) == 51.23
    assert math.copysign(1.0, rounded(-0.0)) == 1.0


def test_a_time_span_is_said_as_people_say_it():
    assert [duration(s) for s in (0.4, 59.6, 185, 7800)] == ["0 s", "1 min 00 s", "3 min 05 s", "2 h 10 min"]


def test_control_characters_show_as_escapes():
    assert visible("a\x1b[31m\nb") == "a\\x1b[31m\nb"
    assert one_line("  a\tb\r\n\x00c ") == "a b c"


def test_a_quoted_text_is_cut_and_plain_ascii():
    assert quote("abc") == "'abc'"
    assert quote("x\x1b\N{RIGHT-TO-LEFT OVERRIDE}") == "'x\\x1b\\u202e'"
    assert quote("a" * 100, 10) == "'aaaaaaaaaa...'"
    assert len(quote("\x1b" * 10**6)) <= 85


def test_a_value_of_any_kind_is_written_as_python_has_it():
    numpy = pytest.importorskip("numpy")
    assert [literal(v) for v in ("3", 3, None, [1, "a"])] == ["'3'", "3", "None", "[1, 'a']"]
    assert literal(numpy.float64(1.5)) == "1.5"
    assert literal(list(range(1000)), 20) == "[0, 1, 2, 3, 4, 5, 6..."


def test_a_path_is_one_word_of_a_command():
    assert shell_word("a b\x1b") == "'a b\\x1b'"
    assert shell_word("plan.json") == "plan.json"


def test_the_nearest_name_is_found_whatever_its_case_and_punctuation():
    names = ["dose_gy", "weight", "Ring Sizes"]
    assert nearest("DoseGy", names) == ["dose_gy"]
    assert nearest("ringsize", names) == ["Ring Sizes"]
    assert nearest("zzz", names) == nearest("dose", []) == []


def test_a_message_asks_what_was_meant_or_lists_what_there_is():
    assert did_you_mean("wieght", ["dose_gy", "weight"]) == "did you mean weight?"
    assert did_you_mean("aliases", ["structures", "goals"], {"aliases": "structures"}) == "did you mean structures?"
    assert did_you_mean("zzz", ["dose_gy", "weight"]) == "there are: dose_gy, weight"
    assert did_you_mean("ABL", ["ABL1", "ABL2", "F2"], most=2) == "did you mean ABL2 or ABL1?"
    assert did_you_mean(None, []) == "there are: none"
    assert did_you_mean("zzz", map(str, range(100))).endswith("38, 39 and 60 more")
    assert len(did_you_mean("a" * 10**6, ["b" * 10])) < 40


def test_differences_of_settings_are_named():
    assert differences("f(target=3.0)", "f(target=4.0)") == "target 3.0 there, 4.0 now"
    assert settings_differences({"target": "A", "n": 1}, {"target": "B", "n": 1}, "X", "Y") == [
        "target: A in X, B in Y"
    ]


def test_half_a_character_becomes_one_that_files_take():
    assert well_formed("a\ud800b") == "a\N{REPLACEMENT CHARACTER}b"
    assert well_formed("\ud83d\ude00") == "\N{GRINNING FACE}"
