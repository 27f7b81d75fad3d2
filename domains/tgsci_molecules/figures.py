"""What can be calculated of a molecule without a simulator, for the rule editor: cheap, exact and cached."""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

from rdkit import Chem, DataStructs, RDConfig
from rdkit.Chem import QED, FilterCatalog, rdFingerprintGenerator, rdMolDescriptors
from rdkit.Chem.Scaffolds import MurckoScaffold

_MORGAN = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=2048)

# QED's own names of its properties, and what a chemist calls them.
_QED_NAMES = {
    "MW": "MW",
    "ALOGP": "cLogP",
    "HBA": "HBA",
    "HBD": "HBD",
    "PSA": "TPSA",
    "ROTB": "rotatable bonds",
    "AROM": "aromatic rings",
    "ALERTS": "alerts",
}


@dataclass(frozen=True)
class Figures:
    """A molecule in numbers.

    Args:
        smiles: Canonical SMILES.
        mol: The parsed molecule; never changed.
        fingerprint: Morgan bits, radius 2, 2048 of them.
        size: Heavy atoms.
        trend: What a docking score is expected to follow, see `TREND`.
        qed: Quantitative estimate of drug-likeness, 0 to 1.
        properties: QED's eight properties under the names of `_QED_NAMES`, QED itself and SA (1 easy to 10 hard).
        costs: What each property costs: how much QED would rise were that one ideal.
    """

    smiles: str
    mol: Chem.Mol
    fingerprint: DataStructs.ExplicitBitVect
    size: int
    trend: tuple[float, ...]
    qed: float
    properties: Mapping[str, float]
    costs: Mapping[str, float]

    @property
    def weakest(self) -> str:
        """The property that costs QED most."""
        return max(self.costs, key=lambda name: self.costs[name])


#: Names of the entries of `Figures.trend`, each scaled to be of order 1.
TREND = ("constant", "size/10", "(size/10)^2", "aromatic rings", "other rings", "rotors/5", "TPSA/50", "charges")


@lru_cache(maxsize=50_000)
def figures(smiles: str) -> Figures:
    """The figures of a molecule.

    Args:
        smiles: Canonical SMILES of a valid molecule.

    Raises:
        ValueError: It is none.
    """
    mol = Chem.MolFromSmiles(smiles)
    if mol is None or mol.GetNumAtoms() == 0:
        raise ValueError(f"not a molecule: {smiles!r}")
    drug = QED.properties(mol)
    desirability = {n: QED.ads(x, QED.adsParameters[n]) for n, x in drug._asdict().items()}
    weights = dict(zip(desirability, QED.WEIGHT_MEAN, strict=True))
    total = math.fsum(weights.values())
    qed = math.exp(math.fsum(weights[n] * math.log(d) for n, d in desirability.items()) / total)
    # Without property n the weighted geometric mean would be QED * d_n ** (-w_n / sum(w)).
    costs = {_QED_NAMES[n]: qed * (d ** (-weights[n] / total) - 1) for n, d in desirability.items()}
    size = mol.GetNumHeavyAtoms()
    aromatic = rdMolDescriptors.CalcNumAromaticRings(mol)
    trend = (
        1.0,
        size / 10,
        (size / 10) ** 2,
        float(aromatic),
        float(rdMolDescriptors.CalcNumRings(mol) - aromatic),
        drug.ROTB / 5,
        drug.PSA / 50,
        float(sum(1 for atom in mol.GetAtoms() if atom.GetFormalCharge())),
    )
    properties = {_QED_NAMES[n]: float(x) for n, x in drug._asdict().items()}
    properties.update(QED=qed, SA=_synthesis()(mol))
    return Figures(smiles, mol, _MORGAN.GetFingerprint(mol), size, trend, qed, properties, costs)


@lru_cache(maxsize=4096)
def scaffold(smiles: str) -> str:
    """The ring systems with their linkers, every atom a carbon; the molecule's longest chain counts as none."""
    core = MurckoScaffold.GetScaffoldForMol(Chem.MolFromSmiles(smiles))
    if core.GetNumAtoms() == 0:
        return ""
    generic: str = Chem.MolToSmiles(MurckoScaffold.MakeScaffoldGeneric(core))
    return generic


@lru_cache(maxsize=4096)
def alert(smiles: str) -> str:
    """The first structural alert in words ("Aliphatic long chain"), or "" where there is none (BRENK's list)."""
    match = _brenk().GetFirstMatch(Chem.MolFromSmiles(smiles))
    return match.GetDescription().replace("_", " ").strip() if match is not None else ""


@cache
def _brenk() -> FilterCatalog.FilterCatalog:
    parameters = FilterCatalog.FilterCatalogParams()
    parameters.AddCatalog(FilterCatalog.FilterCatalogParams.FilterCatalogs.BRENK)
    return FilterCatalog.FilterCatalog(parameters)


@cache
def _synthesis() -> Callable[[Chem.Mol], float]:
    """Ertl and Schuffenhauer's synthetic accessibility (J. Cheminform. 2009, 1, 8), from RDKit's Contrib."""
    path = Path(RDConfig.RDContribDir) / "SA_Score" / "sascorer.py"
    spec = importlib.util.spec_from_file_location("tgsci_molecules_sascorer", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    score: Callable[[Chem.Mol], float] = module.calculateScore
    return score
