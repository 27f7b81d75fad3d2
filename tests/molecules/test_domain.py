"""The domain as a job file and a resumed run see it: strict, and the same problem again."""

from __future__ import annotations

import json

import pytest
from tgsci_molecules import RuleEditor, domain

from tgsci.errors import UsageError

JOB = {"target": "abl1", "start": ["OCC", "CCO", "c1ccccc1"], "exhaustiveness": 4}


def test_a_problem_builds_itself_again_from_its_config() -> None:
    problem = domain.problem(JOB)
    again = domain.problem(json.loads(json.dumps(problem.config)))
    assert again.config == problem.config
    assert again.loss.fingerprint == problem.loss.fingerprint
    assert list(again.start) == list(problem.start) == ["CCO", "c1ccccc1"]
    assert (problem.domain, problem.name) == ("molecules", "ABL1")
    assert isinstance(problem.rules, RuleEditor)
    assert problem.config["exhaustiveness"] == 4
    assert set(problem.columns) <= set(problem.loss.units)


def test_the_task_tells_a_model_the_target_the_objective_and_the_rules() -> None:
    task = domain.problem({**JOB, "qed_weight": 5}).task
    for words in ("ABL1", "vina + 5 x (1 - QED)", "SMILES", "60 heavy atoms", "20 rotatable bonds", "quote"):
        assert words in task


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"traget": "ABL1"}, "unknown key 'traget'; did you mean 'target'"),
        ({"target": 3}, "target must be"),
        ({"target": "ABL9"}, "did you mean ABL1"),
        ({"start": []}, "start must be"),
        ({"start": ["CCO", 3]}, "start must be"),
        ({"start": ["CCO", "C1CC"]}, "start molecule 2: 'C1CC' is not a SMILES: unclosed ring"),
        ({"exhaustiveness": 0}, "exhaustiveness must be"),
        ({"docking_seed": "1"}, "seed must be"),
        ({"qed_weight": "10"}, "qed_weight must be"),
    ],
)
def test_a_bad_job_is_refused_with_what_to_write(change: dict[str, object], reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        domain.problem({**JOB, **change})


@pytest.mark.parametrize("key", ["target", "start"])
def test_a_missing_key_is_named(key: str) -> None:
    with pytest.raises(UsageError, match=f"the key '{key}' is missing"):
        domain.problem({k: v for k, v in JOB.items() if k != key})
