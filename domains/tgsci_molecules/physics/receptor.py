"""The receptor as charges and Lennard-Jones spheres, prepared once per target and process.

The protein's own residues get their missing atoms from pdbfixer and their parameters from Amber ff14SB. Whatever
Amber does not know (cofactors, metals, waters, modified residues, single residues cut off by breaks) is
not left out, or the ligand would move into it: it keeps the charges of the receptor file and gets spheres by element.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from rdkit import Chem

from tgsci.errors import MeasurementError

from ..preparation.receptor_pdbqt import AUTODOCK_ELEMENTS
from ..preparation.repair import Residue, completed, repeatable
from ..preparation.structures import SIDE_CHAINS
from ..target.numbering import standard
from ..target.targets import Target

Array = np.ndarray[Any, np.dtype[np.float64]]

FORCE_FIELD = "Amber ff14SB"
_XML = "amber14-all.xml"
#: Radius (half the distance of the minimum, Angstrom) and depth (kcal/mol) by element, where Amber has no type: from
#: GAFF 1.8 (J. Comput. Chem. 25 (2004), 1157), metals from Li and Merz (J. Chem. Theory Comput. 9 (2013), 2733) as in
#: OpenMM's amber14/tip3p.xml.
GENERIC: dict[str, tuple[float, float]] = {
    "H": (0.6000, 0.0157),
    "C": (1.9080, 0.0860),
    "N": (1.8240, 0.1700),
    "O": (1.6837, 0.1700),
    "F": (1.7500, 0.0610),
    "P": (2.1000, 0.2000),
    "S": (2.0000, 0.2500),
    "Cl": (1.9480, 0.2650),
    "Br": (2.0200, 0.4200),
    "I": (2.1500, 0.5000),
    "Na": (1.3690, 0.0874),
    "K": (1.7050, 0.1937),
    "Mg": (1.3600, 0.0102),
    "Ca": (1.6490, 0.1059),
    "Mn": (1.4070, 0.0169),
    "Fe": (1.3530, 0.0094),
    "Co": (1.2990, 0.0048),
    "Ni": (1.2550, 0.0026),
    "Cu": (1.2180, 0.0015),
    "Zn": (1.2710, 0.0033),
}
METALS = frozenset(("Mg", "Ca", "Mn", "Fe", "Co", "Ni", "Cu", "Zn"))
#: C-N distance above which a chain is broken, Angstrom.
_BREAK = 2.0
#: An atom of the file is an atom of the protein when they are as close as this, Angstrom.
_SAME = 0.1
_BOND_TO_H = 1.25
_METAL_TO_S = 3.0
#: Receptors held by one process, 1 MB each.
_MAX_RECEPTORS = 8


@dataclass(frozen=True)
class Receptor:
    """A rigid receptor; all arrays have one entry an atom.

    Args:
        positions: Angstrom, N x 3, in the frame of the docked poses.
        charges: e.
        radii: Half the distance of the Lennard-Jones minimum, Angstrom.
        depths: The depth of that minimum, kcal/mol.
        elements: Symbols.
        residues: Labels, such as `Met318`.
        others: Residues and cofactors that Amber does not know, by label.
        added: Missing heavy atoms that pdbfixer placed.
        seconds: The time that it took to prepare, s.
    """

    positions: Array
    charges: Array
    radii: Array
    depths: Array
    elements: tuple[str, ...]
    residues: tuple[str, ...]
    others: tuple[str, ...]
    added: int
    seconds: float

    def __len__(self) -> int:
        return len(self.elements)

    def near(self, points: Array, within: float) -> Receptor:
        """Take the whole residues that have an atom within a distance of a point, Angstrom."""
        squared = ((self.positions[:, None] - points[None]) ** 2).sum(-1).min(1)
        close = {self.residues[i] for i in np.flatnonzero(squared < within**2)}
        kept = np.array([i for i, name in enumerate(self.residues) if name in close], dtype=int)
        return Receptor(
            positions=self.positions[kept],
            charges=self.charges[kept],
            radii=self.radii[kept],
            depths=self.depths[kept],
            elements=tuple(self.elements[i] for i in kept),
            residues=tuple(self.residues[i] for i in kept),
            others=tuple(name for name in self.others if name in close),
            added=self.added,
            seconds=self.seconds,
        )


def receptor(target: Target) -> Receptor:
    """Prepare the target's receptor. A process keeps a few; the first call for a target takes some seconds.

    Raises:
        MeasurementError: No force field for it.
    """
    with _one_at_a_time:
        if target.sha256 not in _cache:
            while len(_cache) >= _MAX_RECEPTORS:
                _cache.popitem(last=False)
            _cache[target.sha256] = _prepare(target)
        _cache.move_to_end(target.sha256)
        return _cache[target.sha256]


_cache: OrderedDict[str, Receptor] = OrderedDict()
_one_at_a_time = threading.Lock()


@dataclass(frozen=True)
class _Atom:
    name: str
    resname: str
    chain: str
    number: str
    position: Array
    charge: float
    element: str

    @property
    def residue(self) -> tuple[str, str, str]:
        return self.resname, self.chain, self.number


@dataclass(frozen=True)
class _Protein:
    """What Amber knows of the receptor."""

    positions: Array
    charges: Array
    radii: Array
    depths: Array
    elements: list[str]
    residues: list[tuple[str, str, str]]
    added: int


def _prepare(target: Target) -> Receptor:
    started = time.perf_counter()
    try:
        atoms = list(_read(target.receptor))
    except (OSError, ValueError) as error:
        raise MeasurementError(f"force field: the receptor file of {target} cannot be read ({error})") from error
    protein = _protein(target, atoms)
    others = _not_in(protein, atoms)
    return Receptor(
        positions=np.vstack([protein.positions, *(a.position for a in others)]),
        charges=np.array([*protein.charges, *(a.charge for a in others)]),
        radii=np.array([*protein.radii, *(GENERIC[a.element][0] for a in others)]),
        depths=np.array([*protein.depths, *(GENERIC[a.element][1] for a in others)]),
        elements=(*protein.elements, *(a.element for a in others)),
        residues=tuple(
            target.label(name, number, chain)
            for name, chain, number in [*protein.residues, *(a.residue for a in others)]
        ),
        others=tuple(dict.fromkeys(target.label(a.resname, a.number, a.chain) for a in others)),
        added=protein.added,
        seconds=time.perf_counter() - started,
    )


def _read(path: Path) -> Iterator[_Atom]:
    """Read the atoms of a receptor's pdbqt file."""
    for line in path.read_text(errors="replace").splitlines():
        if not line.startswith(("ATOM", "HETATM")):
            continue
        kind = line[77:].split()[0] if line[77:].split() else ""
        element = AUTODOCK_ELEMENTS.get(kind, kind.capitalize())
        if element not in GENERIC:
            raise MeasurementError(
                f"force field: the receptor has an atom of the type {kind[:8]!r}, without parameters"
            )
        yield _Atom(
            name=line[12:16].strip(),
            resname=line[17:20].strip(),
            chain=line[21].strip(),
            number=line[22:27].strip(),
            position=np.array([float(line[30:38]), float(line[38:46]), float(line[46:54])]),
            charge=float(line[70:76]),
            element=element,
        )


def _protein(target: Target, atoms: Sequence[_Atom]) -> _Protein:
    """Take the protein with all hydrogens: as it was prepared, or rebuilt from the receptor's own atoms."""
    from openmm import OpenMMException

    if target.structure is not None:
        try:
            return _read_prepared(target.structure)
        except (ValueError, KeyError, OpenMMException):
            pass  # a gap or a residue that Amber does not know: its chain has to be cut there
    try:
        with repeatable() as platform:
            return _rebuild(atoms, platform)
    except (ValueError, KeyError, IndexError, OpenMMException) as error:
        reason = str(error).partition("\n")[0][:200]
        raise MeasurementError(
            f"force field: {FORCE_FIELD} cannot describe the receptor {target} ({reason})"
        ) from error


def _read_prepared(path: Path) -> _Protein:
    from openmm import app

    file = app.PDBFile(str(path))
    modeller = app.Modeller(file.topology, file.positions)
    modeller.delete([r for r in modeller.topology.residues() if standard(r.name) not in SIDE_CHAINS])
    return _parametrise(modeller.topology, modeller.positions, added=0, number=lambda r: (r.chain.id, r.id))


def _rebuild(atoms: Sequence[_Atom], platform: Any) -> _Protein:
    """Cut at breaks, add missing heavy atoms and hydrogens; protons stay on the atoms where the file has them."""
    from openmm import app

    chains = _chains(atoms)
    originals = [residue for chain in chains for residue in chain]
    if not originals:
        raise ValueError("it has no amino acids")
    fixer, added = completed(_renumber(chains), platform)
    modeller = app.Modeller(fixer.topology, fixer.positions)
    if len(originals) != modeller.topology.getNumResidues():
        raise ValueError("pdbfixer changed its residues")
    bridged = {atom.residue.index for bond in modeller.topology.bonds() for atom in bond if _is_disulfide(bond)}
    inner = {n for n, residue in enumerate(originals) if not any(residue in (c[0], c[-1]) for c in chains)}
    variants = [
        _cysteine(residue, atoms, n in bridged, n in inner)
        if standard(residue[0].resname) == "CYS"
        else _variant(residue)
        for n, residue in enumerate(originals)
    ]
    modeller.addHydrogens(app.ForceField(_XML), variants=variants, platform=platform)
    names = [(residue[0].chain, residue[0].number) for residue in originals]
    protein = _parametrise(
        modeller.topology, modeller.positions, added=added, number=lambda residue: names[residue.index]
    )
    _restore_hydrogens(protein, modeller.topology, atoms)
    return protein


def _parametrise(topology: Any, positions: Any, added: int, number: Callable[[Any], tuple[str, str]]) -> _Protein:
    import openmm
    from openmm import app, unit

    system = app.ForceField(_XML).createSystem(topology, nonbondedMethod=app.NoCutoff)
    force = next(f for f in system.getForces() if isinstance(f, openmm.NonbondedForce))
    charges, radii, depths = [], [], []
    for i in range(system.getNumParticles()):
        charge, sigma, epsilon = force.getParticleParameters(i)
        charges.append(charge.value_in_unit(unit.elementary_charge))
        radii.append(sigma.value_in_unit(unit.angstrom) * 2 ** (1 / 6) / 2)
        depths.append(epsilon.value_in_unit(unit.kilocalorie_per_mole))
    return _Protein(
        positions=np.array(positions.value_in_unit(unit.angstrom)),
        charges=np.array(charges),
        radii=np.array(radii),
        depths=np.array(depths),
        elements=[atom.element.symbol for atom in topology.atoms()],
        residues=[(atom.residue.name, *number(atom.residue)) for atom in topology.atoms()],
        added=added,
    )


def _chains(atoms: Sequence[_Atom]) -> list[list[list[_Atom]]]:
    """Find stretches of bonded amino acids, at least two long: an amino acid alone has no template."""
    chains: list[list[list[_Atom]]] = [[]]
    end: Array | None = None
    for _, group in groupby(atoms, key=lambda a: a.residue):
        residue = list(group)
        by_name = {a.name: a.position for a in residue}
        known = standard(residue[0].resname) in SIDE_CHAINS and {"N", "CA", "C"} <= by_name.keys()
        if not known or end is None or np.linalg.norm(by_name["N"] - end) > _BREAK:
            chains.append([])
        if known:
            chains[-1].append(residue)
        end = by_name["C"] if known else None
    return [chain for chain in chains if len(chain) > 1]


def _renumber(chains: Sequence[Sequence[Sequence[_Atom]]]) -> list[list[Residue]]:
    """Number the heavy atoms of the chains anew, so that nothing collides."""
    return [
        [
            Residue(standard(residue[0].resname), chr(ord("A") + index % 26), f"{number:4d} ", _heavy(residue))
            for number, residue in enumerate(chain, 1)
        ]
        for index, chain in enumerate(chains)
    ]


def _heavy(residue: Sequence[_Atom]) -> dict[str, tuple[float, float, float]]:
    solid = [a for a in residue if a.element != "H"]
    return {a.name: (float(a.position[0]), float(a.position[1]), float(a.position[2])) for a in solid}


def _is_disulfide(bond: Any) -> bool:
    return all(atom.element.symbol == "S" for atom in bond)


def _cysteine(residue: Sequence[_Atom], atoms: Sequence[_Atom], bridged: bool, inner: bool) -> str:
    """Choose CYS, or CYX without a proton: in a bridge or on a metal (Amber knows that one only inside a chain)."""
    sulfur = [a.position for a in residue if a.name == "SG"]
    bound = any(np.linalg.norm(a.position - s) < _METAL_TO_S for a in atoms if a.element in METALS for s in sulfur)
    return "CYX" if bridged or (bound and inner) else "CYS"


def _variant(residue: Sequence[_Atom]) -> str | None:
    """Name the protonation that the receptor file shows, in OpenMM's words; None for the only one."""
    name = standard(residue[0].resname)
    protons = [a for a in residue if a.element == "H"]

    def bears(*names: str) -> int:
        parents = [a.position for a in residue if a.name in names]
        return sum(any(np.linalg.norm(h.position - p) < _BOND_TO_H for p in parents) for h in protons)

    if name == "HIS":
        delta, epsilon = bears("ND1"), bears("NE2")
        return "HIP" if delta and epsilon else "HID" if delta else "HIE"
    if name == "ASP":
        return "ASH" if bears("OD1", "OD2") else "ASP"
    if name == "GLU":
        return "GLH" if bears("OE1", "OE2") else "GLU"
    if name == "LYS":
        return "LYN" if bears("NZ") == 2 else "LYS"
    return None


def _restore_hydrogens(protein: _Protein, topology: Any, atoms: Sequence[_Atom]) -> None:
    """Put the polar hydrogens where the receptor file has them: docking saw those, and so does the reader."""
    hydrogens: dict[int, list[int]] = {}
    for one, two in topology.bonds():
        for heavy, light in ((one, two), (two, one)):
            if light.element.symbol == "H" and heavy.element.symbol != "H":
                hydrogens.setdefault(heavy.index, []).append(light.index)
    parents = np.array(sorted(hydrogens))
    given: dict[int, list[Array]] = {}
    for a in atoms:
        if a.element == "H":
            distance = np.linalg.norm(protein.positions[parents] - a.position, axis=1)
            if distance.min() < _BOND_TO_H:
                given.setdefault(int(parents[distance.argmin()]), []).append(a.position)
    for parent, places in given.items():
        if len(places) != len(hydrogens[parent]):
            continue  # a terminus of a cut chain has more than the file
        for light in hydrogens[parent]:
            nearest = min(range(len(places)), key=lambda n: np.linalg.norm(places[n] - protein.positions[light]))
            protein.positions[light] = places.pop(nearest)


def _not_in(protein: _Protein, atoms: Sequence[_Atom]) -> list[_Atom]:
    """Find the residues of the file that the protein does not have."""
    heavy = protein.positions[[e != "H" for e in protein.elements]]
    left: list[_Atom] = []
    for _, group in groupby(atoms, key=lambda a: a.residue):
        residue = list(group)
        solid = [a.position for a in residue if a.element != "H"] or [a.position for a in residue]
        matched = sum(np.abs(heavy - place).max(axis=1).min() < _SAME for place in solid)
        if 2 * matched < len(solid):
            left += residue
    return left


def ligand_spheres(mol: Chem.Mol) -> tuple[Array, Array]:
    """Get Lennard-Jones radii (Angstrom) and depths (kcal/mol) of a ligand, by GAFF 1.8's types.

    A hydroxyl's hydrogen, which has no sphere in GAFF, gets that of an N-H, so that it cannot fall into an anion.
    """
    pairs = [_gaff(atom) for atom in mol.GetAtoms()]
    return np.array([p[0] for p in pairs]), np.array([p[1] for p in pairs])


def _gaff(atom: Chem.Atom) -> tuple[float, float]:
    symbol = atom.GetSymbol()
    if symbol == "C":
        sp = Chem.HybridizationType.SP
        depth = {Chem.HybridizationType.SP3: 0.1094, sp: 0.2100}.get(atom.GetHybridization(), 0.0860)
        return 1.9080, depth
    if symbol == "O" and not atom.GetIsAromatic():
        if atom.GetDegree() == 1:
            return 1.6612, 0.2100
        if any(a.GetAtomicNum() == 1 for a in atom.GetNeighbors()):
            return 1.7210, 0.2104
    if symbol == "H":
        return _gaff_hydrogen(atom)
    if symbol not in GENERIC:
        raise MeasurementError(f"force field: no Lennard-Jones parameters for {symbol}")
    return GENERIC[symbol]


#: Radius of a hydrogen on sp3 carbon by the number of electron-withdrawing neighbours of that carbon.
_ON_SP3 = (1.4870, 1.3870, 1.2870, 1.1870)
_ON_SP2 = (1.4590, 1.4090, 1.3590)


def _gaff_hydrogen(atom: Chem.Atom) -> tuple[float, float]:
    carbon = atom.GetNeighbors()[0]
    if carbon.GetSymbol() != "C":
        return GENERIC["H"]
    near = [a for a in carbon.GetNeighbors() if a.GetAtomicNum() > 1]
    if carbon.GetHybridization() == Chem.HybridizationType.SP3:
        if any(a.GetSymbol() == "N" and a.GetFormalCharge() > 0 for a in near):
            return 1.1000, 0.0157
        return _ON_SP3[min(3, sum(a.GetSymbol() in ("N", "O", "F", "Cl", "Br", "I", "S") for a in near))], 0.0157
    return _ON_SP2[min(2, sum(a.GetSymbol() in ("N", "O", "F", "Cl", "Br", "I") for a in near))], 0.0150
