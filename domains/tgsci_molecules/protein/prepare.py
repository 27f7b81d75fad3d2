"""From somebody's protein file to a target: choose, repair, protonate, type, and re-dock the crystal's ligand.

Everything that can be wrong with the input is found before the first long step, and the directory appears at the end,
whole, by one rename.
"""

from __future__ import annotations

import json
import math
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

import gemmi
from rdkit import Chem, rdBase

from tgsci.errors import InvalidValue, MeasurementError, UsageError

from ..smiles import shown
from .crystal_ligand import known_smiles, ligand_molecule, template_molecule
from .receptor_pdbqt import Atom, atoms_of, bare_atoms, group_atoms, group_pdbqt, known_element, protein_pdbqt
from .redock import GOOD_RMSD, Redocked, redock
from .repair import PH, Point, Residue, bonded, hydrogenated, with_loops
from .structures import SIDE_CHAINS, Crystal, Group, listed, points, read_structure, standardized
from .targets import FORMAT, TARGET_FILE, Target

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
_PACKAGES = ("gemmi", "meeko", "openmm", "pdbfixer", "rdkit", "vina")
#: What crystallisation leaves behind: never meant when somebody asks for "the ligand".
_ADDITIVES = {
    "SO4",
    "PO4",
    "GOL",
    "EDO",
    "PEG",
    "PGE",
    "PG4",
    "1PE",
    "P6G",
    "MPD",
    "DMS",
    "ACT",
    "ACY",
    "FMT",
    "CIT",
    "TRS",
    "BME",
    "MES",
    "EPE",
    "IMD",
    "NO3",
    "NH4",
}


@dataclass(frozen=True)
class Site:
    """Where to search.

    Args:
        center: Angstrom, in the frame of the file.
        box: Edges, Angstrom.
        source: What it was made from, in words.
    """

    center: Point
    box: Point
    source: str


@dataclass(frozen=True)
class Options:
    """What the person asked for.

    Args:
        ligand: NAME, NAME:CHAIN or NAME:CHAIN:NUMBER of the crystal's ligand.
        box: Centre and, as a fourth figure, edge of the box, Angstrom.
        box_from: An SDF file: the box is put around its first molecule, which is also re-docked.
        chains: Chains to keep; those near the site where empty.
        ph: For the hydrogens.
        keep_hetero: Cofactors and metals to keep, each NAME, NAME:CHAIN:NUMBER or CHAIN:NUMBER.
        keep_water: Waters to keep, each NUMBER or CHAIN:NUMBER.
        ligand_smiles: Of the ligand, for its bond orders.
        longest_loop: Longest missing loop that is built, residues.
        redock: Whether the ligand is docked back.

    Raises:
        UsageError: One is out of its range, or two exclude each other.
    """

    ligand: str | None = None
    box: tuple[float, ...] | None = None
    box_from: Path | None = None
    chains: tuple[str, ...] = ()
    ph: float = PH
    keep_hetero: tuple[str, ...] = ()
    keep_water: tuple[str, ...] = ()
    ligand_smiles: str | None = None
    longest_loop: int = LONGEST_LOOP
    redock: bool = True

    def __post_init__(self) -> None:
        if sum(way is not None for way in (self.ligand, self.box, self.box_from)) != 1:
            raise UsageError("say where the binding site is, in one way: --ligand NAME, --box X Y Z or --box-from FILE")
        if not 0.0 <= self.ph <= 14.0:
            raise UsageError(f"pH must be from 0 to 14, not {self.ph:g}")
        if not 0 <= self.longest_loop <= 20:
            raise UsageError(f"loops of 0 to 20 residues can be built, not {self.longest_loop}")
        if self.box is not None:
            if len(self.box) not in (3, 4) or not all(math.isfinite(x) and abs(x) < 10_000 for x in self.box):
                raise UsageError("--box takes X Y Z, and optionally the edge, in Angstrom")
            if len(self.box) == 4 and not 10.0 <= self.box[3] <= LARGEST_BOX:
                raise UsageError(f"the edge of a box must be from 10 to {LARGEST_BOX:g} Angstrom, not {self.box[3]:g}")


@dataclass(frozen=True)
class Prepared:
    """What `prepare` made.

    Args:
        target: Ready to dock into.
        notes: What was done and decided, for people.
        redocked: How the crystal's ligand came back; None where there was none or it was not asked for.
        seconds: Wall time by step, s.
    """

    target: Target
    notes: tuple[str, ...]
    redocked: Redocked | None
    seconds: dict[str, float]


@dataclass
class _Choice:
    """What of the structure becomes the receptor."""

    residues: dict[str, list[gemmi.Residue]]
    kept: list[Group]
    waters: list[Group]
    ligand: Chem.Mol | None
    ligand_group: Group | None
    site: Site
    notes: list[str] = field(default_factory=list)


def prepare(
    source: Path,
    out: Path,
    options: Options,
    *,
    name: str | None = None,
    say: Callable[[str], None] = lambda line: None,
) -> Prepared:
    """Make a target directory of a protein file.

    Args:
        source: PDB or mmCIF, also gzipped.
        out: The directory to make; must not be there yet, or be empty.
        options: What is wanted.
        name: Of the target; that of the directory where None.
        say: Called with one line before each long step.

    Raises:
        UsageError: Something is wrong with the file or the options; nothing was written.
        MeasurementError: The protein could not be repaired or typed; nothing was written.
    """
    _check_out(out)
    clock = _Clock()
    crystal = read_structure(source)
    choice = _choose(crystal, options)
    clock.lap("read")
    say(f"repairing {sum(map(len, choice.residues.values()))} residues, hydrogens at pH {options.ph:g}")
    receptor, pdb, typed_by = _build(crystal, choice, options)
    clock.lap("repair and type")
    files = {"receptor.pdbqt": receptor, "receptor.pdb": pdb}
    if choice.ligand is not None:
        files["ligand.sdf"] = _sdf(choice.ligand, choice.ligand_group)
    description = _describe(source, name or out.resolve().name, options, choice, files, typed_by)
    redocked = None
    with tempfile.TemporaryDirectory(prefix="tgsci-prepare-") as scratch:
        _write_all(Path(scratch), files, description)
        target = Target(scratch)
        if options.redock and choice.ligand is not None:
            say("docking the crystal's ligand back")
            redocked, note = _redocked(target, choice.ligand)
            choice.notes.append(note)
            clock.lap("re-dock")
    description |= {"notes": choice.notes, "redocked": asdict(redocked) if redocked else None, "seconds": clock.laps}
    _publish(out, files, description)
    return Prepared(Target(str(out)), tuple(choice.notes), redocked, clock.laps)


class _Clock:
    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, name: str) -> None:
        now = time.perf_counter()
        self.laps[name] = round(now - self._last, 2)
        self._last = now


def _choose(crystal: Crystal, options: Options) -> _Choice:
    """Find the site, then what belongs to it."""
    notes = list(crystal.notes)
    _check_chains(crystal, options.chains)
    group, mol = None, None
    if options.ligand is not None:
        group = _ligand(crystal, options, notes)
        try:
            mol = ligand_molecule(group, options.ligand_smiles, crystal.block)
        except UsageError as error:
            if options.redock:
                raise UsageError(f"{error}. Or leave out the check with --no-redock") from None
            notes.append(f"{group} is not re-docked: its bond orders are not known")
        site = _around(points([group.residue]), f"around {group}")
    elif options.box_from is not None:
        mol = _from_sdf(options.box_from)
        site = _around([tuple(p) for p in mol.GetConformer().GetPositions()], f"around {options.box_from.name}")
    else:
        x, y, z, *edge = options.box or ()
        size = edge[0] if edge else SMALLEST_BOX
        site = Site((x, y, z), (size, size, size), "as given")
    residues = _near_chains(crystal, options, site, points([group.residue]) if group else None, notes)
    _check_site(site, points([r for chain in residues.values() for r in chain]), residues)
    kept, waters = _kept(crystal, options, group, residues, notes)
    if group is not None:
        _note_covalent(group, residues, notes)
    notes.append(
        f"box {' x '.join(f'{edge:.1f}' for edge in site.box)} Angstrom at "
        f"{', '.join(f'{x:.3f}' for x in site.center)}, {site.source}"
    )
    return _Choice(residues, kept, waters, mol, group, site, notes)


def _check_chains(crystal: Crystal, chains: Sequence[str]) -> None:
    for chain in chains:
        if _chain_key(chain) not in crystal.protein:
            there = ", ".join(f"{name or '-'} ({len(rs)} residues)" for name, rs in crystal.protein.items())
            raise UsageError(f"no protein chain {shown(chain)} in the file; there are {there}. A blank chain is -")


def _chain_key(chain: str) -> str:
    return "" if chain.strip() == "-" else chain.strip()


def _ligand(crystal: Crystal, options: Options, notes: list[str]) -> Group:
    """The group that --ligand names; of several the first in the wanted chains."""
    wanted = str(options.ligand).strip()
    found = [group for group in crystal.hetero() if group.matches(wanted)]
    if not found:
        there = listed(crystal.hetero()) or "none but waters" if crystal.others else "none"
        likely = [group for group in crystal.hetero() if group.name not in _ADDITIVES and len(group.heavy) >= 6]
        hint = f"did you mean --ligand {likely[0].name}? " if likely else "the site can also be given as --box X Y Z. "
        raise UsageError(f"no ligand {shown(wanted)} in the file; {hint}Groups that are no protein: {there}")
    chains = [_chain_key(chain) for chain in options.chains]
    if chains:
        found = [group for group in found if group.chain in chains] or found
    group = found[0]
    if len(found) > 1:
        others = ", ".join(str(other) for other in found[1:6])
        notes.append(f"{len(found)} copies of {group.name}: {group} is used (others: {others})")
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


def _from_sdf(path: Path) -> Chem.Mol:
    """The first molecule of an SDF file, without its hydrogens."""
    try:
        if path.stat().st_size > 20_000_000:
            raise UsageError(f"{shown(str(path))} is larger than 20 MB; give an SDF file with the ligand alone")
        with rdBase.BlockLogs():
            supplier = Chem.SDMolSupplier()
            supplier.SetData(path.read_text(encoding="utf-8", errors="replace"), removeHs=True)
            mol = next(iter(supplier), None)
    except OSError as error:
        raise UsageError(f"cannot read {shown(str(path))}: {error.strerror}") from None
    if mol is None or not mol.GetNumAtoms() or not mol.GetNumConformers():
        raise UsageError(f"{shown(str(path))} has no molecule with coordinates that RDKit can read")
    positions = mol.GetConformer().GetPositions()
    if mol.GetNumAtoms() > 2 and not positions[:, 2].any():
        raise UsageError(f"{shown(str(path))} is a flat drawing: the ligand must stand where it binds, in 3D")
    return template_molecule(mol)


def _near_chains(
    crystal: Crystal, options: Options, site: Site, ligand: list[Point] | None, notes: list[str]
) -> dict[str, list[gemmi.Residue]]:
    """The chains that were asked for, or those that reach the site."""
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


def _kept(
    crystal: Crystal,
    options: Options,
    ligand: Group | None,
    residues: dict[str, list[gemmi.Residue]],
    notes: list[str],
) -> tuple[list[Group], list[Group]]:
    """Cofactors and waters that were asked for, of those at the chosen chains; the notes say what is left out."""
    protein = points([residue for members in residues.values() for residue in members])
    hetero = [group for group in crystal.hetero() if group != ligand]
    kept = _at(protein, _named(options.keep_hetero, hetero, "--keep-hetero"), "--keep-hetero")
    waters = _at(protein, _named(options.keep_water, crystal.waters(), "--keep-water"), "--keep-water")
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


def _named(wanted: Sequence[str], groups: Sequence[Group], option: str) -> list[Group]:
    found: list[Group] = []
    for name in wanted:
        matching = [group for group in groups if group.matches(name)]
        if not matching:
            raise UsageError(f"{option}: no {shown(name)} in the file; there are {listed(groups) or 'none'}")
        found += [group for group in matching if group not in found]
    return found


def _at(protein: Sequence[Point], groups: Sequence[Group], option: str) -> list[Group]:
    """Those that touch the chosen chains: a name alone also names the copies of other chains."""
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


def _build(crystal: Crystal, choice: _Choice, options: Options) -> tuple[str, str, str]:
    """The receptor as pdbqt, as PDB, and who chose the atom types."""
    try:
        return _built(crystal, choice, options)
    except (RuntimeError, ValueError, KeyError, IndexError) as error:
        reason = str(error).strip().partition("\n")[0][:200]
        raise MeasurementError(f"repair: the protein could not be completed ({reason}); nothing was written") from error


def _built(crystal: Crystal, choice: _Choice, options: Options) -> tuple[str, str, str]:
    letters = _letters(choice)
    chains: list[list[Residue]] = []
    sequences: list[list[str]] = []
    for name, members in choice.residues.items():
        chains.append(_plain(members, letters[name], choice.notes))
        sequences.append(_sequence(crystal.structure, members))
    chains, built, left = with_loops(chains, sequences, options.longest_loop)
    choice.notes += [f"missing loop built: {words}" for words in built]
    choice.notes += [f"missing loop left open: {words}" for words in left]
    stretches = _stretches(chains)
    if len(stretches) > len(chains) and not left:
        choice.notes.append(f"{len(stretches) - len(chains)} breaks in the chain are left open")
    waters = [
        Residue("HOH", letters.get(g.chain, "W"), _number(g.residue), {"O": _point(_oxygen(g))}) for g in choice.waters
    ]
    metals = [_point(a) for group in choice.kept if len(group.heavy) < 3 for a in group.heavy]
    metals += [_point(a) for group in choice.kept for a in group.heavy if a.element.is_metal]
    repaired = hydrogenated(stretches, options.ph, waters=waters, metals=metals)
    if repaired.added_atoms:
        choice.notes.append(f"{repaired.added_atoms} missing atoms added")
    receptor, typed_by = protein_pdbqt(repaired.pdb)
    pdb = repaired.pdb.removesuffix("END\n")
    for group in choice.kept:
        typed, lines = _cofactor(group, letters.get(group.chain, "Z"), choice.notes)
        receptor += typed
        pdb += lines
    return receptor, pdb + "END\n", typed_by


def _letters(choice: _Choice) -> dict[str, str]:
    """One letter for each chain: its own where it is one, the next free one otherwise."""
    free = iter(c for c in "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789" if c not in choice.residues)
    letters = {name: name if len(name) == 1 else next(free) for name in choice.residues}
    renamed = [f"{name or '-'} to {letter}" for name, letter in letters.items() if name != letter]
    if renamed:
        choice.notes.append(f"chains renamed: {', '.join(renamed)}")
    return letters


def _plain(members: Sequence[gemmi.Residue], letter: str, notes: list[str]) -> list[Residue]:
    """Residues under standard names, heavy atoms only."""
    found, replaced, incomplete = [], [], 0
    for residue in members:
        standard, change = standardized(residue)
        replaced += [change] if change else []
        atoms = {atom.name: _point(atom) for atom in standard if not atom.is_hydrogen()}
        if {"N", "CA", "C"} <= set(atoms):
            found.append(Residue(standard.name, letter, _number(residue), atoms))
        else:
            incomplete += 1
    if replaced:
        more = f" and {len(replaced) - 8} more" if len(replaced) > 8 else ""
        notes.append(f"replaced: {', '.join(replaced[:8])}{more}")
    if incomplete:
        notes.append(f"{incomplete} residues without backbone left out")
    return found


def _stretches(chains: Sequence[Sequence[Residue]]) -> list[list[Residue]]:
    """Bonded stretches; a lone residue stays: it is a real part of a chain here."""
    stretches: list[list[Residue]] = []
    for chain in chains:
        for n, residue in enumerate(chain):
            if n and bonded(stretches[-1][-1], residue):
                stretches[-1].append(residue)
            else:
                stretches.append([residue])
    return stretches


def _sequence(structure: gemmi.Structure, members: Sequence[gemmi.Residue]) -> list[str]:
    """What the file says a chain consists of (SEQRES), under standard names; empty where it does not."""
    from .structures import parent

    name = members[0].subchain
    for entity in structure.entities:
        if name in entity.subchains and entity.full_sequence:
            codes = [gemmi.Entity.first_mon(code) for code in entity.full_sequence]
            return [parent(code) or code for code in codes]
    return []


def _number(residue: gemmi.Residue) -> str:
    return f"{residue.seqid.num:>4}{residue.seqid.icode}"[-5:]


def _point(atom: gemmi.Atom) -> Point:
    return atom.pos.x, atom.pos.y, atom.pos.z


def _oxygen(group: Group) -> gemmi.Atom:
    return next(atom for atom in group.residue if atom.element.name == "O")


def _cofactor(group: Group, letter: str, notes: list[str]) -> tuple[str, str]:
    """A kept group as pdbqt and PDB lines."""
    number = _number(group.residue)
    own = [Atom(a.name, group.name, letter, number, _point(a), a.element.name.upper()) for a in group.residue]
    chosen = bare_atoms(own)
    if group.name in known_smiles() and len(group.heavy) > 2:
        try:
            own, chosen = group_atoms(ligand_molecule(group), own)
        except UsageError:
            notes.append(f"{group}: its bonds are not as expected; kept without hydrogens, its N and O only accept")
    elif len(group.heavy) > 2:
        notes.append(f"{group}: bond orders not known; kept without hydrogens, its N and O only accept")
    lines = []
    for atom in own:
        name = atom.name if len(atom.name) == 4 else f" {atom.name}"
        x, y, z = (f"{axis:8.3f}" for axis in atom.position)
        lines.append(
            f"HETATM    0 {name:<4} {atom.resname[:3]:>3} {letter}{number}   {x}{y}{z}  1.00  0.00          "
            f"{atom.element:>2}\n"
        )
    return group_pdbqt(chosen), "".join(lines)


def _sdf(mol: Chem.Mol, group: Group | None) -> str:
    copy = Chem.Mol(mol)
    copy.SetProp("_Name", str(group) if group else "ligand")
    return f"{Chem.MolToMolBlock(copy)}$$$$\n"


def _redocked(target: Target, mol: Chem.Mol) -> tuple[Redocked | None, str]:
    try:
        result = redock(target, mol)
    except (InvalidValue, MeasurementError) as error:
        return None, f"the ligand was not re-docked: {error}"
    verdict = "reproduces the crystal" if result.reproduced else "does not reproduce the crystal"
    return result, (
        f"re-docked {result.smiles}: RMSD {result.rmsd:.2f} Angstrom, {verdict} (limit {GOOD_RMSD:g}); "
        f"vina {result.score:.2f} kcal/mol, the crystal's own pose {result.crystal_score:.2f} after minimisation"
    )


def _describe(
    source: Path, name: str, options: Options, choice: _Choice, files: dict[str, str], typed_by: str
) -> dict[str, Any]:
    atoms = atoms_of(files["receptor.pdb"])
    chains = sorted({atom.chain for atom in atoms if atom.name == "CA" and atom.resname in SIDE_CHAINS})
    return {
        "format": FORMAT,
        "name": name[:60],
        "center": choice.site.center,
        "box": choice.site.box,
        "numbering": f"as in {source.name[:60]}",
        "chains": chains,
        "files": {key: sha256(text.encode()).hexdigest() for key, text in files.items()},
        "source": {"file": source.name, "sha256": sha256(source.read_bytes()).hexdigest()},
        "ligand": str(choice.ligand_group) if choice.ligand_group else None,
        "ph": options.ph,
        "kept": [str(group) for group in [*choice.kept, *choice.waters]],
        "typed_by": typed_by,
        "versions": {package: version(package) for package in _PACKAGES},
    }


def _write_all(directory: Path, files: dict[str, str], description: dict[str, Any]) -> None:
    for key, text in files.items():
        (directory / key).write_text(text, encoding="utf-8", newline="")
    # Last: a directory without it is no target.
    text = json.dumps(description, indent=1, ensure_ascii=True) + "\n"
    (directory / TARGET_FILE).write_text(text, encoding="utf-8", newline="")


def _check_out(out: Path) -> None:
    """Is the directory free, and may it be made?

    Raises:
        UsageError: No.
    """
    where = shown(str(out))
    if out.is_dir() and not out.is_symlink():
        if (out / TARGET_FILE).exists():
            raise UsageError(f"{where} holds a prepared target already; choose another --out, or remove it first")
        if any(out.iterdir()):
            raise UsageError(f"{where} is not empty; choose another --out")
    elif out.exists() or out.is_symlink():
        raise UsageError(f"{where} is a file; choose another --out")
    parent = out.resolve().parent
    if not parent.is_dir():
        raise UsageError(f"there is no directory {shown(str(parent))} to make {where} in")
    if not os.access(parent, os.W_OK):
        raise UsageError(f"cannot write to {shown(str(parent))}; choose another --out")


def _publish(out: Path, files: dict[str, str], description: dict[str, Any]) -> None:
    """Write beside the place, then move there: nobody sees half of it."""
    out = out.resolve()
    staging = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    try:
        _write_all(staging, files, description)
        staging.chmod(0o755)
        if out.is_dir():
            out.rmdir()  # empty: checked before
        os.rename(staging, out)
    except OSError as error:
        raise UsageError(f"cannot write {shown(str(out))}: {error.strerror}") from None
    finally:
        shutil.rmtree(staging, ignore_errors=True)
