"""Searches without docking: a loss that behaves like a pocket, and runs of an editor on it."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from rdkit import Chem, rdBase
from rdkit.Chem import QED, Descriptors

from tgsci.errors import InvalidValue
from tgsci.feedback import Feedback
from tgsci.loss import FunctionLoss, Loss
from tgsci.search.trial import Proposal, State, Trial, Trials
from tgsci_molecules.editor.descriptors import descriptors
from tgsci_molecules.editor.rules import RuleEditor

Ask = Callable[[Trials, int, random.Random], list[Proposal]]

DASATINIB = "Cc1nc(Nc2ncc(C(=O)Nc3c(C)cccc3Cl)s2)cc(N2CCN(CCO)CC2)n1"
STARTS = [
    "CC(N)=O",
    "CCCCC",
    "c1ccccc1",
    "C",
    DASATINIB,
    "O=C1CCCCCCCCCCCN1",
    "C[N+](C)(C)CCO",
    "[NH3+]CC(=O)[O-]",
    "CC[C@H](C)[C@@H](N)C(=O)O",
    "N#N",
    "[Na+].[Cl-]",
    "O",
]


def canonical(value: str) -> str:
    with rdBase.BlockLogs():
        mol = Chem.MolFromSmiles(value.strip())
    if mol is None:
        raise InvalidValue("no SMILES")
    return Chem.MolToSmiles(mol)


def drug_likeness(value: str) -> float:
    return 1 - QED.qed(Chem.MolFromSmiles(value))


class Pocket(Loss):
    """Something like a pocket: size and aromatic rings pay, rotors cost, an amide pays. Says what it is made of."""

    name = "fake docking"
    simulated = ("vina",)

    def validate(self, value: str) -> str:
        return canonical(value)

    def calculated(self, mol: Chem.Mol) -> dict[str, float]:
        return {"QED": QED.qed(mol)}

    def combine(self, metrics: Mapping[str, Any]) -> Any:
        return metrics["vina"] + 10 * (1 - metrics["QED"])

    def broken(self, mol: Chem.Mol) -> dict[str, float]:
        return {}

    def evaluate(self, value: str) -> Feedback:
        f = descriptors(value)
        amide = Chem.MolFromSmiles(value).HasSubstructMatch(Chem.MolFromSmarts("c-C(=O)N-[#6]"))
        vina = -2 - 0.22 * min(f.size, 30) - 0.5 * f.trend[3] + 0.3 * f.trend[5] - 0.8 * amide
        metrics = {"vina": vina, "QED": f.qed, "MW": Descriptors.MolWt(f.mol)}
        return Feedback(self.combine(metrics), metrics=metrics, violations=self.broken(f.mol))


DOCKING = Pocket()
DRUG = FunctionLoss(drug_likeness, "1 - QED", validate=canonical)


def trial(number: int, value: str, loss: Loss, parent: int | None = None, edit: str = "") -> Trial:
    feedback = loss.measure(value)
    state = State.REJECTED if feedback.measured else State.FAILED
    return Trial(number, number, value, parent=parent, edit=edit, state=state, feedback=feedback)


@cache
def history(loss: Loss, start: str = "CC(N)=O", evals: int = 12, seed: int = 0) -> Trials:
    """A run of the editor itself."""
    return run(RuleEditor().ask, loss, start, evals, seed)


def run(ask: Ask, loss: Loss, start: str, evals: int, seed: int) -> Trials:
    trials = [trial(0, loss.validate(start), loss)]
    while len(trials) < evals:
        proposals = ask(Trials(trials, loss), min(4, evals - len(trials)), random.Random(f"{seed}:{len(trials)}"))
        if not proposals:
            break
        for p in proposals:
            value = Trials(trials, loss).check(p.value)  # raises for a duplicate
            trials.append(trial(len(trials), value, loss, p.parent, p.edit))
    return Trials(trials, loss)
