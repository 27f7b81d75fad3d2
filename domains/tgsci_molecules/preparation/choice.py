"""What of a crystal structure becomes the receptor: site, chains, ligand, cofactors; decided before any work."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import gemmi
import numpy as np
from rdkit import Chem, rdBase

from tgsci.basics.texts import quote
from tgsci.errors import UsageError

from ..docking.settings import Settings
from ..target.targets import Point
from .crystal_ligand import ligand_molecule, template_molecule
from .pockets import Pocket, pockets
from .receptor_pdbqt import known_element
from .redock import SETTINGS
from .repair import PH
from .structures import Crystal, Group, listed, points

#: Room around the ligand: half of it on each side, Angstrom.
PADDING = 8.0
SMALLEST_BOX = 22.0
LARGEST_BOX = 38.0
#: Chains with an atom this close to the site are part of it, Angstrom.
_SITE = 8.0
#: What is kept must be this close to the protein, Angstrom.
_CONTACT = 5.0
#: Longest missing loop that is built, residues; longer ones are guesswork.
LONGEST_LOOP = 8
#: What crystallisation leaves behind: never meant when somebody asks for "the ligand".
_NAMES = "SO4 PO4 GOL EDO PEG PGE PG4 1PE P6G MPD DMS ACT ACY FMT CIT TRS BME MES EPE IMD NO3 NH4"
_ADDITIVES = frozenset(_NAMES.split())


@dataclass(frozen=True)
class Site:
    """Where to search.

    Args:
        center: Angstrom, in the frame of the file.
        box: Edges, Angstrom.
        source: What the site was made from, in words.
    """

    center: Point
    box: Point
    source: str


@dataclass(frozen=True)
class Options:
    """What a person asks for.

    Args:
        ligand: NAME, NAME:CHAIN or NAME:CHAIN:NUMBER of the crystal's ligand.
        box: Centre and, as a fourth figure, edge of the box, Angstrom.
        box_residues: Residues that the box is put around, each CHAIN:NUMBER or NUMBER.
        pocket: The rank of the pocket that the box is put around: 1 is the best of those that are found.
        box_from: An SDF file: the box is put around its first molecule, which is also re-docked.
        chains: Chains to keep; those near the site where empty.
        ph: The pH at which hydrogens are placed.
        keep_hetero: Cofactors and metals to keep, each NAME, NAME:CHAIN:NUMBER or CHAIN:NUMBER.
        keep_water: Waters to keep, each NUMBER or CHAIN:NUMBER.
        ligand_smiles: The ligand's SMILES, for its bond orders.
        longest_loop: Longest missing loop that is built, residues.
        redock: Whether the ligand is docked back.
        altlocs: Alternative positions to take, each LETTER or CHAIN:NUMBER:LETTER.
        flip: Asn, Gln and His to turn, each CHAIN:NUMBER or NUMBER, or "proposed".
        protonate: Whether PROPKA chooses the states of the residues at the pH.
        exhaustiveness: Restarts of the search when the ligand is docked back.
        ring_conformers: Starting conformers, at least, of a ligand with a ring of 8 or more atoms.

    Raises:
        UsageError: An option is out of its range, or two exclude each other.
    """

    ligand: str | None = None
    box: tuple[float, ...] | None = None
    box_residues: tuple[str, ...] | None = None
    pocket: int | None = None
    box_from: Path | None = None
    chains: tuple[str, ...] = ()
    ph: float = PH
    keep_hetero: tuple[str, ...] = ()
    keep_water: tuple[str, ...] = ()
    ligand_smiles: str | None = None
    longest_loop: int = LONGEST_LOOP
    redock: bool = True
    altlocs: tuple[str, ...] = ()
    flip: tuple[str, ...] = ()
    protonate: bool = False
    exhaustiveness: int | None = None
    ring_conformers: int | None = None

    def __post_init__(self) -> None:
        ways = (self.ligand, self.box, self.box_from, self.box_residues, self.pocket)
        if sum(way is not None for way in ways) != 1:
            raise UsageError(
                "say where the binding site is, in one way: --ligand NAME, --box X Y Z, --box-residues A:315,A:381, "
                "--box-from FILE or --pocket N (--pockets lists them)"
            )
        _ = self.search  # its settings are checked
        if not 0.0 <= self.ph <= 14.0:
            raise UsageError(f"pH must be from 0 to 14, not {self.ph:g}")
        if not 0 <= self.longest_loop <= 20:
            raise UsageError(f"loops of 0 to 20 residues can be built, not {self.longest_loop}")
        if self.box is not None:
            if len(self.box) not in (3, 4) or not all(math.isfinite(x) and abs(x) < 10_000 for x in self.box):
                raise UsageError("--box takes X Y Z, and optionally the edge, in Angstrom")
            if len(self.box) == 4 and not 10.0 <= self.box[3] <= LARGEST_BOX:
                raise UsageError(f"the edge of a box must be from 10 to {LARGEST_BOX:g} Angstrom, not {self.box[3]:g}")

    @property
    def search(self) -> Settings:
        """The settings with which the ligand is docked back."""
        return replace(
            SETTINGS,
            exhaustiveness=SETTINGS.exhaustiveness if self.exhaustiveness is None else self.exhaustiveness,
            ring_conformers=SETTINGS.ring_conformers if self.ring_conformers is None else self.ring_conformers,
        )


@dataclass
class Choice:
    """What of the structure becomes the receptor.

    Args:
        residues: The amino acids of each chosen chain.
        kept: Cofactors and metals.
        waters: Kept waters.
        ligand: The crystal's ligand at its place, or None.
        ligand_group: The same as it stands in the file, or None.
        site: The place to search.
        notes: The decisions, in words for people.
    """

    residues: dict[str, list[gemmi.Residue]]
    kept: list[Group]
    waters: list[Group]
    ligand: Chem.Mol | None
    ligand_group: Group | None
    site: Site
    notes: list[str] = field(default_factory=list)


def choose(crystal: Crystal, options: Options) -> Choice:
    """Find the site, then what belongs to it.

    Raises:
        UsageError: The options do not fit the structure.
    """
    notes = list(crystal.notes)
    _check_chains(crystal, options.chains)
    group, mol = None, None
    if options.ligand is not None:
        group = _ligand(crystal, options, notes)
        try:
            mol = ligand_molecule(group, options.ligand_smiles, crystal.blocks)
            if options.ligand_smiles is None:
                notes.append(f"{group} is {Chem.MolToSmiles(mol)}; --ligand-smiles overrides it")
        except UsageError as error:
            if options.redock:
                raise UsageError(f"{error}. Or leave out the check with --no-redock") from None
            notes.append(f"{group} is not re-docked: its bond orders are not known")
        site = _around(points([group.residue]), f"around {group}")
    elif options.box_from is not None:
        mol = _from_sdf(options.box_from)
        site = _around([tuple(p) for p in mol.GetConformer().GetPositions()], f"around {options.box_from.name}")
    elif options.box_residues is not None:
        site = _around_residues(crystal, options.box_residues)
    elif options.pocket is not None:
        site = _in_pocket(crystal, options)
    else:
        x, y, z, *edge = options.box or ()
        size = edge[0] if edge else SMALLEST_BOX
        site = Site((x, y, z), (size, size, size), "as given")
    residues = _near_chains(crystal, options, site, points([group.residue]) if group else None, notes)
    _check_site(site, points([r for chain in residues.values() for r in chain]), residues)
    kept, waters = _cofactors_and_waters(crystal, options, group, residues, notes)
    if group is not None:
        _note_covalent(group, residues, notes)
    notes.append(
        f"box {' x '.join(f'{edge:.1f}' for edge in site.box)} Angstrom at "
        f"{', '.join(f'{x:.3f}' for x in site.center)}, {site.source}"
    )
    return Choice(residues, kept, waters, mol, group, site, notes)


def _check_chains(crystal: Crystal, chains: Sequence[str]) -> None:
    for chain in chains:
        if _chain_key(chain) not in crystal.protein:
            there = ", ".join(f"{name or '-'} ({len(rs)} residues)" for name, rs in crystal.protein.items())
            raise UsageError(f"no protein chain {quote(chain)} in the file; there are {there}. A blank chain is -")


def _chain_key(chain: str) -> str:
    return "" if chain.strip() == "-" else chain.strip()


def _ligand(crystal: Crystal, options: Options, notes: list[str]) -> Group:
    """Find the group that --ligand names; of several the first in the wanted chains."""
    wanted = str(options.ligand).strip()
    copies = [group for group in crystal.hetero() if group.matches(wanted)]
    if not copies:
        there = listed(crystal.hetero()) or "none but waters" if crystal.others else "none"
        likely = [group for group in crystal.hetero() if group.name not in _ADDITIVES and len(group.heavy) >= 6]
        hint = f"did you mean --ligand {likely[0].name}? " if likely else "the site can also be given as --box X Y Z. "
        raise UsageError(f"no ligand {quote(wanted)} in the file; {hint}Groups that are no protein: {there}")
    chains = [_chain_key(chain) for chain in options.chains]
    if chains:
        copies = [group for group in copies if group.chain in chains] or copies
    group = copies[0]
    if len(copies) > 1:
        others = ", ".join(str(other) for other in copies[1:6])
        notes.append(f"{len(copies)} copies of {group.name}: {group} is used (others: {others})")
    if len(group.heavy) < 3:
        raise UsageError(f"{group} has {len(group.heavy)} atoms: no ligand to put a box around; use --box X Y Z")
    return group


def _around(positions: Iterable[Sequence[float]], source: str) -> Site:
    axes = list(zip(*positions, strict=True))
    spans = [max(axis) - min(axis) for axis in axes]
    if max(spans) + PADDING > LARGEST_BOX:
        raise UsageError(
            f"the ligand is {max(spans):.0f} Angstrom long; a box may have {LARGEST_BOX:g}. Give the part of the site "
            "that matters as --box X Y Z SIZE"
        )
    x, y, z = (round((max(axis) + min(axis)) / 2, 3) for axis in axes)
    a, b, c = (round(max(SMALLEST_BOX, span + PADDING), 1) for span in spans)
    return Site((x, y, z), (a, b, c), f"{source}, its extent + {PADDING:g} Angstrom, at least {SMALLEST_BOX:g}")


def _around_residues(crystal: Crystal, wanted: Sequence[str]) -> Site:
    """Put the box around residues, at their middle: what binds there lies between them.

    Raises:
        UsageError: A residue is not there, or in several chains.
    """
    chosen = []
    for text in wanted:
        chain, _, number = text.strip().rpartition(":")
        found = [
            (name, residue)
            for name, residues in crystal.protein.items()
            for residue in residues
            if str(residue.seqid).strip() == number and (not chain or name == _chain_key(chain))
        ]
        if not found:
            raise UsageError(f"--box-residues: no residue {quote(text)} in the protein; write CHAIN:NUMBER, as A:315")
        if len(found) > 1:
            chains = [name or "-" for name, _ in found]
            raise UsageError(
                f"--box-residues: {quote(text)} is in the chains {', '.join(chains)}; write {chains[0]}:{number}"
            )
        chosen.append(found[0])
    names = ", ".join(f"{residue.name.capitalize()}{residue.seqid}" for _, residue in chosen)
    return _around(points([residue for _, residue in chosen]), f"around {names}")


def _in_pocket(crystal: Crystal, options: Options) -> Site:
    found = pockets_of(crystal, options.chains)
    assert options.pocket is not None
    if not 1 <= options.pocket <= len(found):
        raise UsageError(f"--pocket {options.pocket}: {len(found)} pockets were found; --pockets lists them")
    place, words = found[options.pocket - 1]
    return Site(place.center, (SMALLEST_BOX,) * 3, f"pocket {options.pocket} ({words})")


def pockets_of(crystal: Crystal, chains: Sequence[str] = ()) -> list[tuple[Pocket, str]]:
    """Find the pockets of a protein without its ligands and waters, the best first, each in words.

    Args:
        crystal: The structure.
        chains: The chains to look at; all where empty.

    Raises:
        UsageError: There is no such chain.
    """
    _check_chains(crystal, chains)
    names = [_chain_key(chain) for chain in chains] or list(crystal.protein)
    atoms = [
        (f"{residue.name.capitalize()}{residue.seqid}{f' of {name}' if len(names) > 1 else ''}", atom)
        for name in names
        for residue in crystal.protein[name]
        for atom in residue
        if not atom.is_hydrogen()
    ]
    positions = np.array([atom.pos.tolist() for _, atom in atoms])
    found = []
    for pocket in pockets(positions, [atom.element.name for _, atom in atoms]):
        counted = Counter(atoms[index][0] for index in pocket.lining)
        lined = ", ".join(name for name, _ in counted.most_common(8))
        found.append((pocket, f"{pocket.volume:.0f} A^3, lined by {lined}"))
    return found


def _from_sdf(path: Path) -> Chem.Mol:
    """Read the first molecule of an SDF file, without its hydrogens."""
    try:
        if path.stat().st_size > 20_000_000:
            raise UsageError(f"{quote(str(path))} is larger than 20 MB; give an SDF file with the ligand alone")
        with rdBase.BlockLogs():
            supplier = Chem.SDMolSupplier()
            supplier.SetData(path.read_text(encoding="utf-8", errors="replace"), removeHs=True)
            mol = next(iter(supplier), None)
    except OSError as error:
        raise UsageError(f"cannot read {quote(str(path))}: {error.strerror}") from None
    if mol is None or not mol.GetNumAtoms() or not mol.GetNumConformers():
        raise UsageError(f"{quote(str(path))} has no molecule with coordinates that RDKit can read")
    positions = mol.GetConformer().GetPositions()
    if mol.GetNumAtoms() > 2 and not positions[:, 2].any():
        raise UsageError(f"{quote(str(path))} is a flat drawing: the ligand must stand where it binds, in 3D")
    return template_molecule(mol)


def _near_chains(
    crystal: Crystal, options: Options, site: Site, ligand: list[Point] | None, notes: list[str]
) -> dict[str, list[gemmi.Residue]]:
    """Choose the chains that were asked for, or those that reach the site."""
    if options.chains:
        chosen = list(dict.fromkeys(_chain_key(chain) for chain in options.chains))
    else:
        chosen = [name for name, rs in crystal.protein.items() if _reaches(points(rs), site, ligand)]
        if not chosen:  # nothing is near: the check of the site says how far it is
            chosen = list(crystal.protein)
    dropped = [name or "-" for name in crystal.protein if name not in chosen]
    if dropped:
        why = "not asked for" if options.chains else "not at the site"
        notes.append(f"protein chain{'s' if len(dropped) > 1 else ''} {', '.join(dropped)} left out: {why}")
    return {name: crystal.protein[name] for name in chosen}


def _reaches(atoms: Sequence[Point], site: Site, ligand: list[Point] | None) -> bool:
    if ligand is None:
        return any(_inside(atom, site, -2.0) for atom in atoms)
    return any(math.dist(a, b) < _SITE for a in atoms if math.dist(a, site.center) < 40 for b in ligand)


def _inside(atom: Sequence[float], site: Site, margin: float = 0.0) -> bool:
    return all(abs(a - c) <= edge / 2 + margin for a, c, edge in zip(atom, site.center, site.box, strict=True))


def _check_site(site: Site, atoms: Sequence[Point], residues: dict[str, list[gemmi.Residue]]) -> None:
    inside = sum(_inside(atom, site) for atom in atoms)
    nearest = min(math.dist(atom, site.center) for atom in atoms)
    if inside < 30:
        raise UsageError(
            f"the box is in solvent: {inside} protein atoms in it, the nearest is {nearest:.1f} Angstrom from its "
            f"centre ({', '.join(f'{x:g}' for x in site.center)}). Check the coordinates, the chain "
            f"({', '.join(name or '-' for name in residues)}) and that box and protein are in one frame"
        )


def _cofactors_and_waters(
    crystal: Crystal,
    options: Options,
    ligand: Group | None,
    residues: dict[str, list[gemmi.Residue]],
    notes: list[str],
) -> tuple[list[Group], list[Group]]:
    """Find the wanted cofactors and waters at the chosen chains; the notes say what is left out."""
    protein = points([residue for members in residues.values() for residue in members])
    hetero = [group for group in crystal.hetero() if group != ligand]
    kept = _touching(protein, _groups_by_name(options.keep_hetero, hetero, "--keep-hetero"), "--keep-hetero")
    waters = _touching(protein, _groups_by_name(options.keep_water, crystal.waters(), "--keep-water"), "--keep-water")
    unknown = sorted({a.element.name for g in kept for a in g.residue if not known_element(a.element.name)})
    if unknown:
        raise UsageError(f"Vina has no atom type for {', '.join(unknown)}: leave that group out of --keep-hetero")
    dropped = [group for group in hetero if group not in kept]
    if kept:
        notes.append(f"kept: {listed(kept)}")
    if dropped:
        notes.append(f"left out: {listed(dropped)} (keep with --keep-hetero)")
    if crystal.waters():
        count = len(crystal.waters()) - len(waters)
        notes.append(f"{len(waters)} waters kept, {count} left out")
    return kept, waters


def _groups_by_name(wanted: Sequence[str], groups: Sequence[Group], option: str) -> list[Group]:
    chosen: list[Group] = []
    for name in wanted:
        matching = [group for group in groups if group.matches(name)]
        if not matching:
            raise UsageError(f"{option}: no {quote(name)} in the file; there are {listed(groups) or 'none'}")
        chosen += [group for group in matching if group not in chosen]
    return chosen


def _touching(protein: Sequence[Point], groups: Sequence[Group], option: str) -> list[Group]:
    """Keep the groups that touch the chosen chains: a name alone also names the copies of other chains."""
    near = [g for g in groups if any(math.dist(a, b) < _CONTACT for b in points([g.residue]) for a in protein)]
    if groups and not near:
        raise UsageError(
            f"{option}: {', '.join(map(str, groups[:5]))} is not within {_CONTACT:g} Angstrom of the protein"
        )
    return near


def _note_covalent(group: Group, residues: dict[str, list[gemmi.Residue]], notes: list[str]) -> None:
    ligand = points([group.residue])
    for chain, members in residues.items():
        for residue in members:
            if any(math.dist(a, b) < 1.9 for a in points([residue]) for b in ligand):
                notes.append(
                    f"{group} is bonded to {residue.name.capitalize()}{residue.seqid} of chain {chain or '-'}: "
                    "docking knows no covalent bond, expect a high RMSD"
                )
                return
