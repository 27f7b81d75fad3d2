"""Small groups in place of a hydrogen: which may stand where, and what each would earn in the pose as it is.

They are turned about the new bond, and scored with Vina's terms.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem

from .ligand import PosedLigand
from .probes import BLOCKED, PROBES
from .receptor import Receptor
from .terms import Floats

#: Between a new atom and the molecule's own atoms, beyond its neighbours, Angstrom.
APART = 3.0


@dataclass(frozen=True)
class _Part:
    """An atom of a substituent: along the bond and away from it (Angstrom), and about it (degrees)."""

    probe: str
    along: float
    away: float = 0.0
    turn: float = 0.0


#: With usual bond lengths on carbon; the first atom is bonded to the molecule.
SUBSTITUENTS: Mapping[str, tuple[_Part, ...]] = {
    "fluoro": (_Part("fluorine", 1.35),),
    "chloro": (_Part("chlorine", 1.74),),
    "methyl": (_Part("lipophilic", 1.51),),
    "hydroxyl": (_Part("hydroxyl", 1.38),),
    "amino": (_Part("donor", 1.40),),
    "cyano": (_Part("carbon", 1.44), _Part("nitrogen", 2.60)),
    "methoxy": (_Part("acceptor", 1.38), _Part("carbon", 2.05, 1.26)),
    "ethyl": (_Part("lipophilic", 1.51), _Part("lipophilic", 2.02, 1.44)),
    "hydroxymethyl": (_Part("carbon", 1.51), _Part("hydroxyl", 1.99, 1.34)),
    "trifluoromethyl": (_Part("carbon", 1.51), *(_Part("fluorine", 1.97, 1.27, t) for t in (0, 120, 240))),
    "isopropyl": (_Part("lipophilic", 1.51), *(_Part("lipophilic", 2.02, 1.44, t) for t in (0, 120))),
    "cyclopropyl": (_Part("lipophilic", 1.50), *(_Part("lipophilic", 2.20, 1.32, t) for t in (0, 60))),
    "tert-butyl": (_Part("lipophilic", 1.51), *(_Part("lipophilic", 2.02, 1.44, t) for t in (0, 120, 240))),
    "aminomethyl": (_Part("carbon", 1.51), _Part("donor", 2.00, 1.39)),
    "carboxamide": (_Part("carbon", 1.50), _Part("acceptor", 2.12, 1.07), _Part("donor", 2.17, 1.16, 180)),
    "phenyl": (
        _Part("lipophilic", 1.49),
        *(_Part("lipophilic", 2.19, 1.21, t) for t in (0, 180)),
        *(_Part("lipophilic", 3.59, 1.21, t) for t in (0, 180)),
        _Part("lipophilic", 4.29),
    ),
}
_TURNS = 12
_ALKYL = ("methyl", "ethyl", "isopropyl", "cyclopropyl")
_BY_CARBON = (*_ALKYL, "tert-butyl", "hydroxymethyl", "aminomethyl", "carboxamide", "trifluoromethyl", "phenyl")
#: What may be bonded to what, by the atom that bears the hydrogen; the rest is unstable, reactive or absurd.
_ALLOWED: Mapping[str, tuple[str, ...]] = {
    "aromatic": tuple(SUBSTITUENTS),
    "N": (*_ALKYL, "tert-butyl", "phenyl"),
    "O": (*_ALKYL, "tert-butyl"),
    "S": _ALKYL,
    "alkyl": tuple(name for name in SUBSTITUENTS if name != "chloro"),  # alkyl chlorides alkylate
    "beside a heteroatom": _BY_CARBON,  # no aminals
    "unsaturated": (*_BY_CARBON, "fluoro", "chloro", "cyano"),  # no enols
    "alkynyl": _BY_CARBON,
}


def _laid_out() -> tuple[dict[tuple[str, bool], NDArray[np.intp]], list[tuple[_Part, int]]]:
    """List every place that an atom of a substituent can take, once, and which of them each substituent needs.

    On a heteroatom (True) the first carbon is not hydrophobic for Vina.
    """
    places: dict[tuple[_Part, int], int] = {}
    rows: dict[tuple[str, bool], NDArray[np.intp]] = {}
    for name, substituent in SUBSTITUENTS.items():
        for on_heteroatom in (False, True):
            wanted = []
            for number, part in enumerate(substituent):
                probe = "carbon" if on_heteroatom and not number and part.probe == "lipophilic" else part.probe
                kind = _Part(probe, part.along, part.away)
                turns = [(n + round(part.turn * _TURNS / 360)) % _TURNS if part.away else 0 for n in range(_TURNS)]
                wanted.append([places.setdefault((kind, turn), len(places)) for turn in turns])
            rows[name, on_heteroatom] = np.array(wanted, np.intp)
    return rows, list(places)


_ROWS, _PLACES = _laid_out()
_ALONG = np.array([part.along for part, _ in _PLACES])
_AWAY = np.array([part.away for part, _ in _PLACES])
_COSINE, _SINE = (f(np.array([turn for _, turn in _PLACES]) * 2 * math.pi / _TURNS) for f in (np.cos, np.sin))
_KIND = np.array([list(PROBES).index(part.probe) for part, _ in _PLACES], np.intp)
_CARBONS = np.array([list(PROBES).index(name) for name in ("carbon", "lipophilic")], np.intp)
#: Bonds from the molecule's atom to each place.
_STEPS = np.array([1 if part.away == 0.0 and part.along < 1.8 else 2 for part, _ in _PLACES])
#: What gives a hydrogen bond, and what takes one.
DONORS, ACCEPTORS = (
    frozenset(name for name, parts in SUBSTITUENTS.items() if any(part.probe in probes for part in parts))
    for probes in (("donor", "hydroxyl"), ("acceptor", "hydroxyl", "nitrogen"))
)
#: Groups without polarity that have the shape of a polar one: where they do as well, nothing answers the polar atom.
ISOSTERES: Mapping[str, str] = {
    "hydroxyl": "methyl",
    "amino": "methyl",
    "methoxy": "ethyl",
    "hydroxymethyl": "ethyl",
    "aminomethyl": "ethyl",
    "carboxamide": "isopropyl",
}


def fitted(ligand: PosedLigand, receptor: Receptor, atom: int, hydrogen: int) -> dict[str, float]:
    """Fit substituents in place of a hydrogen: those that fit, with Vina's energy at the best turn, kcal/mol.

    Args:
        ligand: The pose.
        receptor: Around it.
        atom: The atom that bears the hydrogen; an index of the posed molecule.
        hydrogen: The hydrogen; an index of the posed molecule.
    """
    heavy, bearer = ligand.xyz[: ligand.heavy], ligand.mol.GetAtomWithIdx(atom)
    origin, axis, u, w = _frame(ligand.xyz[atom], ligand.xyz[hydrogen])
    points = origin + _ALONG[:, None] * axis + _AWAY[:, None] * (_COSINE[:, None] * u + _SINE[:, None] * w)
    # Atoms of the molecule two bonds away or less are meant to be near, those three away may come to 2.5 A.
    steps = ligand.bonds[atom, : len(heavy)][None, :] + _STEPS[:, None]
    limits = np.select([steps <= 2, steps == 3, steps == 4], [0.0, 2.5, 2.8], APART)
    squared = ((points[:, None, :] - heavy[None, :, :]) ** 2).sum(axis=2)
    energies = receptor.probes.energies(points, _KIND)
    # A carbon that is given a heteroatom is not hydrophobic any more.
    hydrophobic = ligand.kinds.hydrophobic[atom]
    here = receptor.probes.energies(np.stack([origin, origin]), _CARBONS) if hydrophobic else np.zeros(2)
    energies[(squared < limits**2).any(axis=1)] = BLOCKED
    scores = {}
    for name in _ALLOWED[_surroundings(bearer)]:
        best = float(energies[_ROWS[name, bearer.GetSymbol() != "C"]].sum(axis=0).min())
        if SUBSTITUENTS[name][0].probe not in ("lipophilic", "carbon"):
            best += float(here[0] - here[1])
        if best < 0:
            scores[name] = best
    return scores


def _surroundings(atom: Chem.Atom) -> str:
    """Find the row of `_ALLOWED` that is an atom's."""
    if atom.GetSymbol() in ("N", "O", "S"):
        return str(atom.GetSymbol())
    if atom.GetIsAromatic():
        return "aromatic"
    hybridisation = atom.GetHybridization()
    if hybridisation == Chem.HybridizationType.SP:
        return "alkynyl"
    if hybridisation == Chem.HybridizationType.SP2:
        return "unsaturated"
    beside = any(n.GetAtomicNum() not in (1, 6) for n in atom.GetNeighbors())
    return "beside a heteroatom" if beside else "alkyl"


def _frame(origin: Floats, hydrogen: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    axis = (hydrogen - origin) / np.linalg.norm(hydrogen - origin)
    helper = np.eye(3)[int(np.abs(axis).argmin())]
    u = np.cross(axis, helper)
    u /= np.linalg.norm(u)
    return origin, axis, u, np.cross(axis, u)
