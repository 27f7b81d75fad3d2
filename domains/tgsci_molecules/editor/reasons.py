"""Put a candidate into words: why it was made, with the figures that decided it; and as an option of a menu."""

from __future__ import annotations

from rdkit import Chem
from rdkit.Chem import rdFMCS

from tgsci.search.menu import Option

from ..molecule.properties import alerts
from ..molecule.smiles import atom_name, molecule
from .candidates import Candidate
from .descriptors import Descriptors, descriptors, read
from .grow import edits_from_pose
from .predictor import Predictor
from .transformations import BY_NAME, changed, origins

#: A property that costs less QED than this is not worth a word.
WORTH_A_WORD = 0.02


def reason(candidate: Candidate, predictor: Predictor) -> str:
    """Say in a sentence or two how the parent stands, what was done about it, and what is expected."""
    trial = candidate.parent
    before, after = descriptors(trial.value), candidate.descriptors
    edit = candidate.edit
    if not trial.measured:
        return f"trial {trial.number} could not be measured; {edit} gives QED {after.qed:.2f} (was {before.qed:.2f})"
    metrics = trial.feedback.metrics if trial.feedback else {}
    named = [name for name in predictor.learned if name in metrics]
    if predictor.learned != ("loss",) and named:
        scores = ", ".join(f"{name} {metrics[name]:.1f}{_unit(name)}" for name in named)
        stands = f"trial {trial.number} has {scores} with QED {before.qed:.2f}"
    else:
        stands = f"trial {trial.number} has loss {trial.loss:.3g} and QED {before.qed:.2f}"
    why = candidate.evidence or diagnosis(before, after)
    return f"{stands}; {why}: {edit} ({expected(candidate, predictor)}, QED {after.qed:.2f})"


def expected(candidate: Candidate, predictor: Predictor) -> str:
    """Say what is predicted of a candidate."""
    if predictor.learned == ("loss",):
        outlook = predictor.predict([candidate.descriptors])
        return f"predicted loss {outlook.loss[0]:.3g} +/- {outlook.sd[0]:.2g}"
    expectations = predictor.expect(candidate.descriptors)
    predictions = [f"{name} {mean:.1f} +/- {sd:.1f}{_unit(name)}" for name, (mean, sd) in expectations.items()]
    return f"predicted {', '.join(predictions)}" if predictions else "all of it calculated"


def _unit(name: str) -> str:
    return " kcal/mol" if name.endswith(("vina", "strain", "refined interaction")) else ""


def diagnosis(before: Descriptors, after: Descriptors) -> str:
    """Say what is wrong with the parent that the edit does something about."""

    def differs(name: str) -> bool:
        return _figure(name, before) != _figure(name, after)

    weakest = before.weakest
    worth = before.costs[weakest]
    if weakest == "alerts" and worth >= WORTH_A_WORD and after.properties["alerts"] < before.properties["alerts"]:
        # QED's own list has no names; the catalogues name most of the same motifs.
        names = ", ".join(sorted({a.name.replace("_", " ") for a in alerts(before.mol)}))
        return f"structural alerts cost QED most ({names or 'of its own list'}), and the edit removes one"
    if after.size >= before.size + 3 and before.size < 20:
        return f"it is small, and {before.size} -> {after.size} heavy atoms reach more of the pocket"
    better = after.qed > before.qed + 0.005
    if worth >= WORTH_A_WORD and better and after.costs[weakest] < before.costs[weakest] - 0.01 and differs(weakest):
        verb = "cost" if weakest.endswith("s") else "costs"
        return f"its {weakest} {verb} QED most, {_figure(weakest, before)} -> {_figure(weakest, after)}"
    if after.qed > before.qed + 0.02:
        helping = [n for n in before.costs if differs(n) and before.costs[n] > after.costs[n] + 0.01]
        if not helping:
            return f"QED gains, {before.qed:.2f} -> {after.qed:.2f}"
        helped = max(helping, key=lambda name: before.costs[name] - after.costs[name])
        return f"QED gains from {helped} {_figure(helped, before)} -> {_figure(helped, after)}"
    price = f"QED falls {before.qed:.2f} -> {after.qed:.2f}, but " if after.qed < before.qed - 0.02 else ""
    if after.size > before.size:
        spare = "" if price else "QED stays as it is, and "
        return f"{price or spare}{before.size} -> {after.size} heavy atoms should bind better"
    if after.size < before.size:
        return f"{price}{before.size} -> {after.size} heavy atoms should bind as well with less"
    return f"{price}at the same size it may fit the pocket better"


def _figure(name: str, molecule: Descriptors) -> str:
    value = molecule.properties[name]
    return f"{value:.1f}" if name == "cLogP" else f"{value:.0f}"


def option(candidate: Candidate, predictor: Predictor) -> Option:
    """Make an option of a menu: its label, its facts (predicted or calculated, none measured) and the reason."""
    edit = candidate.edit
    atoms = touched(candidate)
    parent = read(candidate.parent.value)
    where = ", ".join(atom_name(parent, i) for i in atoms)
    f = candidate.descriptors
    facts: dict[str, float | str] = {}
    if predictor.learned == ("loss",):
        outlook = predictor.predict([f])
        facts["predicted loss"] = f"{outlook.loss[0]:.3g} +/- {outlook.sd[0]:.2g}"
    for name, (mean, sd) in (predictor.expect(f) if predictor.learned != ("loss",) else {}).items():
        facts[f"predicted {name}"] = f"{mean:.1f} +/- {sd:.1f}"
    facts |= {name: round(f.metric(name), 2) for name in ("QED", "MW", "cLogP", "SA")}
    facts["atoms"] = where or "none of the parent's"
    at = "" if not where or " at atom " in edit else f" at {where}"
    label = f"trial {candidate.parent.number}: {edit}{at}"
    return Option(candidate.smiles, label, facts, candidate.parent.number, edit, reason(candidate, predictor))


def touched(candidate: Candidate) -> tuple[int, ...]:
    """Find the parent's atoms that a candidate's edits remove or bind anew, by index in the parent trial's SMILES."""
    mol = read(candidate.parent.value)
    canonical = Chem.MolToSmiles(mol)
    order = list(mol.GetPropsAsDict(True, True)["_smilesAtomOutputOrder"])
    here: tuple[int | None, ...] = tuple(range(mol.GetNumAtoms()))  # of `before`, in the canonical parent's indices
    before = canonical
    direct: set[int] = set()  # changed by steps that are not traced, in the trial's own indices
    for name, after in zip(candidate.steps, candidate.path, strict=True):
        transformation = BY_NAME.get(name)
        if transformation is not None:
            came = origins(transformation, before, after)
        else:
            pose = next((edit for edit in edits_from_pose(candidate.parent) if edit.smiles == after), None)
            if pose is not None:
                direct.update(pose.atoms)
            came = _overlap(before, after)
        here = tuple(here[i] if i is not None else None for i in came)
        before = after
    atoms = {order[i] for i in changed(canonical, candidate.path[-1], here)}
    return tuple(sorted(direct or atoms)) if len(candidate.steps) == 1 else tuple(sorted(direct | atoms))


def _overlap(before: str, after: str) -> tuple[int | None, ...]:
    """Map each atom of `after` to the one of `before` that it corresponds to in their largest common part."""
    old, new = molecule(before), molecule(after)
    common = rdFMCS.FindMCS([old, new], completeRingsOnly=True, ringMatchesRingOnly=True, timeout=2)
    pattern = Chem.MolFromSmarts(common.smartsString) if common.numAtoms else None
    here: dict[int, int] = {}
    if pattern is not None:
        here = dict(zip(new.GetSubstructMatch(pattern), old.GetSubstructMatch(pattern), strict=True))
    return tuple(here.get(i) for i in range(new.GetNumAtoms()))
