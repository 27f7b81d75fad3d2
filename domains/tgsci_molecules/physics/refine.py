"""Refinement of a docked pose: the ligand relaxes in the rigid pocket, under a force field that Vina does not know.

A pose that a second, independent energy function leaves where it is deserves more trust than one that drifts away.
The energies are those of one frozen arrangement: no entropy, no water, no movement of the protein.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from rdkit import Chem
from rdkit.Chem import rdMolAlign
from rdkit.Geometry import Point3D

from tgsci.errors import MeasurementError

from ..docking.vina import Docking
from ..failures import calling
from ..target.targets import Target
from . import mmff
from .receptor import FORCE_FIELD as PROTEIN_FIELD
from .receptor import Array, Receptor, ligand_spheres, receptor
from .strain import SOLVENT, checked, strain

#: Residues with an atom this close to the ligand take part, Angstrom; every pair of them counts, without a cutoff.
POCKET = 10.0
FORCE_FIELD = (
    f"ligand MMFF94s, protein {PROTEIN_FIELD}; between them MMFF94s and Amber charges in a distance-dependent "
    f"dielectric ({SOLVENT}, in place of water) and GAFF and Amber Lennard-Jones spheres (Lorentz-Berthelot); rigid "
    f"residues within {POCKET:g} A, no cutoff"
)
#: A pose that moves less has held, Angstrom.
HELD = 1.0
#: Angstrom that MMFF94 adds to every distance in its Coulomb term.
_BUFFER = 0.05
#: Springs that hold the heavy atoms (kcal/mol/Angstrom^2) and longest minimisation, stage by stage: first the hydrogens
#: find their places, which docking ignores, then the ligand is let go.
_STAGES = ((50.0, 200), (0.0, 2000))
#: Stop when the root mean square force is below, kJ/mol/nm (0.06 kcal/mol/Angstrom).
_FORCE = 2.5
#: Interaction energy that is worth naming a residue for, kcal/mol.
_WORTH_NAMING = 0.5


@dataclass(frozen=True)
class Refinement:
    """A pose after refinement.

    Args:
        pose: After refinement, with all hydrogens, in the frame of the docked one.
        rmsd: The distance that its heavy atoms moved, in place and over symmetric atoms, Angstrom.
        interaction: Energy between ligand and receptor after refinement, kcal/mol.
        interaction_before: The same with the heavy atoms as docked, bond lengths and hydrogens relaxed.
        electrostatic: The part of `interaction` from charges, kcal/mol.
        strain: The strain of the refined pose against the nearest minimum of the free ligand, kcal/mol.
        residues: Energy with each residue after refinement, kcal/mol, the best first.
        changes: The change of each residue's energy, kcal/mol.
        others: Cofactors, metals and waters near the ligand: generic spheres, charges of the receptor file.
        seconds: Wall time, s, without preparing the receptor.
        force_field: The force field, in words.
        uncharged: Those of `others` to which the receptor file gives no charges, as `prepare` does for what is kept.
    """

    pose: Chem.Mol
    rmsd: float
    interaction: float
    interaction_before: float
    electrostatic: float
    strain: float
    residues: dict[str, float] = field(repr=False)
    changes: dict[str, float] = field(repr=False)
    others: tuple[str, ...]
    seconds: float
    force_field: str = FORCE_FIELD
    uncharged: tuple[str, ...] = ()

    @property
    def held(self) -> bool:
        """True where the pose stayed where Vina put it."""
        return self.rmsd < HELD

    def text(self) -> str:
        """Write some lines for the report."""
        lines = [
            f"REFINED in the rigid pocket: the pose {'held' if self.held else 'moved'}, RMSD {self.rmsd:.2f} A"
            f"{'' if self.held else f' (more than {HELD:g} A: look at it before you believe the docked one)'}.",
            f"  Interaction {self.interaction:.1f} kcal/mol ({self.interaction_before:.1f} as docked), of which "
            f"charges {self.electrostatic:.1f}; local strain {self.strain:.1f}.",
            f"  Strongest with {_list_residues(self.residues, best=True)}; "
            f"repulsive {_list_residues(self.residues, best=False)}.",
        ]
        moved = {name: change for name, change in self.changes.items() if abs(change) >= 2 * _WORTH_NAMING}
        if moved:
            ordered = sorted(moved.items(), key=lambda item: -abs(item[1]))[:4]
            lines.append(f"  Changed most: {', '.join(f'{name} {change:+.1f}' for name, change in ordered)}.")
        if self.others:
            lines.append(
                f"  {', '.join(self.others[:6])}: not in the protein force field; generic spheres with the receptor "
                "file's charges, so bonds to metals are not described."
            )
        if self.uncharged:
            lines.append(f"  The receptor file has no charges for {', '.join(self.uncharged[:6])}: contacts only.")
        lines.append(f"  Force field: {self.force_field}.")
        lines.append("  An energy of one frozen arrangement without entropy or water: not a binding free energy.")
        return "\n".join(lines)


def refine(docking: Docking, target: Target) -> Refinement:
    """Relax the ligand of a docking in its rigid pocket. The same docking gives the same result.

    Its `.interaction` is the metric `refined interaction`, kcal/mol.

    The surface is rough: coordinates that differ by 0.0001 Angstrom may end 0.1 Angstrom and 0.7 kcal/mol apart, for
    imatinib in ABL1 0.4 and 2. Smaller differences between molecules are noise.

    Args:
        docking: Its best pose is refined.
        target: The target that it was docked into.

    Raises:
        MeasurementError: A force field has no parameters for the ligand or the receptor, or the ligand left the pocket.
    """
    return refine_pose(docking.pose, target)


def refine_pose(pose: Chem.Mol, target: Target) -> Refinement:
    """Do as `refine`, for a pose from elsewhere: with all hydrogens, in the frame of the target's receptor.

    Raises:
        MeasurementError: See `refine`.
    """
    with calling("refinement"):
        return _refined(pose, target)


def _refined(pose: Chem.Mol, target: Target) -> Refinement:
    whole = receptor(target)
    started = time.perf_counter()
    mol = checked(pose)
    properties = mmff.typed(mol, SOLVENT)
    start = np.array(mol.GetConformer().GetPositions())
    pocket = whole.near(start, POCKET)
    if not len(pocket):
        raise MeasurementError(
            f"refinement: the pose is not in the receptor {target}; no atom is within {POCKET:g} A. Name the target "
            "that it was docked into, or superpose the structure that it comes from"
        )
    pair = Pair(mol, properties, pocket)
    relaxed, final = _minimise(mol, properties, pair, start)
    before, _ = pair.energies(relaxed)
    after, charges = pair.energies(final)
    if not np.isfinite(final).all() or not np.isfinite(after).all():
        raise MeasurementError(f"refinement: the energy of this pose in {target} is not a number; its atoms overlap")
    moved = _with_positions(mol, final)
    named = _by_residue(pocket, after)
    first = _by_residue(pocket, before)
    return Refinement(
        pose=moved,
        rmsd=rmsd_in_place(moved, mol),
        interaction=float(after.sum()),
        interaction_before=float(before.sum()),
        electrostatic=float(charges.sum()),
        strain=strain(moved, conformers=0).local,
        residues=dict(sorted(named.items(), key=lambda item: item[1])),
        changes={name: energy - first[name] for name, energy in named.items()},
        others=pocket.others,
        seconds=time.perf_counter() - started,
        uncharged=_uncharged(pocket),
    )


def _uncharged(pocket: Receptor) -> tuple[str, ...]:
    charged = {name for name, charge in zip(pocket.residues, pocket.charges, strict=True) if charge}
    return tuple(name for name in pocket.others if name not in charged)


class Pair:
    """The energy between a ligand and a pocket: for OpenMM, and residue by residue."""

    def __init__(self, mol: Chem.Mol, properties: Any, pocket: Receptor) -> None:
        self.pocket = pocket
        self.charges = np.array(mmff.charges(mol, properties))
        self.radii, self.depths = ligand_spheres(mol)

    def energies(self, positions: Array) -> tuple[Array, Array]:
        """Compute the energy of each receptor atom with the ligand: all of it, and the part from charges, kcal/mol."""
        distance = np.linalg.norm(self.pocket.positions[:, None] - positions[None], axis=-1)
        radius = self.pocket.radii[:, None] + self.radii[None]
        depth = np.sqrt(self.pocket.depths[:, None] * self.depths[None])
        sixth = (radius / distance) ** 6
        product = mmff.COULOMB / SOLVENT.constant * self.pocket.charges[:, None] * self.charges[None]
        coulomb = product / (distance + _BUFFER) ** 2
        return (depth * (sixth**2 - 2 * sixth) + coulomb).sum(1), coulomb.sum(1)

    def force(self) -> Any:
        """Write the energy as an OpenMM force: the ligand's particles first, then the pocket's."""
        import openmm

        force = openmm.CustomNonbondedForce(
            f"e*(s^2-2*s)+{mmff.COULOMB * mmff.KCAL / SOLVENT.constant}*q1*q2/(10*r+{_BUFFER})^2;"
            "s=((R1+R2)/r)^6; e=root1*root2"
        )
        for name in ("q", "R", "root"):
            force.addPerParticleParameter(name)
        for charges, radii, depths in (
            (self.charges, self.radii, self.depths),
            (self.pocket.charges, self.pocket.radii, self.pocket.depths),
        ):
            for charge, radius, depth in zip(charges, radii, depths, strict=True):
                force.addParticle([float(charge), float(radius) / 10, float(np.sqrt(depth * mmff.KCAL))])
        force.setNonbondedMethod(openmm.CustomNonbondedForce.NoCutoff)
        count = len(self.charges)
        force.addInteractionGroup(range(count), range(count, count + len(self.pocket)))
        return force


def _minimise(mol: Chem.Mol, properties: Any, pair: Pair, start: Array) -> tuple[Array, Array]:
    """Minimise with the heavy atoms held in place, then with all let go; give both sets of positions, Angstrom."""
    import openmm

    count = mol.GetNumAtoms()
    system = openmm.System()
    for atom in mol.GetAtoms():
        system.addParticle(atom.GetMass())
    for _ in range(len(pair.pocket)):
        system.addParticle(0.0)  # OpenMM does not move what has no mass
    for force in mmff.forces(mol, properties, SOLVENT):
        system.addForce(force)
    system.addForce(pair.force())
    springs = openmm.CustomExternalForce("hold*((x-x0)^2+(y-y0)^2+(z-z0)^2)")
    springs.addGlobalParameter("hold", 0.0)
    for name in ("x0", "y0", "z0"):
        springs.addPerParticleParameter(name)
    for atom in mol.GetAtoms():
        if atom.GetAtomicNum() > 1:
            springs.addParticle(atom.GetIdx(), [float(x) / 10 for x in start[atom.GetIdx()]])
    system.addForce(springs)
    # One thread adds in one order: with more, the same pose ends differently every time.
    platform = openmm.Platform.getPlatformByName("CPU")
    with calling("refinement: OpenMM cannot minimise this pose"):
        context = openmm.Context(system, openmm.VerletIntegrator(0.001), platform, {"Threads": "1"})
        context.setPositions(np.vstack([start, pair.pocket.positions]) / 10)
        positions = []
        for spring, steps in _STAGES:
            context.setParameter("hold", spring * mmff.KCAL * 100)
            openmm.LocalEnergyMinimizer.minimize(context, _FORCE, steps)
            positions.append(np.array(context.getState(positions=True).getPositions(asNumpy=True)._value[:count]) * 10)
    return positions[0], positions[-1]


def _with_positions(mol: Chem.Mol, positions: Array) -> Chem.Mol:
    moved = Chem.Mol(mol)
    for index, (x, y, z) in enumerate(positions):
        moved.GetConformer().SetAtomPosition(index, Point3D(float(x), float(y), float(z)))
    return moved


def rmsd_in_place(moved: Chem.Mol, original: Chem.Mol) -> float:
    """Compute the RMSD of the heavy atoms without superposition, the best over symmetric atoms, Angstrom."""
    one, two = (Chem.RemoveAllHs(mol) for mol in (moved, original))
    return float(rdMolAlign.CalcRMS(one, two, maxMatches=10_000))


def _by_residue(pocket: Receptor, energies: Array) -> dict[str, float]:
    by_name: dict[str, float] = {}
    for name, energy in zip(pocket.residues, energies, strict=True):
        by_name[name] = by_name.get(name, 0.0) + float(energy)
    return by_name


def _list_residues(residues: dict[str, float], *, best: bool) -> str:
    sign = 1.0 if best else -1.0
    ordered: Sequence[tuple[str, float]] = sorted(residues.items(), key=lambda item: sign * item[1])
    named = [f"{name} {energy:+.1f}" for name, energy in ordered if sign * energy <= -_WORTH_NAMING]
    return ", ".join(named[: 5 if best else 3]) or "none"
