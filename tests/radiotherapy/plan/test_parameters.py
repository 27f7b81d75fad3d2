"""Plan parameters: what is read is what is written, and whatever cannot be planned with says what to change."""

from __future__ import annotations

import contextlib
import json
import pickle
import time
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.radiotherapy.cases import small_case
from tgsci.errors import InvalidValue
from tgsci_radiotherapy.case.model import Case, Dij, Grid, Structure, own_rows
from tgsci_radiotherapy.plan import KINDS, Objective, PlanParameters, PlanText

PTV = {"structure": "PTV", "type": "squared_deviation", "dose_gy": 51.5, "weight": 1000}


def crowded_case() -> Case:
    """PTV 50 Gy in 25; an empty organ; an organ within the PTV, which owns nothing; a boost that the PTV contains."""
    grid = Grid((5, 5, 5), (3.0, 3.0, 3.0))
    structures = (
        Structure("PTV", "target", np.arange(10, 40, dtype=np.int32), 1.0, 50.0),
        Structure("Parotid_L", "oar", np.arange(35, 60, dtype=np.int32), 1.0),
        Structure("Empty", "oar", np.arange(0, dtype=np.int32), 0.0),
        Structure("Within", "oar", np.arange(12, 15, dtype=np.int32), 0.1),
        Structure("Boost", "target", np.arange(20, 25, dtype=np.int32), 0.1, 60.0),
        Structure("Body", "external", np.arange(125, dtype=np.int32), 3.4),
    )
    voxels, owners = own_rows(structures, grid)
    dij = Dij(np.zeros(126, np.int64), np.zeros(0, np.uint16), np.zeros(0, np.float32), 2, np.zeros(2, np.int16))
    return Case("crowded", grid, structures, dij, voxels, owners, 25)


CASE = crowded_case()


def text(*objectives: dict[str, Any]) -> str:
    return json.dumps({"objectives": list(objectives)})


def refusal(value: str, case: Case = CASE) -> str:
    with pytest.raises(InvalidValue) as caught:
        PlanParameters.parse(value, case)
    message = str(caught.value)
    assert len(message) < 600
    assert message.isprintable()
    return message


def test_the_canonical_text_has_an_objective_a_line_and_reads_back() -> None:
    parameters = PlanParameters.parse(text(PTV, {"structure": "body", "type": "mean", "weight": 0.25}), CASE)
    assert parameters.text() == (
        '{"objectives": [\n'
        '  {"structure": "PTV", "type": "squared_deviation", "dose_gy": 51.5, "weight": 1000},\n'
        '  {"structure": "Body", "type": "mean", "weight": 0.25}\n'
        "]}"
    )
    assert PlanParameters.parse(parameters.text(), CASE) == parameters
    assert json.loads(parameters.text()) == parameters.as_dict()


@pytest.mark.parametrize("fence", ["```json\n{}\n```", "```\n{}\n```", "  \n{}\n "])
def test_a_models_code_fence_is_taken_off(fence: str) -> None:
    assert PlanParameters.parse(fence.replace("{}", text(PTV)), CASE).objectives[0].structure == "PTV"


def test_figures_are_rounded_where_they_are_read_so_that_text_and_object_never_differ() -> None:
    first = PlanParameters.parse(text(PTV | {"dose_gy": 51.52345, "weight": 123456}), CASE).objectives[0]
    assert (first.dose_gy, first.weight) == (51.52, 123500)
    assert Objective("PTV", "squared_deviation", 51.52345, 123456.0) == first


weights = st.one_of(st.just(0.0), st.floats(1e-6, 1e9))
doses = st.floats(3.0, 150.0)


@st.composite
def objectives(draw: st.DrawFn) -> Objective:
    kind = KINDS[draw(st.sampled_from(sorted(KINDS)))]
    target = (
        draw(st.sampled_from(["PTV", "Body", "Parotid_L"]))
        if kind.name not in ("squared_underdose", "min_dvh")
        else "PTV"
    )
    volume = draw(st.floats(1, 99)) if kind.volume else None
    exponent = draw(st.floats(1, 50)) if kind.exponent else None
    return Objective(target, kind.name, draw(doses) if kind.dose else None, draw(weights), volume, exponent)


@settings(deadline=None)
@given(st.lists(objectives(), max_size=8))
def test_text_and_parse_are_inverse(more: list[Objective]) -> None:
    every = {o.label: o for o in [Objective("PTV", "squared_deviation", 51.5, 1000.0), *more]}
    parameters = PlanParameters(tuple(every.values()))
    again = PlanParameters.parse(parameters.text(), CASE)
    assert again == parameters
    assert again.text() == parameters.text()
    assert PlanParameters.read(json.dumps(parameters.as_dict())) == parameters


@settings(deadline=None)
@given(st.text(max_size=60) | st.binary(max_size=60).map(lambda b: b.decode("utf-8", "replace")))
def test_any_text_is_either_read_or_refused_in_words(value: str) -> None:
    with contextlib.suppress(InvalidValue):  # anything else is a fault
        assert PlanParameters.parse(value, CASE).objectives


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*PTV, "objectives", "x"]), inner, max_size=5)
    ),
    max_leaves=12,
)


@settings(deadline=None)
@given(json_values)
def test_any_json_is_either_read_or_refused_in_words(value: Any) -> None:
    for document in (value, {"objectives": value}, {"objectives": [value]}):
        with contextlib.suppress(InvalidValue):  # anything else is a fault
            assert PlanParameters.parse(json.dumps(document), CASE).objectives


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"structure": "PTW"}, "did you mean PTV?"),
        ({"structure": ""}, "structure must be a structure's name"),
        ({"structure": 3}, "structure must be text"),
        ({"structure": "../../etc/passwd\n<b>"}, "no structure 'etc_passwd _b'"),
        ({"type": "SquaredDeviation2"}, "did you mean squared_deviation?"),
        ({"type": "max_dose"}, "did you mean squared_overdose?"),
        ({"dose": 50}, "did you mean dose_gy?"),
        ({"priority": 1}, "did you mean weight?"),
        ({"weight": float("nan")}, "weight must be a finite number"),
        ({"weight": float("inf")}, "weight must be a finite number"),
        ({"weight": -1}, "weight must not be negative"),
        ({"weight": True}, "weight must be a plain number, not true"),
        ({"weight": "1000"}, "weight must be a plain number, not the text '1000'"),
        ({"weight": None}, "weight must be a number, not null"),
        ({"weight": 2e9}, "out of range"),
        ({"weight": 1e-9}, "out of range"),
        ({"weight": [1]}, "not a list"),
        ({"dose_gy": "20 Gy"}, "dose_gy must be a plain number in total Gy, not the text '20 Gy'"),
        ({"dose_gy": float("-inf")}, "dose_gy must be a finite number"),
        ({"dose_gy": -5}, "from 0 to 1000 Gy"),
        ({"dose_gy": 5000}, "5000 cGy are 50 Gy"),
        ({"dose_gy": 151}, "more than 3 times the prescription of 50 Gy"),
        ({"dose_gy": 2}, "write 50 (25 fractions)"),
        ({"dose_gy": 0}, "less than 5% of the prescription"),
        ({"volume_percent": 20}, "squared_deviation has no field volume_percent"),
        ({"exponent": 8}, "has no field exponent"),
    ],
)
def test_a_bad_field_says_what_to_change(changes: dict[str, Any], said: str) -> None:
    message = refusal(text(PTV | changes))
    assert said in message
    assert message.startswith("objective 1")


def without(field: str) -> dict[str, Any]:
    return {key: value for key, value in PTV.items() if key != field}


@pytest.mark.parametrize("field", list(PTV))
def test_a_missing_field_is_named(field: str) -> None:
    assert field in refusal(text(without(field)))


@pytest.mark.parametrize(
    ("objective", "said"),
    [
        ({"type": "max_dvh", "dose_gy": 20, "volume_percent": 0.3}, "if it is a fraction write 30"),
        ({"type": "max_dvh", "dose_gy": 20, "volume_percent": 101}, "from 0 to 100 %"),
        ({"type": "max_dvh", "dose_gy": 20, "volume_percent": 100}, "allows everything"),
        ({"type": "max_dvh", "dose_gy": 20}, "needs the field volume_percent"),
        ({"type": "min_dvh", "dose_gy": 20, "volume_percent": 50}, "Parotid_L is no target"),
        ({"type": "squared_underdose", "dose_gy": 20}, "Parotid_L is no target"),
        ({"type": "eud", "dose_gy": 20}, "needs the field exponent"),
        ({"type": "eud", "dose_gy": 20, "exponent": 0.5}, "between 0 and 1"),
        ({"type": "eud", "dose_gy": 20, "exponent": 80}, "out of range"),
        ({"type": "eud", "dose_gy": 20, "exponent": -8}, "Parotid_L is no target"),
        ({"type": "mean", "dose_gy": 20}, "mean has no field dose_gy"),
        ({"type": "squared_overdose", "dose_gy": 1}, "for as little as possible write 0"),
        ({"type": "mean", "structure": "Empty"}, "Empty has no voxel on the dose grid"),
        ({"type": "mean", "structure": "Within"}, "all of them belong to PTV"),
        ({"type": "squared_deviation", "dose_gy": 60, "structure": "Boost"}, "Boost owns no voxel"),
    ],
)
def test_an_objective_that_makes_no_sense_on_its_structure(objective: dict[str, Any], said: str) -> None:
    message = refusal(text(PTV, {"structure": "Parotid_L", "weight": 1} | objective))
    assert said in message
    assert message.startswith("objective 2 (")


def test_zero_gray_is_fine_where_it_means_as_little_as_possible() -> None:
    low = {"structure": "Parotid_L", "type": "squared_overdose", "dose_gy": 0, "weight": 1}
    assert PlanParameters.parse(text(PTV, low), CASE).objectives[1].dose_gy == 0


@pytest.mark.parametrize(
    ("several", "said"),
    [
        ([PTV, PTV | {"weight": 2}], "objectives 1 and 2 are the same but for the weight"),
        ([{"structure": "Body", "type": "mean", "weight": 1}], "nothing asks for dose in a target"),
        ([PTV | {"type": "squared_overdose"}], "nothing asks for dose in a target"),
        ([PTV | {"weight": 0}], "every weight is 0"),
        ([PTV | {"weight": 0}, {"structure": "Body", "type": "mean", "weight": 1}], "has weight 0"),
    ],
)
def test_objectives_that_make_no_plan(several: list[dict[str, Any]], said: str) -> None:
    assert said in refusal(text(*several))


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("", "the text is empty"),
        ("I would lower the weight.", "not valid JSON"),
        (text(PTV) + " ok?", "not valid JSON"),
        ("[]", "not a bare list"),
        ("{}", 'the key "objectives" is missing'),
        ('{"objectives": {}}', "must be a list"),
        ('{"objectives": []}', "must be a list of at least one"),
        ('{"objectives": [[]]}', "objective 1 must be an object"),
        ('{"objectives": [{}], "notes": "x"}', "unknown key 'notes'"),
        ('{"objectives": [{"structure": "PTV", "structure": "Body"}]}', "stands twice"),
        ("[" * 90_000, "nested"),
        ('{"objectives": [{"weight": ' + "[" * 20 + "]" * 20 + "}]}", "nested"),
        ("x" * 100_001, "at most 100000"),
        ('{"objectives": [{"structure": "PTV", "type": "mean", "weight": 1' + "0" * 5000 + "}]}", "finite number"),
        (text(*[PTV] * 101), "at most 100"),
    ],
)
def test_a_text_that_is_no_plan(value: str, said: str) -> None:
    assert said in refusal(value)


def test_a_quotation_mark_within_a_text_does_not_hide_brackets() -> None:
    assert "nested" in refusal('{"a\\"": ' + "[" * 50)
    assert "unknown key" in refusal('{"objectives": [{}], "[[[[[[[[[[[[": 1}')


@pytest.mark.parametrize("piece", ['\\"', '"', "\\", '"\\', "```", "\n", "{", '{"a":', "[1,"])
def test_a_long_hostile_text_is_refused_at_once(piece: str) -> None:
    start = time.process_time()
    refusal('{"objectives": ["' + piece * (99_000 // len(piece)))
    assert time.process_time() - start < 2.0


def test_the_dose_of_one_fraction_is_recognised_in_few_fractions_too() -> None:
    """36.25 Gy in 5: 7.25 Gy is a fifth of the prescription, not less than 5% of it."""
    structures = tuple(replace(s, prescription=36.25) if s.name == "PTV" else s for s in CASE.structures)
    case = replace(CASE, structures=structures, fractions=5)
    assert "write 36.25 (5 fractions)" in refusal(text(PTV | {"dose_gy": 7.25}), case)


def test_a_targets_dose_is_judged_by_its_own_prescription() -> None:
    assert "prescription of 50 Gy" in refusal(text(PTV | {"dose_gy": 160}))  # not the boost's 60 Gy


def test_names_are_found_spelling_apart_and_written_as_the_case_has_them() -> None:
    parameters = PlanParameters.parse(text(PTV, {"structure": "parotid l", "type": "mean", "weight": 1}), CASE)
    assert parameters.objectives[1].structure == "Parotid_L"


def test_replaced_changes_one_objective_and_keeps_it_checked() -> None:
    parameters = PlanParameters.parse(text(PTV, {"structure": "Body", "type": "mean", "weight": 1}), CASE)
    changed = parameters.replaced(1, weight=2.00009)
    assert changed.objectives == (parameters.objectives[0], Objective("Body", "mean", None, 2.0))
    assert parameters.objectives[1].weight == 1
    with pytest.raises(InvalidValue, match="negative"):
        parameters.replaced(0, weight=-1.0)


def test_labels_tell_objectives_apart() -> None:
    first = Objective("Rectum", "max_dvh", 50.0, 1.0, volume_percent=30.0)
    assert first.label == "Rectum max_dvh 50 Gy 30%"
    assert Objective("Rectum", "eud", 50.0, 1.0, exponent=8.0).label == "Rectum eud 50 Gy a=8"
    assert Objective("Body", "mean", None, 1.0).label == "Body mean"


def test_the_description_names_every_structure_and_type_and_what_it_says_is_accepted() -> None:
    said = PlanParameters.describe(CASE)
    assert all(name in said for name in (*CASE.names, *KINDS))
    assert "Boost (target, prescribed 60 Gy, 0.1 cc, owns no voxel)" in said
    assert "all 25 fractions together" in said


def test_every_type_is_accepted_on_a_calculated_case() -> None:
    case = small_case()
    several = [
        {"structure": "PTV", "type": "squared_deviation", "dose_gy": 50, "weight": 1},
        {"structure": "PTV", "type": "squared_underdose", "dose_gy": 50, "weight": 1},
        {"structure": "PTV", "type": "squared_overdose", "dose_gy": 55, "weight": 1},
        {"structure": "PTV", "type": "min_dvh", "dose_gy": 50, "volume_percent": 95, "weight": 1},
        {"structure": "PTV", "type": "eud", "dose_gy": 50, "exponent": -10, "weight": 1},
        {"structure": "Core", "type": "eud", "dose_gy": 20, "exponent": 4, "weight": 1},
        {"structure": "Core", "type": "max_dvh", "dose_gy": 20, "volume_percent": 30, "weight": 1},
        {"structure": "Core", "type": "mean", "weight": 1},
    ]
    assert {o.type for o in PlanParameters.parse(text(*several), case).objectives} == set(KINDS)


def test_a_plan_text_carries_its_parameters_also_into_another_process() -> None:
    parameters = PlanParameters.parse(text(PTV), CASE)
    value = PlanText(parameters)
    assert value == parameters.text()
    assert PlanParameters.read(value) is parameters
    sent = pickle.loads(pickle.dumps(value))  # noqa: S301
    assert sent == value
    assert sent.parameters == parameters
