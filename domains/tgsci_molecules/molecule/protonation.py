"""The states of protonation that a molecule has in water, by dimorphite-dl."""

from __future__ import annotations

from functools import lru_cache

from rdkit import Chem, rdBase

from tgsci.basics.texts import quote
from tgsci.errors import MeasurementError

from .patterns import query
from .smiles import Molecule, as_molecule, molecule, open_stereo

PH = 7.4
#: A state is plausible as far from it as this.
PH_WIDTH = 0.5
_CATION = "[+]"
#: A ring nitrogen or phenol without its proton; the second ammonium of a 1,2-diamine.
_DOUBTFUL_CHARGE = "[$([n-]),$([O-]c),$([N+;X4;!H0]CC[N+;X4;!H0])]"


def protonate(smiles: str) -> Molecule:
    """Choose the most probable state at pH 7.4.

    Except where dimorphite-dl itself is undecided: its classes for phenols and ring N-H span six pKa units around 7
    and would make paracetamol (pKa 9.4) a phenolate, and it treats the two nitrogens of a piperazine as if the other
    were not there. There the state without the doubtful charges is taken.

    Args:
        smiles: Canonical.

    Raises:
        MeasurementError: There is no state, or it is not the same molecule.
    """
    states = _states(smiles, PH, PH)
    cations = _count(states[0], _CATION)

    def doubt(state: Molecule) -> tuple[int, int]:
        return _count(state, _DOUBTFUL_CHARGE), abs(_count(state, _CATION) - cations)

    chosen = min(states, key=doubt)
    if _skeleton(chosen) != _skeleton(as_molecule(smiles)):
        raise MeasurementError(f"protonation: dimorphite-dl made another molecule of {quote(smiles)}: {quote(chosen)}")
    return chosen


def states_of(smiles: str, most: int) -> list[Molecule]:
    """List the states that are plausible within half a unit of pH 7.4, that of `protonate` first.

    Args:
        smiles: Canonical.
        most: How many, at most; 1 is `protonate` alone.

    Raises:
        MeasurementError: There is no state.
    """
    first = protonate(smiles)
    if most <= 1:
        return [first]
    skeleton = _skeleton(as_molecule(smiles))
    states = {Chem.MolToSmiles(first.mol): first}
    for state in _states(smiles, PH - PH_WIDTH, PH + PH_WIDTH):
        if _skeleton(state) == skeleton:
            states.setdefault(Chem.MolToSmiles(state.mol), state)
    return list(states.values())[:most]


def open_in_water(smiles: str) -> list[Chem.StereoInfo]:
    """Find the stereochemistry that a SMILES leaves open, and that stays open at pH 7.4.

    The C=N bond of an amidine has no isomers once it is charged.

    Args:
        smiles: Canonical.
    """
    stereo = open_stereo(molecule(smiles))
    if any(info.type == Chem.StereoType.Bond_Double for info in stereo):
        try:
            charged = open_stereo(protonate(smiles).mol)
        except MeasurementError:
            return stereo
        if not any(info.type == Chem.StereoType.Bond_Double for info in charged):
            stereo = [info for info in stereo if info.type != Chem.StereoType.Bond_Double]
    return stereo


@lru_cache(maxsize=256)
def _states(smiles: str, low: float, high: float) -> tuple[Molecule, ...]:
    """Ask dimorphite-dl for the states of a molecule between two pH, each once, the most probable first."""
    from dimorphite_dl import protonate_smiles

    with rdBase.BlockLogs():
        # A list: a bare string that happens to name a file would be read as one.
        likeliest = protonate_smiles([str(smiles)], ph_min=low, ph_max=high, max_variants=1)
        possible = protonate_smiles([str(smiles)], ph_min=low, ph_max=high, max_variants=128)
    if not likeliest or not possible:
        raise MeasurementError(f"protonation: dimorphite-dl has no state of {quote(smiles)} at pH {PH}")
    written = as_molecule(smiles)
    return tuple(written if state == written else Molecule(state) for state in dict.fromkeys([*likeliest, *possible]))


def _count(state: Molecule, smarts: str) -> int:
    return len(state.mol.GetSubstructMatches(query(smarts)))


def _skeleton(state: Molecule) -> tuple[tuple[str, ...], int]:
    """Reduce a molecule to what protonation must not change: the heavy atoms and the bonds between them."""
    return tuple(sorted(atom.GetSymbol() for atom in state.mol.GetAtoms())), state.mol.GetNumBonds()
