"""Molecular descriptors: what can be calculated of a molecule without a simulator. Exact, and calculated once."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache, cached_property, lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from rdkit import Chem
from rdkit.Chem import QED, Crippen, FilterCatalog, rdFingerprintGenerator, rdMolDescriptors
from rdkit.Chem.Scaffolds import MurckoScaffold

from ..molecule.properties import PROPERTIES
from ..molecule.smiles import Molecule

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
_WEIGHTS = dict(zip(_QED_NAMES, QED.WEIGHT_MEAN, strict=True))
_TOTAL = math.fsum(_WEIGHTS.values())

#: Names of the entries of `Descriptors.trend`, each scaled to be of order 1.
TREND = ("constant", "size/10", "(size/10)^2", "aromatic rings", "other rings", "rotors/5", "TPSA/50", "charges")

#: Metrics that take too long to calculate for a whole pool of candidates.
SLOW = ("QED", "SA")


class Descriptors:
    """A molecule in numbers. Costly ones are calculated when they are first asked for.

    Args:
        smiles: Canonical SMILES.

    Raises:
        ValueError: The SMILES is no molecule.
    """

    def __init__(self, smiles: str) -> None:
        mol = read(smiles)
        if mol is None or mol.GetNumAtoms() == 0:
            raise ValueError(f"not a molecule: {smiles!r}")
        self.smiles = smiles
        #: The parsed molecule; never changed.
        self.mol: Chem.Mol = mol
        #: Heavy atoms.
        self.size: int = mol.GetNumHeavyAtoms()
        #: Morgan bits, radius 2, 2048 of them, each 0 or 1.
        self.fingerprint: npt.NDArray[np.uint8] = _MORGAN.GetFingerprintAsNumPy(mol)
        tpsa = rdMolDescriptors.CalcTPSA(mol)
        rotors = rdMolDescriptors.CalcNumRotatableBonds(mol, rdMolDescriptors.NumRotatableBondsOptions.Strict)
        aromatic = rdMolDescriptors.CalcNumAromaticRings(mol)
        #: What a docking score is expected to follow, see `TREND`.
        self.trend: tuple[float, ...] = (
            1.0,
            self.size / 10,
            (self.size / 10) ** 2,
            float(aromatic),
            float(rdMolDescriptors.CalcNumRings(mol) - aromatic),
            rotors / 5,
            tpsa / 50,
            float(smiles.count("+") + smiles.count("-]")),
        )
        self._quick = {
            "MW": PROPERTIES["MW"].compute(mol),
            "HBD": rdMolDescriptors.CalcNumHBD(mol),
            "PSA": tpsa,
            "ROTB": rotors,
        }
        #: QED cannot be above this: what a few quick properties leave of it were all others ideal.
        self.qed_ceiling: float = _qed({name: _desirability(name, x) for name, x in self._quick.items()})

    @cached_property
    def _drug(self) -> dict[str, float]:
        """Do as `QED.properties` in half of the time: its alerts stand behind one call."""
        mol = self.mol
        aromatic = Chem.GetSSSR(Chem.DeleteSubstructs(Chem.Mol(mol), QED.AliphaticRings))
        acceptors = sum(len(mol.GetSubstructMatches(pattern)) for pattern in QED.Acceptors)
        return {
            "MW": self._quick["MW"],
            "ALOGP": Crippen.MolLogP(mol),
            "HBA": float(acceptors),
            "HBD": float(self._quick["HBD"]),
            "PSA": self._quick["PSA"],
            "ROTB": float(self._quick["ROTB"]),
            "AROM": float(len(aromatic)),
            "ALERTS": float(len(_qed_alerts().GetMatches(mol))),
        }

    @cached_property
    def qed(self) -> float:
        """Quantitative estimate of drug-likeness (Bickerton et al., Nat. Chem. 2012, 4, 90), 0 to 1."""
        return _qed({name: _desirability(name, x) for name, x in self._drug.items()})

    @cached_property
    def properties(self) -> dict[str, float]:
        """QED's eight properties under a chemist's names."""
        return {_QED_NAMES[name]: x for name, x in self._drug.items()}

    @cached_property
    def sa(self) -> float:
        """Synthetic accessibility (Ertl and Schuffenhauer, J. Cheminform. 2009, 1, 8), 1 easy to 10 hard."""
        return float(PROPERTIES["SA"].compute(self.mol))

    def metric(self, name: str) -> float:
        """Calculate one of `PROPERTIES`, as a loss reports it."""
        if name == "QED":
            return self.qed
        return self.sa if name == "SA" else float(PROPERTIES[name].compute(self.mol))

    @cached_property
    def open_centres(self) -> int:
        """Stereocentres that the SMILES leaves open."""
        return int(rdMolDescriptors.CalcNumUnspecifiedAtomStereoCenters(self.mol))

    @cached_property
    def fused(self) -> int:
        """Rings of the largest fused system, rings that share a bond: 1 benzene, 2 indole, 3 carbazole, 4 pyrene."""
        rings = [frozenset(ring) for ring in self.mol.GetRingInfo().BondRings()]
        largest = 0
        while rings:
            system = [rings.pop()]
            for ring in system:  # grows while it is walked
                near = [other for other in rings if other & ring]
                system += near
                rings = [other for other in rings if other not in near]
            largest = max(largest, len(system))
        return largest

    @cached_property
    def costs(self) -> dict[str, float]:
        """Compute how much QED would rise were one property ideal and the others as they are."""
        # Without property n the weighted geometric mean would be QED * d_n ** (-w_n / sum(w)).
        return {
            _QED_NAMES[name]: self.qed * (_desirability(name, x) ** (-_WEIGHTS[name] / _TOTAL) - 1)
            for name, x in self._drug.items()
        }

    @property
    def weakest(self) -> str:
        """The property that costs QED most."""
        return max(self.costs, key=lambda name: self.costs[name])


@lru_cache(maxsize=50_000)
def descriptors(smiles: str) -> Descriptors:
    """Calculate the descriptors of a molecule, once.

    Args:
        smiles: Canonical SMILES.

    Raises:
        ValueError: The SMILES is no molecule.
    """
    return Descriptors(smiles)


def read(value: str) -> Any:
    """Read a trial's value as RDKit does, whatever loss it belongs to; None where it is no molecule."""
    return value.mol if isinstance(value, Molecule) else Chem.MolFromSmiles(value)


@cache
def _qed_alerts() -> FilterCatalog.FilterCatalog:
    catalog = FilterCatalog.FilterCatalog()
    for number, motif in enumerate(QED.StructuralAlerts):
        catalog.AddEntry(FilterCatalog.FilterCatalogEntry(str(number), FilterCatalog.SmartsMatcher(motif)))
    return catalog


def _desirability(name: str, figure: float) -> float:
    value: float = QED.ads(figure, QED.adsParameters[name])
    return value


def _qed(desirability: Mapping[str, float]) -> float:
    """Take the weighted geometric mean; properties that are missing count as ideal."""
    return math.exp(math.fsum(_WEIGHTS[name] * math.log(d) for name, d in desirability.items()) / _TOTAL)


@lru_cache(maxsize=4096)
def scaffold(smiles: str) -> str:
    """Get the ring systems with their linkers, every atom a carbon; "" where there is no ring."""
    core = MurckoScaffold.GetScaffoldForMol(descriptors(smiles).mol)
    if core.GetNumAtoms() == 0:
        return ""
    generic: str = Chem.MolToSmiles(MurckoScaffold.MakeScaffoldGeneric(core))
    return generic


@lru_cache(maxsize=4096)
def murcko(smiles: str) -> str:
    """Get the Bemis-Murcko scaffold: ring systems with their linkers; "" where there is no ring."""
    return str(MurckoScaffold.MurckoScaffoldSmiles(mol=descriptors(smiles).mol))
