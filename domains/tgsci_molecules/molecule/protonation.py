"""States of protonation in water, from the pKa of a molecule's sites and from what charges do to each other."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise, product

from rdkit import Chem

from tgsci.basics import checks
from tgsci.basics.texts import quote
from tgsci.errors import InvalidValue, MeasurementError

from ..failures import calling
from .ionisation import Site, sites
from .smiles import Molecule, as_molecule, molecule, open_stereo

PH = 7.4
#: The least share of a state that counts as a real alternative.
LEAST_SHARE = 0.05
#: What two like charges cost by the bonds between them, pKa units; in a ring, both ways round count. From the second
#: pKa of diamines (ethylenediamine 9.9 and 6.9, 1,3-diaminopropane 10.5 and 8.9, piperazine 9.7 and 5.4, each with 0.6
#: for two equal sites), of biguanides (11.5 and 2.8) and of phosphates (1.5 and 6.3).
_REPULSION = {1: 8.0, 2: 5.2, 3: 2.2, 4: 1.1, 5: 0.6, 6: 0.3}
_CONJUGATED = 7.5
#: What two unlike charges gain from each other over at most so many bonds, pKa units: cetirizine's amine (8.3) is a
#: stronger base than that of hydroxyzine, its alcohol (7.5).
_ATTRACTION, _ATTRACTED = 0.6, 8
#: Sites whose states are all looked at; of more, those that are surely charged or surely not are left as they are.
_MOST_SITES = 10


@dataclass(frozen=True, slots=True)
class State:
    """A state of protonation.

    Args:
        smiles: Its SMILES.
        share: Share of the molecules that are in it, 0 to 1.
    """

    smiles: Molecule
    share: float


def protonate(smiles: str, ph: float = PH) -> Molecule:
    """Choose the most probable state of protonation in water at a pH.

    A charge that is written is kept: such an atom neither gains nor loses a proton.

    Args:
        smiles: A molecule, most usefully in its neutral form.
        ph: From 0 to 14.

    Raises:
        UsageError: The pH is none.
        InvalidValue: The SMILES cannot be read.
        MeasurementError: There is no such state.
    """
    return shares(smiles, ph)[0].smiles


def states_of(smiles: str, most: int, ph: float = PH) -> list[State]:
    """List the states that 5% or more of the molecules are in, the most probable first.

    Args:
        smiles: Canonical.
        most: How many, at most.
        ph: From 0 to 14.

    Raises:
        MeasurementError: A state cannot be written.
    """
    first, *others = shares(smiles, ph)
    return [first, *(state for state in others if state.share >= LEAST_SHARE)][:most]


def shares(smiles: str, ph: float = PH) -> tuple[State, ...]:
    """List the states of a molecule with their shares at a pH, the most probable first.

    The energy of a state, in units of kT ln 10, is the sum of pH - pKa over its protonated bases, of pKa - pH over its
    acids without their proton, and of what its like charges cost; the shares follow Boltzmann.

    Args:
        smiles: A molecule, most usefully in its neutral form.
        ph: From 0 to 14.

    Raises:
        UsageError: The pH is none.
        InvalidValue: The SMILES cannot be read.
        MeasurementError: A state cannot be written.
    """
    return _shares(smiles, checks.number("ph", ph, low=0, high=14))


@lru_cache(maxsize=256)
def _shares(smiles: str, ph: float) -> tuple[State, ...]:
    written = as_molecule(smiles)
    mol = written.mol
    if not mol.GetNumAtoms():
        raise InvalidValue("the SMILES is empty: write a molecule, such as NCCO")
    found = sites(mol)
    free = _undecided(found, ph)
    interaction = _interaction(mol, found)
    energies: dict[tuple[bool, ...], float] = {}
    for choice in product((False, True), repeat=len(free)):
        on = [_alone(site, ph) < 0 for site in found]
        for index, value in zip(free, choice, strict=True):
            on[index] = value
        if not _twice(found, on):
            energies[tuple(on)] = _energy(found, on, interaction, ph)
    least = min(energies.values())
    weights = {charged: 10 ** (least - energy) for charged, energy in energies.items()}
    whole = math.fsum(weights.values())
    states: dict[str, State] = {}
    for charged, weight in sorted(weights.items(), key=lambda item: (-item[1], item[0])):
        if weight < 1e-3 and states:
            break
        form = _written(written, [site for site, on in zip(found, charged, strict=True) if on])
        before = states.get(form)
        states[form] = State(form, weight / whole + (before.share if before else 0.0))
    return tuple(sorted(states.values(), key=lambda state: -round(state.share, 9)))


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


def _alone(site: Site, ph: float) -> float:
    """Give the energy of charging a site that is alone, kT ln 10."""
    return site.pka - ph if site.acid else ph - site.pka


def _undecided(found: Sequence[Site], ph: float) -> list[int]:
    """Choose the sites whose states are all looked at: those nearest to the pH where there are too many."""
    order = sorted(range(len(found)), key=lambda i: (_alone(found[i], ph) > 0, abs(_alone(found[i], ph))))
    return sorted(order[:_MOST_SITES])


def _twice(found: Sequence[Site], charged: Sequence[bool]) -> bool:
    """Tell whether an atom would lose and gain a proton at once."""
    atoms = [site.atom for site, on in zip(found, charged, strict=True) if on]
    return len(set(atoms)) < len(atoms)


def _energy(
    found: Sequence[Site], charged: Sequence[bool], interaction: dict[tuple[int, int], float], ph: float
) -> float:
    energy = math.fsum(_alone(site, ph) for site, on in zip(found, charged, strict=True) if on)
    return energy + math.fsum(cost for (i, j), cost in interaction.items() if charged[i] and charged[j])


def _interaction(mol: Chem.Mol, found: Sequence[Site]) -> dict[tuple[int, int], float]:
    """Find what each pair of sites costs when both are charged, pKa units; unlike charges gain."""
    distances, rings = Chem.GetDistanceMatrix(mol), mol.GetRingInfo().AtomRings()
    costs = {}
    for i, first in enumerate(found):
        for j in range(i + 1, len(found)):
            second = found[j]
            apart = int(distances[first.atom][second.atom])
            if first.acid != second.acid:
                if 1 < apart <= _ATTRACTED:
                    costs[i, j] = -_ATTRACTION
                continue
            if apart not in _REPULSION:
                continue
            if first.acid and apart > 3:  # a carboxylate shields itself with water; its neighbours hardly notice
                continue
            cost = _REPULSION[apart]
            around = [len(ring) - apart for ring in rings if first.atom in ring and second.atom in ring]
            cost += _REPULSION.get(min(around, default=0), 0.0)
            costs[i, j] = max(cost, _CONJUGATED) if _conjugated(mol, first.atom, second.atom) else cost
    return costs


def _conjugated(mol: Chem.Mol, first: int, second: int) -> bool:
    """Tell whether two atoms share one delocalised system, over bonds that are all conjugated."""
    path = Chem.GetShortestPath(mol, first, second)
    bonds = (mol.GetBondBetweenAtoms(a, b) for a, b in pairwise(path))
    return len(path) <= 6 and all(bond.GetIsConjugated() for bond in bonds)


def _written(written: Molecule, charged: Sequence[Site]) -> Molecule:
    """Write the state in which these sites are charged."""
    if not charged:
        return written
    mol = Chem.RWMol(written.mol)
    for site in charged:
        atom = mol.GetAtomWithIdx(site.atom)
        hydrogens = atom.GetTotalNumHs() + (-1 if site.acid else 1)
        atom.SetFormalCharge(-1 if site.acid else 1)
        atom.SetNumExplicitHs(hydrogens)
        atom.SetNoImplicit(True)
    with calling(f"protonation: a state of {quote(written)} cannot be written"):
        Chem.SanitizeMol(mol)
        Chem.AssignStereochemistry(mol, cleanIt=True, force=True)
        return Molecule(Chem.MolToSmiles(mol))
