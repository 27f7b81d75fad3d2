"""The state of protonation that a molecule has in water, by dimorphite-dl."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from rdkit import Chem, rdBase

from tgsci.errors import MeasurementError

from .smiles import molecule, open_stereo, shown

PH = 7.4
#: How far from it a state of protonation may still be plausible.
PH_WIDTH = 0.5
_CATION = "[+]"
#: A ring nitrogen or phenol without its proton; the second ammonium of a 1,2-diamine.
_DOUBTFUL_CHARGE = "[$([n-]),$([O-]c),$([N+;X4;!H0]CC[N+;X4;!H0])]"


def protonate(smiles: str) -> str:
    """The protonation state at pH 7.4, by dimorphite-dl.

    The most probable one, except where dimorphite-dl itself is undecided: its classes for phenols and
    ring N-H span six pKa units around 7 and would make paracetamol (pKa 9.4) a phenolate, and it treats
    the two nitrogens of a piperazine as if the other were not there. There the state without the
    doubtful charges is taken.

    Raises:
        MeasurementError: None was found, or one that is not the same molecule.
    """
    likeliest, *others = _states(smiles, PH, PH)
    cations = _count(likeliest, _CATION)

    def doubt(state: str) -> tuple[int, int]:
        return _count(state, _DOUBTFUL_CHARGE), abs(_count(state, _CATION) - cations)

    chosen = min((likeliest, *others), key=doubt)
    if _skeleton(chosen) != _skeleton(smiles):
        raise MeasurementError(f"protonation: dimorphite-dl made another molecule of {shown(smiles)}: {shown(chosen)}")
    return chosen


def open_in_water(smiles: str) -> list[Chem.StereoInfo]:
    """What a SMILES leaves open and stays so at pH 7.4: an amidine's C=N has no isomers once it is charged.

    Args:
        smiles: Canonical.
    """
    found = open_stereo(molecule(smiles))
    if any(info.type == Chem.StereoType.Bond_Double for info in found):
        try:
            charged = open_stereo(molecule(protonate(smiles)))
        except MeasurementError:
            return found
        if not any(info.type == Chem.StereoType.Bond_Double for info in charged):
            found = [info for info in found if info.type != Chem.StereoType.Bond_Double]
    return found


def states_of(smiles: str, most: int) -> list[str]:
    """The states of protonation that are plausible within half a unit of pH 7.4, that of `protonate` first.

    Args:
        smiles: Canonical.
        most: How many, at most; 1 is `protonate` alone.

    Raises:
        MeasurementError: None was found.
    """
    first = protonate(smiles)
    if most <= 1:
        return [first]
    found = {canonical_form(first): first}
    for state in _states(smiles, PH - PH_WIDTH, PH + PH_WIDTH):
        if _skeleton(state) == _skeleton(smiles):
            found.setdefault(canonical_form(state), state)
    return list(found.values())[:most]


def canonical_form(smiles: str) -> str:
    """RDKit's own spelling."""
    return str(Chem.MolToSmiles(molecule(smiles)))


def _states(smiles: str, low: float, high: float) -> list[str]:
    """dimorphite-dl's states of a molecule between two pH, the most probable first."""
    from dimorphite_dl import protonate_smiles

    with rdBase.BlockLogs():
        # A list: a bare string that happens to name a file would be read as one.
        likeliest: Sequence[str] = protonate_smiles([smiles], ph_min=low, ph_max=high, max_variants=1)
        possible: Sequence[str] = protonate_smiles([smiles], ph_min=low, ph_max=high, max_variants=128)
    if not likeliest or not possible:
        raise MeasurementError(f"protonation: dimorphite-dl has no state of {shown(smiles)} at pH {PH}")
    return [*likeliest, *possible]


def _count(smiles: str, smarts: str) -> int:
    return len(molecule(smiles).GetSubstructMatches(_pattern(smarts)))


@cache
def _pattern(smarts: str) -> Chem.Mol:
    return Chem.MolFromSmarts(smarts)


def _skeleton(smiles: str) -> tuple[tuple[str, ...], int]:
    """What protonation must not change: the heavy atoms and the bonds between them."""
    mol = molecule(smiles)
    return tuple(sorted(atom.GetSymbol() for atom in mol.GetAtoms())), mol.GetNumBonds()
