"""MMFF94 and MMFF94s as OpenMM forces: RDKit types the atoms, OpenMM moves them.

RDKit computes both force fields itself, but knows no receptor; OpenMM knows receptors, but has no
MMFF94. Functional forms and constants: T. A. Halgren, J. Comput. Chem. 17 (1996), 490-519 (MMFF94) and
20 (1999), 720-729 (MMFF94s). OpenMM measures in nm and kJ/mol, MMFF94 in Angstrom and kcal/mol.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from rdkit import Chem, rdBase
from rdkit.Chem import rdForceFieldHelpers

from tgsci.errors import MeasurementError

from ..failures import calling

#: kJ in a kcal.
KCAL = 4.184
#: mdyn/Angstrom in kcal/mol/Angstrom^2.
_MDYN = 143.9325
#: mdyn Angstrom/rad^2 in kcal/mol/deg^2, and mdyn/rad in kcal/mol/Angstrom/deg.
_MDYN_DEGREE = _MDYN * math.radians(1.0) ** 2
_MDYN_STRETCH_BEND = _MDYN * math.radians(1.0)
#: kcal/mol of two unit charges at 1 Angstrom.
COULOMB = 332.0716
#: Factor on the electrostatics between atoms three bonds apart.
_ONE_FOUR = 0.75
_DEGREE = repr(math.degrees(1.0))


@dataclass(frozen=True)
class Dielectric:
    """The dielectric between charges.

    Args:
        constant: The dielectric constant D.
        distance: True for D times the distance in Angstrom, a crude stand-in for water.
    """

    constant: float = 1.0
    distance: bool = False

    def __str__(self) -> str:
        return f"{self.constant:g}r" if self.distance else f"{self.constant:g}"


#: RDKit's own default.
VACUUM = Dielectric()


def typed(mol: Chem.Mol, dielectric: Dielectric = VACUUM, variant: str = "MMFF94s") -> Any:
    """Get RDKit's MMFF parameters of a molecule with all its hydrogens.

    Args:
        mol: The molecule.
        dielectric: The dielectric between its charges.
        variant: MMFF94, or MMFF94s that keeps delocalised nitrogens flat as crystals do.

    Raises:
        MeasurementError: An atom for which MMFF94 has no type.
    """
    with rdBase.BlockLogs(), calling("force field"):
        known = rdForceFieldHelpers.MMFFHasAllMoleculeParams(mol)
        properties = rdForceFieldHelpers.MMFFGetMoleculeProperties(mol, variant) if known else None
    if properties is None:
        raise MeasurementError(f"force field: MMFF94 has no parameters for this molecule{_culprit(mol)}")
    properties.SetMMFFDielectricModel(2 if dielectric.distance else 1)  # RDKit's numbers
    properties.SetMMFFDielectricConstant(dielectric.constant)
    return properties


def forces(mol: Chem.Mol, properties: Any, dielectric: Dielectric = VACUUM, offset: int = 0) -> list[Any]:
    """Write the terms of MMFF94 as OpenMM forces: their sum is RDKit's energy.

    Args:
        mol: The molecule with all its hydrogens.
        properties: The parameters of `typed()`.
        dielectric: The one that `typed()` was given.
        offset: The number of its first atom in the OpenMM system.
    """
    return [
        _bonds(mol, properties, offset),
        *_angles(mol, properties, offset),
        _stretch_bends(mol, properties, offset),
        _out_of_plane(mol, properties, offset),
        _torsions(mol, properties, offset),
        _nonbonded(mol, properties, dielectric, offset),
    ]


def charges(mol: Chem.Mol, properties: Any) -> list[float]:
    """Get MMFF94's partial charges, e."""
    return [float(properties.GetMMFFPartialCharge(i)) for i in range(mol.GetNumAtoms())]


def _bonds(mol: Chem.Mol, properties: Any, offset: int) -> Any:
    """Write quartic stretching, cubic constant cs = -2 / Angstrom (Halgren 1996, eq. 2)."""
    import openmm

    force = openmm.CustomBondForce("k*d^2*(1-2*d+7/12*4*d^2); d=10*(r-r0)")
    _parameters(force.addPerBondParameter, "k", "r0")
    for bond in mol.GetBonds():
        i, j = bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()
        stiffness, length = _stretch(mol, properties, i, j)
        force.addBond(offset + i, offset + j, [_MDYN / 2 * stiffness * KCAL, length / 10])
    return force


def _angles(mol: Chem.Mol, properties: Any, offset: int) -> list[Any]:
    """Write cubic bending, and the cosine form at linear atoms (eqs. 3 and 4)."""
    import openmm

    bent = openmm.CustomAngleForce(f"k*d^2*(1-0.006981317*d); d={_DEGREE}*theta-t0")
    _parameters(bent.addPerAngleParameter, "k", "t0")
    linear = openmm.CustomAngleForce("k*(1+cos(theta))")
    _parameters(linear.addPerAngleParameter, "k")
    for i, j, k in _triples(mol):
        bend = properties.GetMMFFAngleBendParams(mol, i, j, k)
        if not bend:
            continue
        _, stiffness, angle = bend
        if _is_linear(angle):
            linear.addAngle(offset + i, offset + j, offset + k, [_MDYN * stiffness * KCAL])
        else:
            bent.addAngle(offset + i, offset + j, offset + k, [_MDYN_DEGREE / 2 * stiffness * KCAL, angle])
    return [bent, linear]


def _stretch_bends(mol: Chem.Mol, properties: Any, offset: int) -> Any:
    """Write stretch-bends: a wider angle shortens its bonds (eq. 5)."""
    import openmm

    force = openmm.CustomCompoundBondForce(
        3,
        f"(k1*(10*distance(p1,p2)-r1)+k2*(10*distance(p3,p2)-r2))*({_DEGREE}*angle(p1,p2,p3)-t0)",
    )
    _parameters(force.addPerBondParameter, "k1", "k2", "r1", "r2", "t0")
    for i, j, k in _triples(mol):
        angle = properties.GetMMFFAngleBendParams(mol, i, j, k)
        stretch_bend = properties.GetMMFFStretchBendParams(mol, i, j, k)
        if not angle or not stretch_bend or _is_linear(angle[2]):
            continue
        constants = [_MDYN_STRETCH_BEND * stretch_bend[n] * KCAL for n in (1, 2)]
        lengths = [_stretch(mol, properties, end, j)[1] for end in (i, k)]
        force.addBond([offset + i, offset + j, offset + k], [*constants, *lengths, angle[2]])
    return force


def _out_of_plane(mol: Chem.Mol, properties: Any, offset: int) -> Any:
    """Write out-of-plane bending: the Wilson angle of each bond l-j with the plane i-j-k of the other two (eq. 6)."""
    import openmm

    force = openmm.CustomCompoundBondForce(
        4,
        f"k*({_DEGREE}*asin(max(-0.999999,min(0.999999,s))))^2;"
        "s=(nx*lx+ny*ly+nz*lz)/(sqrt(nx^2+ny^2+nz^2)*sqrt(lx^2+ly^2+lz^2));"
        "nx=ay*bz-az*by; ny=az*bx-ax*bz; nz=ax*by-ay*bx;"
        "ax=x1-x2; ay=y1-y2; az=z1-z2; bx=x3-x2; by=y3-y2; bz=z3-z2; lx=x4-x2; ly=y4-y2; lz=z4-z2",
    )
    _parameters(force.addPerBondParameter, "k")
    for atom in mol.GetAtoms():
        near = [a.GetIdx() for a in atom.GetNeighbors()]
        if len(near) != 3:
            continue
        j = atom.GetIdx()
        for i, k, last in ((near[0], near[1], near[2]), (near[0], near[2], near[1]), (near[1], near[2], near[0])):
            stiffness = properties.GetMMFFOopBendParams(mol, i, j, k, last)
            if stiffness:
                force.addBond([offset + n for n in (i, j, k, last)], [_MDYN_DEGREE / 2 * stiffness * KCAL])
    return force


def _torsions(mol: Chem.Mol, properties: Any, offset: int) -> Any:
    """Write torsions, three cosines each (eq. 7)."""
    import openmm

    force = openmm.CustomTorsionForce("0.5*(v1*(1+cos(theta))+v2*(1-cos(2*theta))+v3*(1+cos(3*theta)))")
    _parameters(force.addPerTorsionParameter, "v1", "v2", "v3")
    for bond in mol.GetBonds():
        j, k = bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()
        for i in (a.GetIdx() for a in bond.GetBeginAtom().GetNeighbors() if a.GetIdx() != k):
            for last in (a.GetIdx() for a in bond.GetEndAtom().GetNeighbors() if a.GetIdx() not in (i, j)):
                torsion = properties.GetMMFFTorsionParams(mol, i, j, k, last)
                if torsion and any(torsion[1:]):
                    atoms = (offset + n for n in (i, j, k, last))
                    force.addTorsion(*atoms, [v * KCAL for v in torsion[1:]])
    return force


def _nonbonded(mol: Chem.Mol, properties: Any, dielectric: Dielectric, offset: int) -> Any:
    """Write buffered 14-7 and buffered Coulomb terms from three bonds on (eqs. 8 to 13)."""
    import openmm

    power = 2 if dielectric.distance else 1
    force = openmm.CustomBondForce(f"e*(1.07*R/(d+0.07*R))^7*(1.12*R^7/(d^7+0.12*R^7)-2)+q/(d+0.05)^{power}; d=10*r")
    _parameters(force.addPerBondParameter, "e", "R", "q")
    separation = Chem.GetDistanceMatrix(mol)
    charge = charges(mol, properties)
    for i in range(mol.GetNumAtoms()):
        for j in range(i):
            if separation[i, j] < 3:
                continue
            # The first two of the four are without the scaling of donor-acceptor pairs.
            _, _, radius, depth = properties.GetMMFFVdWParams(i, j)
            product = COULOMB / dielectric.constant * charge[i] * charge[j]
            product *= _ONE_FOUR if separation[i, j] == 3 else 1.0
            force.addBond(offset + i, offset + j, [depth * KCAL, radius, product * KCAL])
    return force


def _parameters(add: Any, *names: str) -> None:
    for name in names:
        add(name)


def _stretch(mol: Chem.Mol, properties: Any, i: int, j: int) -> tuple[float, float]:
    _, stiffness, length = properties.GetMMFFBondStretchParams(mol, i, j)
    return float(stiffness), float(length)


def _triples(mol: Chem.Mol) -> Iterator[tuple[int, int, int]]:
    """List every angle once: an end, the middle, the other end."""
    for atom in mol.GetAtoms():
        near = [a.GetIdx() for a in atom.GetNeighbors()]
        for second in range(len(near)):
            for first in range(second):
                yield near[first], atom.GetIdx(), near[second]


def _is_linear(angle: float) -> bool:
    return abs(angle - 180.0) < 1e-6


def _culprit(mol: Chem.Mol) -> str:
    """Name the elements that MMFF94 does not cover."""
    covered = ("H", "C", "N", "O", "F", "Si", "P", "S", "Cl", "Br", "I")
    symbols = dict.fromkeys(atom.GetSymbol() for atom in mol.GetAtoms() if atom.GetSymbol() not in covered)
    return f": it has {', '.join(symbols)}" if symbols else ": it has a group or charge that is unusual"
