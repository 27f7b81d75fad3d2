"""The benchmark of searches: its tasks are DOCKSTRING's, its losses agree with the objectives, its table claims nothing
on few seeds."""

from __future__ import annotations

import argparse
import importlib
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("rdkit")

from rdkit import Chem
from rdkit.Chem import QED

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    for name in ("bench_search", "search_tasks"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return importlib.import_module("bench_search")


@pytest.mark.parametrize(
    ("task", "scores", "docked"),
    [
        ("F2", [-9.5], -9.5),
        ("PPAR", [-9.0, -10.0, -8.5], -8.5),
        ("JAK2", [-9.5, -8.6], -9.0),
        ("JAK2", [-9.5, -8.0], -9.5),
    ],
)
def test_the_loss_at_the_full_setting_is_the_tasks(bench: Any, task: str, scores: list[float], docked: float) -> None:
    smiles = "O=C(NCc1ccccc1)c1ccc(F)cc1"
    penalty = 10 * (1 - QED.qed(Chem.MolFromSmiles(smiles)))
    assert bench.full_loss(bench.objective(task), smiles, scores) == pytest.approx(docked + penalty)
    assert bench.full_loss(bench.objective(task), smiles, [None, *scores[1:]]) is None


def test_the_table_has_medians_beside_what_is_published(bench: Any) -> None:
    options = argparse.Namespace(tasks=["F2"], optimizers=["rules", "ga"], evaluations=100)
    found = [-9.0, -9.2, -9.4, -9.6, -9.8]
    outcomes = [
        bench.Outcome("F2", "rules", seed, [bench.Finalist("C", x + 0.3, x), bench.Finalist("CC", x + 0.1, x + 1)])
        for seed, x in enumerate(found)
    ]
    table = bench.table(outcomes, options)
    assert "| rules, full setting | -9.40 (-9.80 to -9.00; 5 seeds) |" in table
    assert "| rules, fast setting | -9.30 (-9.70 to -8.90; 5 seeds) |" in table
    assert "| SELFIES GA (published, median of 3) | -9.06 |" in table
    assert "F2 pass (-9.40 against -9.06)" in table
    assert "F2 not claimed on 2 seeds" in bench.table(outcomes[:2], options)
    assert "F2 MISSED" in bench.table([*outcomes[:1] * 3, *outcomes[:2]], options)
    assert bench.BAR == {"F2": -9.06, "PPAR": -9.03, "JAK2": -8.96}
