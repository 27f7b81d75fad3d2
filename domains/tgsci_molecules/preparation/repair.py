"""A protein with everything a force field needs: missing atoms, ends and hydrogens, by pdbfixer and OpenMM."""

from __future__ import annotations

import io
import math
import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import groupby
from typing import Any

from ..target.numbering import standard
from ..target.targets import Point, Target
from .receptor_pdbqt import AUTODOCK_ELEMENTS
from .states import HYDROGEN_BOND_LENGTH, Place, holding_metals
from .structures import SIDE_CHAINS, WATERS

PH = 7.4
#: A longer C-N distance is no peptide bond, Angstrom.
_PEPTIDE_BOND = 2.0
#: Bonds to hydrogen in amber14, Angstrom; OpenMM places hydrogens with a coarse force field that leaves them long.
_X_H_BONDS = {"C": 1.09, "N": 1.01, "O": 0.96, "S": 1.34}
#: The second oxygen of a carboxylate, from its carbon, Angstrom.
_C_OXT_BOND = 1.25


@dataclass
class Residue:
    """A residue as lines of a PDB file.

    Args:
        name: Three letters.
        chain: One letter.
        number: With its insertion code, five characters as in columns 23 to 27.
        atoms: Heavy atoms: name to position, Angstrom.
    """

    name: str
    chain: str
    number: str
    atoms: dict[str, Point] = field(default_factory=dict)


@dataclass(frozen=True)
class RepairedProtein:
    """A protein with all its hydrogens.

    Args:
        pdb: PDB text; chains and numbers are kept, TER stands at every break.
        added: The heavy atoms that were missing, by residue, ends of chains apart.
    """

    pdb: str
    added: Mapping[str, Sequence[str]]

    @property
    def added_atoms(self) -> int:
        """How many heavy atoms were missing."""
        return sum(map(len, self.added.values()))


@lru_cache(maxsize=8)
def receptor_pdb(target: Target) -> str:
    """Write the receptor as PDB text for drawing: as it is docked into, with the file's own residue numbers."""
    lines = []
    for line in target.receptor.read_text(encoding="utf-8").splitlines():
        if line.startswith(("ATOM", "HETATM")):
            kind = line[77:].strip()
            element = AUTODOCK_ELEMENTS.get(kind, kind)
            resname = standard(line[17:20])
            record = "ATOM  " if resname in SIDE_CHAINS else "HETATM"
            lines.append(f"{record}{line[6:17]}{resname:>3}{line[20:54]}  1.00  0.00          {element.upper():>2}")
    return "\n".join([*lines, "END", ""])


def split(residues: Sequence[Residue]) -> list[list[Residue]]:
    """Split residues into bonded stretches; those of one residue are left out."""
    stretches: list[list[Residue]] = []
    for residue in residues:
        if stretches and bonded(stretches[-1][-1], residue):
            stretches[-1].append(residue)
        else:
            stretches.append([residue])
    return [stretch for stretch in stretches if len(stretch) > 1]


def bonded(first: Residue, second: Residue) -> bool:
    """Tell whether there is a peptide bond from the first residue to the second."""
    same = first.chain == second.chain
    carbon, nitrogen = first.atoms.get("C"), second.atoms.get("N")
    return same and carbon is not None and nitrogen is not None and math.dist(carbon, nitrogen) <= _PEPTIDE_BOND


def add_hydrogens(
    stretches: Sequence[Sequence[Residue]],
    ph: float,
    *,
    waters: Sequence[Residue] = (),
    metals: Sequence[Point] = (),
    states: Mapping[Place, str] | None = None,
    hydrogens: Mapping[Place, Sequence[Point]] | None = None,
) -> RepairedProtein:
    """Add what is missing: side-chain atoms, the ends of every stretch, hydrogens at a pH.

    What holds a metal gets no hydrogen towards it; other histidines are protonated as their hydrogen bonds ask for,
    disulfide bridges are kept.

    Args:
        stretches: Residues that are bonded, heavy atoms only.
        ph: The pH, for residues whose state nothing else says.
        waters: Kept as they are.
        metals: Where metals are.
        states: OpenMM's names of the states of residues, by their places.
        hydrogens: Hydrogens that the file has: they stay where they are, as far as the state has them.
    """
    from openmm.app import Modeller, PDBFile

    with repeatable() as platform:
        ended = [[*stretch[:-1], _with_oxt(stretch[-1])] for stretch in stretches]
        fixer, _ = completed(ended, platform, waters)
        added = {
            f"{_residue_label(residue)} of chain {residue.chain.id}": [atom.name for atom in atoms]
            for residue, atoms in fixer.missingAtoms.items()
        }
        modeller = Modeller(fixer.topology, fixer.positions)
        # Not pdbfixer's own: it asks the network about residues that it does not know.
        modeller.addHydrogens(pH=ph, variants=_variants(fixer, metals, states or {}), platform=platform)
        out = io.StringIO()
        PDBFile.writeFile(modeller.topology, modeller.positions, out, keepIds=True)
    lines = [line for line in out.getvalue().splitlines() if line.startswith(("ATOM", "HETATM", "TER"))]
    return RepairedProtein("\n".join([*_set_hydrogens(lines, hydrogens or {}), "END", ""]), added)


def completed(stretches: Sequence[Sequence[Residue]], platform: Any, waters: Sequence[Residue] = ()) -> tuple[Any, int]:
    """Add the heavy atoms that are missing; what is open between stretches stays open.

    Args:
        stretches: Residues that are bonded, heavy atoms only.
        platform: The platform of `repeatable`.
        waters: Kept as they are.

    Returns:
        pdbfixer's model, and how many atoms were added, ends of stretches apart.
    """
    from pdbfixer import PDBFixer

    fixer = PDBFixer(pdbfile=io.StringIO(pdb_text(stretches, waters)), platform=platform)
    fixer.missingResidues = {}
    fixer.findMissingAtoms()
    added = sum(map(len, fixer.missingAtoms.values()))
    fixer.addMissingAtoms(seed=1)
    return fixer, added


def with_loops(
    chains: Sequence[Sequence[Residue]], sequences: Sequence[Sequence[str]], longest: int
) -> tuple[list[list[Residue]], list[str], list[str]]:
    """Build the missing residues inside each chain, where the file tells their names.

    Args:
        chains: The residues that there are, a list a chain.
        sequences: All residues of each chain, by name (SEQRES); empty where the file does not tell.
        longest: Longest loop that is built, residues.

    Returns:
        The chains, what was built and what was left open, in words.
    """
    if not any(sequences):
        return [list(chain) for chain in chains], [], []
    from pdbfixer import PDBFixer
    from pdbfixer.pdbfixer import Sequence as ChainSequence

    with repeatable() as platform:
        fixer = PDBFixer(pdbfile=io.StringIO(pdb_text(chains, ())), platform=platform)
        fixer.sequences = [ChainSequence(c[0].chain, list(s)) for c, s in zip(chains, sequences, strict=True) if s]
        fixer.findMissingResidues()
        topology = list(fixer.topology.chains())
        built: list[str] = []
        open_: list[str] = []
        for (chain, index), names in list(fixer.missingResidues.items()):
            residues = list(topology[chain].residues())
            inside = 0 < index < len(residues)
            if inside:
                before, after = _residue_label(residues[index - 1]), _residue_label(residues[index])
                words = f"{len(names)} residues between {before} and {after}"
                (built if len(names) <= longest else open_).append(words)
            if not inside or len(names) > longest:
                del fixer.missingResidues[chain, index]
        if not fixer.missingResidues:
            return [list(chain) for chain in chains], [], open_
        fixer.findMissingAtoms()
        fixer.missingTerminals = {}
        fixer.addMissingAtoms(seed=1)
    return _residues(fixer), built, open_


def with_all_atoms(stretches: Sequence[Sequence[Residue]]) -> list[list[Residue]]:
    """Complete the heavy atoms of residues; the ends of stretches stay open."""
    with repeatable() as platform:
        fixer, _ = completed([[*stretch[:-1], _with_oxt(stretch[-1])] for stretch in stretches], platform)
    return _residues(fixer)


def _residues(fixer: Any) -> list[list[Residue]]:
    """Read pdbfixer's model back, chain by chain."""
    from openmm import unit

    positions = fixer.positions.value_in_unit(unit.angstrom)
    chains: list[list[Residue]] = []
    for chain in fixer.topology.chains():
        chains.append([])
        for residue in chain.residues():
            atoms = {a.name: (p.x, p.y, p.z) for a in residue.atoms() for p in [positions[a.index]]}
            number = f"{residue.id:>4}{residue.insertionCode or ' '}"[-5:]
            chains[-1].append(Residue(residue.name, chain.id, number, atoms))
    return chains


def _with_oxt(residue: Residue) -> Residue:
    """Add the second oxygen of a carboxylate: pdbfixer puts that as close as 1.1 Angstrom to other atoms."""
    atoms = residue.atoms
    if "OXT" in atoms or not {"CA", "C", "O"} <= set(atoms):
        return residue
    carbon = atoms["C"]
    towards = [_unit(carbon, atoms[name]) for name in ("CA", "O")]
    away = _unit((0.0, 0.0, 0.0), tuple(-sum(axis) for axis in zip(*towards, strict=True)))
    x, y, z = (c + _C_OXT_BOND * a for c, a in zip(carbon, away, strict=True))
    return Residue(residue.name, residue.chain, residue.number, {**atoms, "OXT": (x, y, z)})


def _unit(start: Sequence[float], end: Sequence[float]) -> Point:
    length = math.dist(start, end) or 1.0
    x, y, z = ((b - a) / length for a, b in zip(start, end, strict=True))
    return x, y, z


def _set_hydrogens(lines: Sequence[str], given: Mapping[Place, Sequence[Point]]) -> Iterator[str]:
    """Give every bond to a hydrogen its usual length and, where the file has it, its direction; PDB line by line."""
    for _, group in groupby(lines, key=lambda line: line[17:27] if not line.startswith("TER") else line):
        residue = list(group)
        heavy = {line[12:16].strip(): line for line in residue if _is_heavy(line)}
        if residue[0].startswith("TER") or not heavy:
            yield from residue
            continue
        places = {name: _position(line) for name, line in heavy.items()}
        bases = {line: _base(places, _position(line)) for line in residue if not _is_heavy(line)}
        file = _by_base(places, given.get((residue[0][21], residue[0][22:27]), ()))
        made: dict[str, int] = {}
        counts = {base: list(bases.values()).count(base) for base in bases.values()}
        for line in residue:
            if line not in bases:
                yield line
                continue
            base = bases[line]
            here, number = _position(line), made.get(base, 0)
            made[base] = number + 1
            if len(file.get(base, ())) == counts[base]:  # the same hydrogens as in the file
                here = file[base][number]
            length = _X_H_BONDS.get(heavy[base][76:78].strip(), 1.09)
            x, y, z = (b + length * u for b, u in zip(places[base], _unit(places[base], here), strict=True))
            yield f"{line[:30]}{x:8.3f}{y:8.3f}{z:8.3f}{line[54:]}"


def _base(heavy: Mapping[str, Point], hydrogen: Point) -> str:
    return min(heavy, key=lambda name: math.dist(heavy[name], hydrogen))


def _by_base(heavy: Mapping[str, Point], hydrogens: Sequence[Point]) -> dict[str, list[Point]]:
    """Sort hydrogens of the file by the atom that carries them."""
    found: dict[str, list[Point]] = {}
    for place in hydrogens:
        base = _base(heavy, place)
        if 0.5 < math.dist(heavy[base], place) <= HYDROGEN_BOND_LENGTH:
            found.setdefault(base, []).append(place)
    return found


def _is_heavy(line: str) -> bool:
    return line.startswith(("ATOM", "HETATM")) and line[76:78].strip() != "H"


def _residue_label(residue: Any) -> str:
    return f"{residue.name.capitalize()}{residue.id}{residue.insertionCode.strip()}"


def _variants(fixer: Any, metals: Sequence[Point], states: Mapping[Place, str]) -> list[str | None]:
    """Choose the variant of each residue: room for a metal, then the state that is known, else OpenMM's choice."""
    from openmm import unit

    positions = fixer.positions.value_in_unit(unit.angstrom)
    variants: list[str | None] = []
    for residue in fixer.topology.residues():
        atoms = {a.name: (p.x, p.y, p.z) for a in residue.atoms() for p in [positions[a.index]]}
        place = (residue.chain.id, f"{residue.id:>4}{residue.insertionCode or ' '}"[-5:])
        variants.append(holding_metals(atoms, residue.name, metals) or states.get(place))
    return variants


def pdb_text(stretches: Sequence[Sequence[Residue]], waters: Sequence[Residue]) -> str:
    """Write heavy atoms as PDB text, TER after each stretch."""
    lines = []
    serial = 0
    for stretch in [*stretches, *([waters] if waters else [])]:
        for residue in stretch:
            record = "HETATM" if residue.name in WATERS else "ATOM  "
            for name, (x, y, z) in residue.atoms.items():
                serial = serial % 99_999 + 1
                spelled = name if len(name) == 4 else f" {name:<3}"
                lines.append(
                    f"{record}{serial:5d} {spelled} {residue.name:>3} {residue.chain or 'A'}{residue.number}   "
                    f"{x:8.3f}{y:8.3f}{z:8.3f}  1.00  0.00          {name[0]:>2}"
                )
        lines.append("TER")
    return "\n".join([*lines, "END", ""])


def _position(line: str) -> Point:
    return float(line[30:38]), float(line[38:46]), float(line[46:54])


@contextmanager
def repeatable() -> Iterator[Any]:
    """OpenMM's CPU platform in silence on one thread, Python's random numbers from one seed; put back at the end.

    OpenMM starts new hydrogens at random places, and several threads add forces in any order: two processes would
    have two proteins.
    """
    from openmm import Platform

    platform = Platform.getPlatformByName("CPU")
    threads = platform.getPropertyDefaultValue("Threads")
    state = random.getstate()
    platform.setPropertyDefaultValue("Threads", "1")
    random.seed(1)
    try:
        with redirect_stderr(io.StringIO()):
            yield platform
    finally:
        random.setstate(state)
        platform.setPropertyDefaultValue("Threads", threads)
