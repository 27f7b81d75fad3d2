"""A candidate as an option of a menu: what changes and where, and the figures to choose by."""

from __future__ import annotations

from rdkit import Chem

from tgsci.search.menu import Option

from .candidates import Candidate
from .grow import suggestions
from .judge import Judge
from .reasons import reason
from .transformations import TRANSFORMATIONS, changed, origins

_BY_NAME = {t.name: t for t in TRANSFORMATIONS}


def option(candidate: Candidate, judge: Judge) -> Option:
    """An option with its label, its facts (predicted or calculated, none measured) and the reason."""
    edit = ", then ".join(candidate.steps)
    atoms = touched(candidate)
    parent = Chem.MolFromSmiles(candidate.parent.value)
    where = ", ".join(f"{parent.GetAtomWithIdx(i).GetSymbol()}{i + 1}" for i in atoms)
    f = candidate.figures
    facts: dict[str, float | str] = {}
    if judge.learned == ("loss",):
        outlook = judge.predict([f])
        facts["predicted loss"] = f"{outlook.loss[0]:.3g} +/- {outlook.sd[0]:.2g}"
    for name, (mean, sd) in (judge.expect(f) if judge.learned != ("loss",) else {}).items():
        facts[f"predicted {name}"] = f"{mean:.1f} +/- {sd:.1f}"
    facts |= {name: round(f.metric(name), 2) for name in ("QED", "MW", "cLogP", "SA")}
    facts["atoms"] = where or "none of the parent's"
    at = "" if not where or " at atom " in edit else f" at {where}"
    label = f"trial {candidate.parent.number}: {edit}{at}"
    return Option(candidate.smiles, label, facts, candidate.parent.number, edit, reason(candidate, judge))


def touched(candidate: Candidate) -> tuple[int, ...]:
    """The parent's atoms that a candidate's edits remove or bind anew, by index of the parent trial's SMILES."""
    mol = Chem.MolFromSmiles(candidate.parent.value)
    canonical = Chem.MolToSmiles(mol)
    order = list(mol.GetPropsAsDict(True, True)["_smilesAtomOutputOrder"])
    here: tuple[int | None, ...] = tuple(range(mol.GetNumAtoms()))  # of `before`, in the canonical parent's indices
    before = canonical
    direct: set[int] = set()  # changed by steps that are not traced, in the trial's own indices
    for name, after in zip(candidate.steps, candidate.path, strict=True):
        transformation = _BY_NAME.get(name)
        if transformation is not None:
            came = origins(transformation, before, after)
        else:
            pose = next((s for s in suggestions(candidate.parent) if s.smiles == after), None)
            if pose is not None:
                direct.update(pose.atoms)
            came = _overlap(before, after)
        here = tuple(here[i] if i is not None else None for i in came)
        before = after
    atoms = {order[i] for i in changed(canonical, candidate.path[-1], here)}
    return tuple(sorted(direct or atoms)) if len(candidate.steps) == 1 else tuple(sorted(direct | atoms))


def _overlap(before: str, after: str) -> tuple[int | None, ...]:
    """For each atom of `after` the one of `before` that it corresponds to in their largest common part."""
    from rdkit.Chem import rdFMCS

    old, new = Chem.MolFromSmiles(before), Chem.MolFromSmiles(after)
    common = rdFMCS.FindMCS([old, new], completeRingsOnly=True, ringMatchesRingOnly=True, timeout=2)
    pattern = Chem.MolFromSmarts(common.smartsString) if common.numAtoms else None
    here: dict[int, int] = {}
    if pattern is not None:
        here = dict(zip(new.GetSubstructMatch(pattern), old.GetSubstructMatch(pattern), strict=True))
    return tuple(here.get(i) for i in range(new.GetNumAtoms()))
