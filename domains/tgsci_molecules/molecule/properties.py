"""What a medicinal chemist looks at besides the score: drug-likeness, its parts, and structural alerts."""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from rdkit import Chem, RDConfig, rdBase
from rdkit.Chem import QED, Crippen, Descriptors, rdMolDescriptors
from rdkit.Chem.FilterCatalog import FilterCatalog, FilterCatalogEntry, FilterCatalogParams, SmartsMatcher

from tgsci.basics.texts import metric

from ..tables import read_table
from .catalogs import OWN_CATALOG, USUAL_CATALOGS


@dataclass(frozen=True)
class Property:
    """A property of a molecule, and what oral drugs usually have at most.

    Args:
        unit: "" for a figure without a unit.
        compute: Calculates it from an RDKit molecule.
        most: The usual limit; None where nobody states one.
        source: The source of that limit.
    """

    unit: str
    compute: Callable[[Chem.Mol], float]
    most: float | None = None
    source: str = ""


def synthetic_accessibility(mol: Chem.Mol) -> float:
    """Score how hard a molecule is to make (Ertl 2009): 1 easy to 10 hard."""
    return float(_sascorer().calculateScore(Chem.Mol(mol)))  # a copy: it leaves marks on the atoms


#: The limits are rules of thumb for oral drugs. Reports name them; nothing enforces them: limits are the user's.
PROPERTIES: Mapping[str, Property] = {
    "QED": Property("", QED.qed),
    "MW": Property("g/mol", Descriptors.MolWt, 500, "Lipinski"),
    "cLogP": Property("", Crippen.MolLogP, 5, "Lipinski"),
    "TPSA": Property("A^2", rdMolDescriptors.CalcTPSA, 140, "Veber"),
    "HBD": Property("", rdMolDescriptors.CalcNumHBD, 5, "Lipinski"),
    "HBA": Property("", rdMolDescriptors.CalcNumHBA, 10, "Lipinski"),
    "rotatable bonds": Property("", rdMolDescriptors.CalcNumRotatableBonds, 10, "Veber"),
    "aromatic rings": Property("", rdMolDescriptors.CalcNumAromaticRings, 3, "Ritchie"),
    "Fsp3": Property("", rdMolDescriptors.CalcFractionCSP3),
    "SA": Property("", synthetic_accessibility, 6, "Ertl, above it hard to make"),
    "heavy atoms": Property("", lambda mol: mol.GetNumHeavyAtoms()),
}

#: The parts of QED (Bickerton 2012) in plain words, by RDKit's names.
_QED_PARTS = {
    "MW": "molecular weight",
    "ALOGP": "cLogP",
    "HBA": "hydrogen-bond acceptors",
    "HBD": "hydrogen-bond donors",
    "PSA": "polar surface",
    "ROTB": "rotatable bonds",
    "AROM": "aromatic rings",
    "ALERTS": "structural alerts (QED's own list)",
}


@dataclass(frozen=True)
class QedPart:
    """One of the eight properties that QED is the weighted geometric mean of.

    Args:
        name: The property in plain words.
        figure: Its value, in g/mol for the molecular weight and A^2 for the polar surface.
        desirability: The desirability, 0 to 1.
        gain: The rise of QED if this property alone were ideal.
        wish: "lower" or "higher", whichever raises QED.
    """

    name: str
    figure: float
    desirability: float
    gain: float
    wish: str


@dataclass(frozen=True)
class Alert:
    """A substructure that chemists distrust.

    Args:
        catalog: RDKit's name of the catalogue: PAINS, BRENK ...
        name: The catalogue's name of it.
        atoms: Indices of the atoms, counted from 0 in the order of the SMILES.
        fragment: Those atoms as SMILES.
    """

    catalog: str
    name: str
    atoms: tuple[int, ...]
    fragment: str


@dataclass(frozen=True)
class QedPrice:
    """What QED does if one of its properties changes and the others stay.

    Args:
        name: The change in plain words, such as "one aromatic ring less".
        change: Of QED.
    """

    name: str
    change: float


#: The changes of one property that a chemist thinks of, by RDKit's name of it: their size and what they are called.
_STEPS = {
    "AROM": (1.0, "one aromatic ring"),
    "MW": (14.0, "14 g/mol"),
    "ALOGP": (0.5, "0.5 cLogP"),
    "HBD": (1.0, "one donor"),
    "HBA": (1.0, "one acceptor"),
    "PSA": (10.0, "10 A^2 polar surface"),
    "ROTB": (1.0, "one rotatable bond"),
    "ALERTS": (1.0, "one alert of QED's own"),
}
#: The parts of QED that are whole numbers, and the largest that is looked at.
_COUNTS = ("HBA", "HBD", "ROTB", "AROM", "ALERTS")
_LARGEST_COUNT = 20


def properties_of(mol: Chem.Mol) -> dict[str, float]:
    """Calculate all of `PROPERTIES` for a molecule without explicit hydrogens."""
    with rdBase.BlockLogs():
        return {name: float(p.compute(mol)) for name, p in PROPERTIES.items()}


def above_usual(figures: Mapping[str, float]) -> list[str]:
    """List the properties above what is usual for oral drugs, in words; a fragment has none."""
    return [
        f"{name} {metric(figures[name], p.unit)} {p.unit}".rstrip() + f" ({p.source}: at most {p.most:g})"
        for name, p in PROPERTIES.items()
        if p.most is not None and figures[name] > p.most
    ]


def qed_parts(mol: Chem.Mol) -> list[QedPart]:
    """Calculate the eight parts of QED, the one that costs most first."""
    figures = QED.properties(mol)._asdict()
    weights = QED.WEIGHT_MEAN._asdict()
    total = sum(weights.values())
    qed = QED.qed(mol)
    parts = []
    for key, figure in figures.items():
        curve = QED.adsParameters[key]
        desirability = min(1.0, QED.ads(figure, curve))
        if key in _COUNTS:  # between 0 and 1 alerts there is nothing to reach
            best = max(range(_LARGEST_COUNT), key=lambda count: QED.ads(count, curve))
            reachable, rising = max(desirability, min(1.0, QED.ads(best, curve))), best > figure
        else:
            step = max(1.0, abs(figure)) * 1e-3
            reachable, rising = 1.0, QED.ads(figure + step, curve) > QED.ads(figure - step, curve)
        # The mean is exp(sum(w ln d) / sum(w)): with this part at its best it would be larger by this factor.
        factor = math.exp(weights[key] * math.log(reachable / desirability) / total)
        parts.append(
            QedPart(_QED_PARTS[key], figure, desirability, qed * (factor - 1.0), "higher" if rising else "lower")
        )
    return sorted(parts, key=lambda part: -part.gain)


def qed_prices(mol: Chem.Mol) -> list[QedPrice]:
    """Price the changes of one property in QED, up and down, each with all others as they are."""
    figures = QED.properties(mol)._asdict()
    weights = QED.WEIGHT_MEAN._asdict()
    total = sum(weights.values())
    qed = QED.qed(mol)
    prices = []
    for key, (step, name) in _STEPS.items():
        here = QED.ads(figures[key], QED.adsParameters[key])
        for sign, word in ((1, "more"), (-1, "less")):
            figure = figures[key] + sign * step
            if figure < 0 and key != "ALOGP":
                continue
            there = QED.ads(figure, QED.adsParameters[key])
            factor = math.exp(weights[key] * math.log(there / here) / total)
            prices.append(QedPrice(f"{name} {word}", qed * (factor - 1.0)))
    return prices


def qed_alerts(mol: Chem.Mol) -> list[Alert]:
    """Find the alerts that QED counts by a list of its own; PAINS and BRENK are others.

    Args:
        mol: A molecule without explicit hydrogens.
    """
    raised = []
    for smarts, query in zip(QED.StructuralAlertSmarts, QED.StructuralAlerts, strict=True):
        match = mol.GetSubstructMatch(query)
        if match:
            atoms = tuple(sorted(match))
            raised.append(Alert("QED", _qed_names().get(smarts, smarts), atoms, Chem.MolFragmentToSmiles(mol, atoms)))
    return raised


@cache
def _qed_names() -> Mapping[str, str]:
    """List the names of QED's alerts by SMARTS; `qed_alerts.tsv` beside this file."""
    rows = read_table(Path(__file__).with_name("qed_alerts.tsv"), lambda row: (row["smarts"], row["name"]))
    return dict(rows)


def alerts(mol: Chem.Mol, catalogs: Sequence[str] = USUAL_CATALOGS) -> list[Alert]:
    """Find structural alerts and the atoms that raise them.

    Args:
        mol: A molecule without explicit hydrogens.
        catalogs: Names of the catalogues that are looked in: RDKit's, or UNSTABLE, our own.
    """
    raised: dict[Alert, None] = {}
    for name in catalogs:
        for entry in catalog(name).GetMatches(mol):
            for match in entry.GetFilterMatches(mol):
                atoms = tuple(sorted(pair.target for pair in match.atomPairs))
                fragment = Chem.MolFragmentToSmiles(mol, atoms) if atoms else ""
                raised[Alert(name, entry.GetDescription(), atoms, fragment)] = None
    return list(raised)


@cache
def catalog(name: str) -> FilterCatalog:
    """Load a catalogue of structural alerts, by RDKit's name of it; or our own of what falls apart or is oxidised."""
    if name == OWN_CATALOG:
        own = FilterCatalog()
        for row_name, matcher in read_table(Path(__file__).with_name("unstable_alerts.tsv"), _matcher):
            own.AddEntry(FilterCatalogEntry(row_name, matcher))
        return own
    parameters = FilterCatalogParams()
    parameters.AddCatalog(getattr(FilterCatalogParams.FilterCatalogs, name))
    return FilterCatalog(parameters)


def _matcher(row: Mapping[str, str]) -> tuple[str, SmartsMatcher]:
    pattern = Chem.MolFromSmarts(row["smarts"])
    if pattern is None:
        raise ValueError(f"{row['smarts']!r} is no SMARTS")
    return row["name"], SmartsMatcher(row["name"], pattern)


@cache
def _sascorer() -> Any:
    """Load RDKit's contributed score: it is installed with RDKit, but no part of its package."""
    path = Path(RDConfig.RDContribDir) / "SA_Score" / "sascorer.py"
    spec = importlib.util.spec_from_file_location("tgsci_molecules._sascorer", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"RDKit's contributed SA score is not where it should be: {path}")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
