"""Arguments of a wrong kind get an answer in words, whichever function they are given to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import tgsci as tg
from tgsci.errors import UsageError
from tgsci_molecules import (
    Docking,
    DockingLoss,
    Objective,
    Settings,
    canonical,
    contributions,
    dock,
    domain,
    explain,
    plot_tradeoff,
    svg,
    table,
    view,
    view_trial,
)

QUICK = {"exhaustiveness": 1, "max_evals": 500, "conformers": 1}


@pytest.fixture(scope="module")
def docking() -> Docking:
    return dock("CCO", "CA2", Settings(**QUICK))


@pytest.fixture(scope="module")
def result() -> Any:
    return tg.solve(domain.problem({"target": "CA2", "start": "CCO", "finalists": 0, **QUICK}), budget=1, workers=0)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda d, r: dock(5, "CA2"), "a SMILES is text, not 5"),
        (lambda d, r: dock(["CCO"], "CA2"), r"a SMILES is text, not \['CCO'\]"),
        (lambda d, r: dock("CCO", 7), 'a target is a name, for example Target."ABL1".*not 7'),
        (lambda d, r: dock("CCO", "CA2", {"max_evals": 5}), r"settings must be Settings\(...\)"),
        (lambda d, r: canonical(None), "a SMILES is text, not None"),
        (lambda d, r: svg(5), "a SMILES is text, not 5"),
        (lambda d, r: explain(d, 7), "a target is a name"),
        (lambda d, r: explain("CCO", "CA2"), r"takes what dock\(\) found, not 'CCO'"),
        (lambda d, r: view("CCO", "CA2"), r"takes what dock\(\) found, not 'CCO'"),
        (lambda d, r: view_trial("runs/x"), "result is wanted, of .*load.*not 'runs/x'"),
        (lambda d, r: view_trial(r, "a"), "there is no trial 'a'"),
        (lambda d, r: table("x"), "result is wanted, of solve.*not 'x'"),
        (lambda d, r: table(r, top="a"), "top must be a whole number above 0, not 'a'"),
        (lambda d, r: table(r, top=-1), "top must be a whole number above 0, not -1"),
        (lambda d, r: table(r, columns=5), "columns must be a list of names, not 5"),
        (lambda d, r: plot_tradeoff("x"), "result is wanted"),
        (lambda d, r: contributions("x"), "takes a trial such as result.best, not 'x'"),
        (lambda d, r: Objective(5), "targets must be a list, not 5"),
        (lambda d, r: Objective("CA2", 5), "terms must be a list, not 5"),
        (lambda d, r: Objective("CA2", limits=5), "limits must be a table"),
        (lambda d, r: Objective("CA2", keep=5), "keep must be a list, not 5"),
        (lambda d, r: DockingLoss("CA2", 5), "settings must be Settings"),
        (lambda d, r: domain.problem("ABL1"), "a problem is described by a table .*not 'ABL1'"),
    ],
)
def test_a_wrong_kind_is_said_in_words(
    docking: Docking, result: Any, call: Callable[[Docking, Any], object], says: str
) -> None:
    with pytest.raises(UsageError, match=says):
        call(docking, result)


def test_a_name_does_where_a_target_is_wanted_and_one_thing_where_a_list_is(docking: Docking, result: Any) -> None:
    assert explain(docking, "CA2").target == view(docking, "CA2").title.split()[2].rstrip(",") == "CA2"
    assert table(result, columns="vina").columns[0].title == "vina (kcal/mol)"
    assert [limit.key for limit in Objective("CA2", contacts="hbond Thr199").limits] == ["hbond Thr199"]
    assert Objective("CA2", keep="[NX3]", avoid="[Br]", alerts="PAINS").limits[0].key == "keep [NX3]"
