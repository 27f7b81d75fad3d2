"""How each metric of a molecule's structure is calculated."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from typing import Any

from rdkit import Chem, DataStructs, rdBase
from rdkit.Chem import rdFingerprintGenerator, rdMolDescriptors

from ..molecule.patterns import Pattern, alert_count
from ..molecule.properties import PROPERTIES
from ..molecule.smiles import molecule


def calculate(kind: str, mol: Chem.Mol, about: tuple[Any, ...] = ()) -> float:
    """Calculate a metric.

    Args:
        kind: A name of `metrics.kinds()` that needs no docking.
        mol: A molecule without explicit hydrogens.
        about: Further input of the metric: SMARTS, references, catalogues.
    """
    with rdBase.BlockLogs():
        return float(_CALCULATED[kind](mol, *about))


def _largest_ring(mol: Chem.Mol) -> int:
    return max(map(len, mol.GetRingInfo().AtomRings()), default=0)


def _stereocentres(mol: Chem.Mol) -> int:
    return int(rdMolDescriptors.CalcNumAtomStereoCenters(mol))


def _matches(mol: Chem.Mol, smarts: str) -> int:
    return Pattern(smarts).count(mol)


def _alert_count(mol: Chem.Mol, *catalogs: str) -> int:
    return alert_count(mol, catalogs)


def _similarity(mol: Chem.Mol, *references: str) -> float:
    mine = _generator().GetFingerprint(mol)
    return float(max(DataStructs.BulkTanimotoSimilarity(mine, [_fingerprint(r) for r in references])))


@cache
def _generator() -> Any:
    return rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=2048)


@lru_cache(maxsize=256)
def _fingerprint(smiles: str) -> Any:
    return _generator().GetFingerprint(molecule(smiles))


_CALCULATED: Mapping[str, Callable[..., float]] = {
    **{name: p.compute for name, p in PROPERTIES.items()},
    "formal charge": Chem.GetFormalCharge,
    "rings": rdMolDescriptors.CalcNumRings,
    "largest ring": _largest_ring,
    "stereocentres": _stereocentres,
    "matches": _matches,
    "alerts": _alert_count,
    "similarity": _similarity,
}
