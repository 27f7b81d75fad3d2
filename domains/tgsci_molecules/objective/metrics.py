"""Metrics: every figure that a term or a limit can be about, what it is called and what it means.

They are listed without RDKit: what calculates them is in `calculate.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tgsci.basics.texts import folded, literal, nearest, quote
from tgsci.errors import UsageError

from ..molecule.catalogs import USUAL_CATALOGS as USUAL_CATALOGS

if TYPE_CHECKING:
    from rdkit import Chem


@dataclass(frozen=True, repr=False)
class Metric:
    """A quantity of a molecule that terms and limits can be about.

    Args:
        name: Its key in `Feedback.metrics`.
        kind: The kind of quantity, a key of this module's tables.
        unit: "" for a figure without a unit.
        meaning: The meaning, in a sentence.
        sense: How `identity` reads it: "cost" (lower is better), "gain" (higher is better) or
            "desirability" (0 bad to 1 good).
        decimals: Worth printing.
        target: The target's name, where docking gives it.
        parts: The metrics that it is derived from.
        about: Further input of the kind: SMARTS, references, catalogues.
    """

    name: str
    kind: str
    unit: str = ""
    meaning: str = ""
    sense: str = "cost"
    decimals: int = 2
    target: str = ""
    parts: tuple[Metric, ...] = ()
    about: tuple[Any, ...] = ()

    def __repr__(self) -> str:
        """What makes its value, without the words: part of an objective's fingerprint."""
        about = f" of {self.about!r}" if self.about else ""
        parts = f" from {list(self.parts)!r}" if self.parts else ""
        return f"<{self.name}: {self.kind}{about}{f' in {self.target}' if self.target else ''}{parts}>"

    @property
    def simulated(self) -> bool:
        """True where only docking gives it."""
        return self.kind in DOCKED or self.kind == "gap"

    @property
    def roots(self) -> tuple[Metric, ...]:
        """The metrics that it follows from, itself where it is not derived."""
        return tuple(root for part in self.parts for root in part.roots) if self.parts else (self,)

    def figure(self, metrics: Mapping[str, Any]) -> Any:
        """Compute its value from those of its `roots`; arrays broadcast.

        Raises:
            KeyError: A metric is missing.
        """
        if not self.parts:
            return metrics[self.name]
        return _DERIVED[self.kind](*(part.figure(metrics) for part in self.parts))

    def calculate(self, mol: Chem.Mol) -> float:
        """Calculate its value from the structure, for a metric that needs no docking."""
        from .calculate import calculate

        return calculate(self.kind, mol, self.about)

    def write(self, figure: float) -> str:
        """Write a value with its decimals and unit: -12.0, not -12."""
        return f"{figure:.{self.decimals}f} {self.unit}".rstrip()


@dataclass(frozen=True)
class _Plain:
    unit: str
    meaning: str
    sense: str = "cost"
    decimals: int = 2


#: Figures of one docking, by name: with several targets the target's name stands before it.
DOCKED: Mapping[str, _Plain] = {
    "vina": _Plain("kcal/mol", "docking score of AutoDock Vina; lower binds better"),
    "strain": _Plain("kcal/mol", "what the docked conformer costs against a relaxed one (MMFF94s); lower is better"),
    "refined interaction": _Plain(
        "kcal/mol", "force-field interaction energy with the pocket after minimising the docked pose in it"
    ),
}

_PLAIN: Mapping[str, _Plain] = {
    "QED": _Plain("", "drug-likeness from 0 to 1 (Bickerton 2012); higher is better", "desirability"),
    "MW": _Plain("g/mol", "molecular weight", decimals=1),
    "cLogP": _Plain("", "calculated log P, octanol/water (Crippen)"),
    "TPSA": _Plain("A^2", "topological polar surface area (N and O)", decimals=1),
    "HBD": _Plain("", "hydrogen-bond donors", decimals=0),
    "HBA": _Plain("", "hydrogen-bond acceptors", decimals=0),
    "rotatable bonds": _Plain("", "rotatable bonds", decimals=0),
    "aromatic rings": _Plain("", "aromatic rings", decimals=0),
    "Fsp3": _Plain("", "fraction of carbons that are sp3, 0 to 1", "desirability"),
    "SA": _Plain("", "synthetic accessibility (Ertl 2009), 1 easy to 10 hard"),
    "heavy atoms": _Plain("", "atoms other than hydrogen", decimals=0),
    "formal charge": _Plain("", "net formal charge of the SMILES as it is written", decimals=0),
    "rings": _Plain("", "rings (smallest set)", decimals=0),
    "largest ring": _Plain("", "atoms in the largest ring; 0 without a ring", decimals=0),
    "stereocentres": _Plain("", "tetrahedral stereocentres, stated or not", decimals=0),
}


def _efficiency(score: Any, heavy_atoms: Any) -> Any:
    return -score / heavy_atoms


def _greatest(*figures: Any) -> Any:
    return _reduced(np.maximum, figures)


def _least(*figures: Any) -> Any:
    return _reduced(np.minimum, figures)


def _mean(*figures: Any) -> Any:
    return sum(figures[1:], figures[0]) / len(figures)


def _reduced(operation: Any, figures: tuple[Any, ...]) -> Any:
    reduced = figures[0]
    for figure in figures[1:]:
        reduced = operation(reduced, figure)
    return reduced


def _selectivity(score: Any, *others: Any) -> Any:
    return score - _least(*others)


_DERIVED: Mapping[str, Callable[..., Any]] = {
    "LE": _efficiency,
    "max": _greatest,
    "min": _least,
    "mean": _mean,
    "selectivity": _selectivity,
}

#: Ways to make one value of those of several targets.
OVER = ("max", "min", "mean")


def calculated(kind: str, name: str = "", about: tuple[Any, ...] = ()) -> Metric:
    """Make the metric of a molecule's structure of this kind; "matches", "alerts" and "similarity" need `about`."""
    plain = _special(kind, about) or _PLAIN[kind]
    return Metric(name or kind, kind, plain.unit, plain.meaning, plain.sense, plain.decimals, about=about)


def _special(kind: str, about: tuple[Any, ...]) -> _Plain | None:
    if kind == "matches":
        return _Plain("", f"times that the SMARTS {about[0]} occurs", decimals=0)
    if kind == "alerts":
        return _Plain("", f"different structural alerts of {', '.join(about)}", decimals=0)
    if kind == "similarity":
        to = about[0] if len(about) == 1 else f"the nearest of {len(about)} references"
        return _Plain("", f"Tanimoto similarity (Morgan, radius 2, 2048 bits) to {to}, 0 to 1", "desirability")
    return None


def docked(kind: str, target: str, prefixed: bool) -> Metric:
    """Make the metric that docking into a target gives."""
    plain = DOCKED[kind]
    meaning = f"{plain.meaning}; in {target}"
    name = f"{target} {kind}" if prefixed else kind
    return Metric(name, kind, plain.unit, meaning, plain.sense, plain.decimals, target)


def efficiency(target: str, prefixed: bool) -> Metric:
    """Make the ligand efficiency in a target: positive, higher is better (Hopkins 2004)."""
    name = f"{target} LE" if prefixed else "LE"
    meaning = f"ligand efficiency: - vina / heavy atoms; higher is better; in {target}"
    unit = "kcal/mol per heavy atom"
    parts = (docked("vina", target, prefixed), calculated("heavy atoms"))
    return Metric(name, "LE", unit, meaning, "gain", 2, target, parts)


def selectivity(targets: Sequence[str]) -> Metric:
    """Make the selectivity: the first target's score minus the lowest of the others; negative is selective."""
    meaning = f"vina in {targets[0]} minus the lowest vina in {', '.join(targets[1:])}; negative is selective"
    parts = tuple(docked("vina", target, True) for target in targets)
    return Metric("selectivity", "selectivity", "kcal/mol", meaning, parts=parts)


def gap(target: str, kind: str, residue: str, prefixed: bool, role: str = "", smarts: str = "") -> Metric:
    """Make the distance of a docked pose from a contact with a residue."""
    how = f"{f' as {role}' if role else ''}{f' by {smarts}' if smarts else ''}"
    name = f"{f'{target} ' if prefixed else ''}{kind} {residue}{how} gap"
    meaning = (
        f"Angstrom that the docked pose is short of a {kind} with {residue} of {target}{how}; 0 where it is made, 0.1 "
        "where the groups are near enough but in the wrong direction"
    )
    about = (kind, residue, role, smarts) if how else (kind, residue)
    return Metric(name, "gap", "A", meaning, "cost", 1, target, about=about)


def over(how: str, parts: tuple[Metric, ...], everywhere: bool) -> Metric:
    """Make the greatest, least or mean of a metric over several targets."""
    targets, first = [part.target for part in parts], parts[0]
    name = f"{how} {first.kind}" + ("" if everywhere else f" ({' '.join(targets)})")
    meaning = f"{how} over {', '.join(targets)} of: {first.meaning.partition(';')[0]}"
    return Metric(name, how, first.unit, meaning, first.sense, first.decimals, parts=parts)


#: Other names of the same figures: what users of REINVENT4 and RDKit write.
_ALIASES = {
    "score": "vina", "docking": "vina", "docking score": "vina", "vina score": "vina", "affinity": "vina",
    "ligand efficiency": "LE", "refined": "refined interaction", "interaction": "refined interaction",
    "molecular weight": "MW", "mol wt": "MW", "weight": "MW", "logp": "cLogP", "slogp": "cLogP", "alogp": "cLogP",
    "mol logp": "cLogP", "psa": "TPSA", "num hbd": "HBD", "h bond donors": "HBD", "donors": "HBD",
    "num h donors": "HBD", "num hba": "HBA", "h bond acceptors": "HBA", "acceptors": "HBA", "num h acceptors": "HBA",
    "rotors": "rotatable bonds", "rotb": "rotatable bonds", "num rot bond": "rotatable bonds",
    "num rotatable bonds": "rotatable bonds", "torsions": "rotatable bonds", "num aromatic rings": "aromatic rings",
    "csp3": "Fsp3", "fraction csp3": "Fsp3", "sa score": "SA", "sascore": "SA", "num heavy atoms": "heavy atoms",
    "heavy atom count": "heavy atoms", "hac": "heavy atoms", "charge": "formal charge", "num rings": "rings",
    "ring count": "rings", "largest ring size": "largest ring", "num atom stereo centers": "stereocentres",
    "stereocenters": "stereocentres", "tanimoto": "similarity", "tanimoto similarity": "similarity",
    "tanimoto distance": "similarity", "matching substructure": "matches", "group count": "matches",
    "smarts": "matches", "custom alerts": "alerts",
}  # fmt: skip


def kinds() -> dict[str, str]:
    """List every metric's name with what it means."""
    special = {
        "LE": "ligand efficiency, - vina / heavy atoms; higher is better",
        "selectivity": "vina in the target minus the lowest vina in the off-targets; negative is selective",
        "similarity": "Tanimoto similarity to `reference`, 0 to 1",
        "matches": "how often the term's `smarts` occurs",
        "alerts": "structural alerts, PAINS and BRENK unless `alerts` names others",
    }
    return {**{k: p.meaning for k, p in {**DOCKED, **_PLAIN}.items()}, **special}


def kind_of(text: object) -> str:
    """Find the metric that a person's word for it means.

    Raises:
        UsageError: None; names the nearest.
    """
    known = kinds()
    if isinstance(text, str):
        by_plain = {folded(name): name for name in known} | {folded(k): v for k, v in _ALIASES.items()}
        kind = by_plain.get(folded(text))
        if kind is not None:
            return kind
        near = nearest(text, by_plain, most=2, cutoff=0.5)
        hint = f"did you mean {' or '.join(dict.fromkeys(by_plain[name] for name in near))}? " if near else ""
        raise UsageError(f"no metric {quote(text)}; {hint}There are: {', '.join(known)}")
    raise UsageError(f"a metric is a name such as 'vina' or 'MW', not {literal(text)}")


def same_metric(name: str) -> str:
    """Find the metric that a name stands for; "" for none."""
    try:
        return kind_of(name)
    except UsageError:
        return ""


def placed(text: object) -> tuple[str, str, str]:
    """Read a metric with what stands before it: "LCK vina" is of one target, "max vina" over several.

    Returns:
        The metric's kind, the target's name or "", and one of `OVER` or "".

    Raises:
        UsageError: No such metric.
    """
    try:
        return kind_of(text), "", ""
    except UsageError:
        words = str(text).split()
        for at in range(1, len(words)):  # a target's name may have spaces, and so may a metric's
            before = " ".join(words[:at])
            try:
                kind = kind_of(" ".join(words[at:]))
            except UsageError:
                continue
            if kind in (*DOCKED, "LE"):
                return (kind, "", before) if before in OVER else (kind, before, "")
        raise
