"""From somebody's protein file to a target: choose, repair, protonate, type, and re-dock the crystal's ligand.

Everything that can be wrong with the input is found before the first long step, and the directory appears at the end,
whole, by one rename.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from typing import Any

import gemmi
from rdkit import Chem

from tgsci.basics.texts import quote, visible
from tgsci.errors import InvalidValue, MeasurementError, UsageError

from ..target.targets import FORMAT, TARGET_FILE, Target, is_name
from .choice import Choice, Options, choose
from .crystal_ligand import known_smiles, ligand_molecule
from .receptor_pdbqt import Atom, atoms_of, bare_atoms, group_atoms, group_pdbqt, protein_pdbqt
from .redock import GOOD_RMSD, Redocking, redock
from .repair import Residue, add_hydrogens, split, with_loops
from .sidechains import by_place, with_flips, with_states
from .states import hydrogens_of
from .structures import SIDE_CHAINS, Crystal, Group, number_of, parent, point_of, read_structure, standardized

#: The packages whose version changes a receptor or its check.
_PACKAGES = ("gemmi", "meeko", "openmm", "pdbfixer", "propka", "rdkit", "vina")
#: Residues that a note names, at most.
_SHOWN = 12


@dataclass(frozen=True)
class PreparedTarget:
    """The result of `prepare`.

    Args:
        target: Ready to dock into.
        notes: What was done and decided, in words for people.
        redocked: The crystal's ligand docked back; None where there is none or nobody asked for it.
        seconds: Wall time by step, s.
    """

    target: Target
    notes: tuple[str, ...]
    redocked: Redocking | None
    seconds: dict[str, float]


def prepare(
    source: Path,
    out: Path,
    options: Options,
    *,
    name: str | None = None,
    say: Callable[[str], None] = lambda line: None,
) -> PreparedTarget:
    """Make a target directory of a protein file.

    Args:
        source: PDB or mmCIF, also gzipped.
        out: The directory to make; must not be there yet, or be empty.
        options: What a person asks for.
        name: The target's name; that of the directory where None.
        say: Called with one line before each long step.

    Raises:
        UsageError: Something is wrong with the file or the options; nothing was written.
        MeasurementError: The protein could not be repaired or typed; nothing was written.
    """
    _check_out(out)
    name = _name(name or out.resolve().name)
    clock = _Clock()
    crystal = read_structure(source, options.altlocs)
    choice = choose(crystal, options)
    clock.lap("read")
    say(f"repairing {sum(map(len, choice.residues.values()))} residues, hydrogens at pH {options.ph:g}")
    receptor, pdb, typed_by = _build(crystal, choice, options)
    clock.lap("repair and type")
    files = {"receptor.pdbqt": receptor, "receptor.pdb": pdb}
    if choice.ligand is not None:
        files["ligand.sdf"] = _sdf(choice.ligand, choice.ligand_group)
    description = _describe(source, name, options, choice, files, typed_by)
    redocked = None
    with tempfile.TemporaryDirectory(prefix="tgsci-prepare-") as scratch:
        _write_all(Path(scratch), files, description)
        target = Target(scratch)
        if options.redock and choice.ligand is not None:
            say("docking the crystal's ligand back")
            redocked, note = _redock(target, choice.ligand, options)
            choice.notes.append(note)
            clock.lap("re-dock")
    description |= {"notes": choice.notes, "redocked": asdict(redocked) if redocked else None, "seconds": clock.laps}
    _publish(out, files, description)
    return PreparedTarget(Target(str(out)), tuple(choice.notes), redocked, clock.laps)


class _Clock:
    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, name: str) -> None:
        now = time.perf_counter()
        self.laps[name] = round(now - self._last, 2)
        self._last = now


def _build(crystal: Crystal, choice: Choice, options: Options) -> tuple[str, str, str]:
    """Build the receptor as pdbqt and as PDB, and say who chose the atom types."""
    from openmm import OpenMMException

    try:
        return _build_receptor(crystal, choice, options)
    except (RuntimeError, ValueError, KeyError, IndexError, OpenMMException) as error:
        reason = str(error).strip().partition("\n")[0][:200]
        raise MeasurementError(f"repair: the protein could not be completed ({reason}); nothing was written") from error


def _breaks(stretches: Sequence[Sequence[Residue]]) -> list[str]:
    """Name the residues on both sides of each break within a chain."""
    ends = [(before[-1], after[0]) for before, after in pairwise(stretches)]
    return [f"{_place(end)} to {_place(start)}" for end, start in ends if end.chain == start.chain]


def _place(residue: Residue) -> str:
    return f"{residue.name.capitalize()}{residue.number.strip()}"


def _some(parts: Sequence[str]) -> str:
    """Write the first of a list, and how many more there are."""
    more = f" and {len(parts) - _SHOWN} more" if len(parts) > _SHOWN else ""
    return f"{', '.join(parts[:_SHOWN])}{more}"


def _build_receptor(crystal: Crystal, choice: Choice, options: Options) -> tuple[str, str, str]:
    letters = _letters(choice)
    chains: list[list[Residue]] = []
    sequences: list[list[str]] = []
    for name, members in choice.residues.items():
        chains.append(_plain(members, letters[name], choice.notes))
        sequences.append(_sequence(crystal.structure, members))
    chains, built, left = with_loops(chains, sequences, options.longest_loop)
    choice.notes += [f"missing loop built: {words}" for words in built]
    choice.notes += [f"missing loop left open: {words}" for words in left]
    residues = with_flips([residue for chain in chains for residue in chain], choice, options, letters)
    stretches = split(residues)
    if not left and (breaks := _breaks(stretches)):
        words = "1 break in the chain is" if len(breaks) == 1 else f"{len(breaks)} breaks in the chain are"
        choice.notes.append(f"{words} left open: {_some(breaks)}")
    within = {id(residue) for stretch in stretches for residue in stretch}
    if lone := [_place(residue) for residue in residues if id(residue) not in within]:
        choice.notes.append(f"{len(lone)} residue{'s' * (len(lone) > 1)} bonded to no other left out: {_some(lone)}")
    waters = [
        Residue("HOH", letters.get(g.chain, "W"), number_of(g.residue), {"O": point_of(g.heavy[0])})
        for g in choice.waters
    ]
    metals = [point_of(a) for group in choice.kept for a in group.heavy if a.element.is_metal]
    stretches, states = with_states(stretches, choice, options, letters)
    hydrogens = {place: hydrogens_of(residue) for place, residue in by_place(choice, letters).items()}
    repaired = add_hydrogens(
        stretches,
        options.ph,
        waters=waters,
        metals=metals,
        states={place: state.variant for place, state in states.items()},
        hydrogens=hydrogens,
    )
    if repaired.added:
        parts = [f"{residue} ({' '.join(names)})" for residue, names in repaired.added.items()]
        atoms = "1 missing atom" if repaired.added_atoms == 1 else f"{repaired.added_atoms} missing atoms"
        choice.notes.append(f"{atoms} added: {_some(parts)}")
    receptor, typed_by = protein_pdbqt(repaired.pdb)
    pdb = repaired.pdb.removesuffix("END\n")
    for group in choice.kept:
        typed, lines = _cofactor(group, letters.get(group.chain, "Z"), choice.notes, crystal.blocks)
        receptor += typed
        pdb += lines
    return receptor, pdb + "END\n", typed_by


def _letters(choice: Choice) -> dict[str, str]:
    """Choose one letter for each chain: its own where it is one, the next free one otherwise."""
    every = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
    if len(choice.residues) > len(every):
        raise UsageError(f"{len(choice.residues)} chains are at the site, more than {len(every)}; choose with --chain")
    free = iter(c for c in every if c not in choice.residues)
    letters = {name: name if len(name) == 1 else next(free) for name in choice.residues}
    renamed = [f"{name or '-'} to {letter}" for name, letter in letters.items() if name != letter]
    if renamed:
        choice.notes.append(f"chains renamed: {', '.join(renamed)}")
    return letters


def _plain(members: Sequence[gemmi.Residue], letter: str, notes: list[str]) -> list[Residue]:
    """Reduce residues to standard names and heavy atoms."""
    whole, replaced, incomplete = [], [], 0
    for residue in members:
        standard, change = standardized(residue)
        replaced += [change] if change else []
        atoms = {atom.name: point_of(atom) for atom in standard if not atom.is_hydrogen()}
        if {"N", "CA", "C"} <= set(atoms):
            whole.append(Residue(standard.name, letter, number_of(residue), atoms))
        else:
            incomplete += 1
    if replaced:
        more = f" and {len(replaced) - 8} more" if len(replaced) > 8 else ""
        notes.append(f"replaced: {', '.join(replaced[:8])}{more}")
    if incomplete:
        notes.append(f"{incomplete} residues without backbone left out")
    return whole


def _sequence(structure: gemmi.Structure, members: Sequence[gemmi.Residue]) -> list[str]:
    """Read what a chain consists of (SEQRES), under standard names; empty where the file does not say."""
    name = members[0].subchain
    for entity in structure.entities:
        if name in entity.subchains and entity.full_sequence:
            codes = [gemmi.Entity.first_mon(code) for code in entity.full_sequence]
            return [parent(code) or code for code in codes]
    return []


def _cofactor(group: Group, letter: str, notes: list[str], blocks: Sequence[gemmi.cif.Block] = ()) -> tuple[str, str]:
    """Write a kept group as pdbqt and PDB lines."""
    number = number_of(group.residue)
    own = [Atom(a.name, group.name, letter, number, point_of(a), a.element.name.upper()) for a in group.residue]
    chosen = bare_atoms(own)
    if len(group.heavy) > 2:
        try:
            own, chosen = group_atoms(ligand_molecule(group, blocks=blocks), own)
        except UsageError:
            why = "its bonds are not as expected" if group.name in known_smiles() else "bond orders not known"
            notes.append(f"{group}: {why}; kept without hydrogens, its N and O only accept")
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


def _redock(target: Target, mol: Chem.Mol, options: Options) -> tuple[Redocking | None, str]:
    try:
        result = redock(target, mol, options.search)
    except (InvalidValue, MeasurementError, RuntimeError, ValueError) as error:  # Vina's and RDKit's too
        return None, f"the ligand was not re-docked: {str(error).strip().partition(chr(10))[0][:300]}"
    verdict = "reproduces the crystal" if result.reproduced else "does not reproduce the crystal"
    return result, (
        f"re-docked {result.smiles}: RMSD {result.rmsd:.2f} Angstrom, {verdict} (limit {GOOD_RMSD:g}); "
        f"vina {result.score:.2f} kcal/mol, the crystal's own pose {result.crystal_score:.2f} after minimisation"
    )


def _describe(
    source: Path, name: str, options: Options, choice: Choice, files: dict[str, str], typed_by: str
) -> dict[str, Any]:
    atoms = atoms_of(files["receptor.pdb"])
    chains = sorted({atom.chain for atom in atoms if atom.name == "CA" and atom.resname in SIDE_CHAINS})
    return {
        "format": FORMAT,
        "name": name,
        "center": choice.site.center,
        "box": choice.site.box,
        "numbering": f"as in {visible(source.name)[:60]}",
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


def _name(text: str) -> str:
    """Choose what the target is called: files are named after it, and terminals show it.

    Raises:
        UsageError: The text cannot be a name.
    """
    if not is_name(text):
        raise UsageError(
            f"{quote(text)} cannot be a target's name: give --name with 1 to 60 characters, without / and \\ and "
            "without a dot in front"
        )
    return text


def _check_out(out: Path) -> None:
    """Refuse a directory that is not free or cannot be made.

    Raises:
        UsageError: No.
    """
    where = quote(str(out))
    if out.is_dir() and not out.is_symlink():
        if (out / TARGET_FILE).exists():
            raise UsageError(f"{where} holds a prepared target already; choose another --out, or remove it first")
        if any(out.iterdir()):
            raise UsageError(f"{where} is not empty; choose another --out")
    elif out.exists() or out.is_symlink():
        raise UsageError(f"{where} is a file; choose another --out")
    parent = out.resolve().parent
    if not parent.is_dir():
        raise UsageError(f"there is no directory {quote(str(parent))} to make {where} in")
    if not os.access(parent, os.W_OK):
        raise UsageError(f"cannot write to {quote(str(parent))}; choose another --out")


def _publish(out: Path, files: dict[str, str], description: dict[str, Any]) -> None:
    """Write the files beside the place, then move them there: nobody sees half of them."""
    out = out.resolve()
    staging = Path(tempfile.mkdtemp(prefix=f".{out.name[:60]}.", dir=out.parent))
    try:
        _write_all(staging, files, description)
        staging.chmod(0o755)
        if out.is_dir():
            out.rmdir()  # empty: checked before
        os.rename(staging, out)
    except OSError as error:
        raise UsageError(f"cannot write {quote(str(out))}: {error.strerror}") from None
    finally:
        shutil.rmtree(staging, ignore_errors=True)
