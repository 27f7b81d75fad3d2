"""Reading somebody's protein file: PDB or mmCIF, bounded and checked before anything expensive starts."""

from __future__ import annotations

import gzip
import math
import re
import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import gemmi

from tgsci.basics.texts import quote
from tgsci.errors import UsageError

from ..target.numbering import standard

#: Largest file that is read, bytes unpacked; the largest single proteins are below 20 MB.
MAX_BYTES = 64_000_000
#: Heavy atoms of the standard amino acids, N CA C O apart.
SIDE_CHAINS = {
    "ALA": "CB",
    "ARG": "CB CG CD NE CZ NH1 NH2",
    "ASN": "CB CG OD1 ND2",
    "ASP": "CB CG OD1 OD2",
    "CYS": "CB SG",
    "GLN": "CB CG CD OE1 NE2",
    "GLU": "CB CG CD OE1 OE2",
    "GLY": "",
    "HIS": "CB CG ND1 CD2 CE1 NE2",
    "ILE": "CB CG1 CG2 CD1",
    "LEU": "CB CG CD1 CD2",
    "LYS": "CB CG CD CE NZ",
    "MET": "CB CG SD CE",
    "PHE": "CB CG CD1 CD2 CE1 CE2 CZ",
    "PRO": "CB CG CD",
    "SER": "CB OG",
    "THR": "CB OG1 CG2",
    "TRP": "CB CG CD1 CD2 NE1 CE2 CE3 CZ2 CZ3 CH2",
    "TYR": "CB CG CD1 CD2 CE1 CE2 CZ OH",
    "VAL": "CB CG1 CG2",
}
BACKBONE = ("N", "CA", "C", "O", "OXT")
WATERS = ("HOH", "WAT", "H2O", "DOD", "TIP", "SOL", "TP3", "TIP3")
_NUCLEOTIDES = ("A", "C", "G", "U", "I", "DA", "DC", "DG", "DT", "DU", "DI")
_CONTROL = re.compile(r"[\x01-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
#: The last columns of an atom in a pdbqt file.
_CHARGE_AND_TYPE = re.compile(r"\s*[+-]?\d\.\d{3} [A-Z][A-Za-z]?")
#: Residues that a note names, at most.
_SHOWN = 12
#: Caps at the ends of a chain that the force field knows.
_CAPS = ("ACE", "NME", "NMA")


@dataclass(frozen=True)
class Group:
    """A ligand, cofactor, metal or water of the file: what `--ligand` and `--keep-hetero` name."""

    name: str
    chain: str
    number: str
    residue: gemmi.Residue = field(compare=False, repr=False)

    def __str__(self) -> str:
        return f"{self.name}:{self.chain or '-'}:{self.number}"

    @property
    def heavy(self) -> list[gemmi.Atom]:
        """Its atoms without hydrogens."""
        return [atom for atom in self.residue if not atom.is_hydrogen()]

    def matches(self, wanted: str) -> bool:
        """Tell whether a person means it by NAME, NAME:CHAIN, NAME:CHAIN:NUMBER, CHAIN:NUMBER or NUMBER."""
        chain = self.chain or "-"
        spellings = (
            self.name,
            f"{self.name}:{chain}",
            f"{self.name}:{chain}:{self.number}",
            f"{chain}:{self.number}",
            self.number,
        )
        return wanted.strip().upper() in (spelling.upper() for spelling in spellings)


@dataclass
class Crystal:
    """A structure as it was read: one model, one conformation.

    Args:
        structure: gemmi's.
        protein: The residues of each chain that are amino acids, in order.
        others: Ligands, cofactors, metals, waters.
        notes: Decisions on the way, in words for people.
        blocks: The mmCIF blocks of the file: they may define the bonds of its ligands.
    """

    structure: gemmi.Structure
    protein: dict[str, list[gemmi.Residue]]
    others: list[Group]
    notes: list[str]
    blocks: tuple[gemmi.cif.Block, ...] = ()

    def hetero(self) -> list[Group]:
        """The other groups without waters."""
        return [group for group in self.others if group.name not in WATERS]

    def waters(self) -> list[Group]:
        """The waters."""
        return [group for group in self.others if group.name in WATERS]


def read_structure(path: Path, altlocs: Sequence[str] = ()) -> Crystal:
    """Read a PDB or mmCIF file (also gzipped) with a protein in it.

    Args:
        path: The file.
        altlocs: Alternative positions to take: a letter for all residues that have it, or CHAIN:NUMBER:LETTER for one.
            Elsewhere the one with the highest occupancy is taken.

    Raises:
        UsageError: The file is no PDB or mmCIF file, cut off, too large, or has no protein with side chains.
    """
    text = _text(path)
    where = quote(path.name)
    blocks: tuple[gemmi.cif.Block, ...] = ()
    if _is_mmcif(text):
        structure, blocks = _read_mmcif(text, where)
    else:
        structure = _read_pdb(text, where)
    notes = _one_model(structure)
    structure.setup_entities()
    notes += _one_conformation(structure, altlocs)
    protein, others, foreign = _sort(structure, where)
    notes += foreign
    return Crystal(structure, protein, others, notes, blocks)


def listed(groups: Iterable[Group]) -> str:
    """List groups by name with counts: `2 STI (chains A, B), 1 MG (chain A)`."""
    chains: dict[str, Counter[str]] = {}
    for group in groups:
        chains.setdefault(group.name, Counter())[group.chain or "-"] += 1
    parts = []
    for name, count in sorted(chains.items(), key=lambda item: (-sum(item[1].values()), item[0])):
        where = ", ".join(count)
        parts.append(f"{sum(count.values())} {name} (chain{'s' if len(count) > 1 else ''} {where})")
    return ", ".join(parts[:20]) + (f" and {len(parts) - 20} more" if len(parts) > 20 else "")


def _text(path: Path) -> str:
    where = quote(str(path))
    try:
        if path.is_dir():
            raise UsageError(f"{where} is a directory; give a PDB or mmCIF file")
        if path.stat().st_size > MAX_BYTES:
            raise UsageError(f"{where} is larger than {MAX_BYTES // 1_000_000} MB; cut out the chains that matter")
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
        if content[:2] == b"\x1f\x8b":
            with gzip.open(path, "rb") as packed:
                content = packed.read(MAX_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(f"cannot read {where}: {reason}") from None
    if len(content) > MAX_BYTES:
        raise UsageError(f"{where} is larger than {MAX_BYTES // 1_000_000} MB; cut out the chains that matter")
    if not content.strip():
        raise UsageError(f"{where} is empty")
    if b"\0" in content:
        raise UsageError(f"{where} is a binary file, not PDB or mmCIF text")
    # What a terminal would obey must not travel in a title or a name.
    text = _CONTROL.sub(" ", content.decode("utf-8", errors="replace"))
    head = text[:2000].lstrip().lower()
    if head.startswith(("<!doctype", "<html", "<?xml")) or "<html" in head:
        raise UsageError(f"{where} is a web page, not a structure; download the entry's PDB or mmCIF file itself")
    if "\nM  END" in text or "V2000" in text[:4000] or "V3000" in text[:4000] or "@<TRIPOS>" in text[:4000]:
        raise UsageError(f"{where} is a file of small molecules (SDF or mol2), not of a protein; give PDB or mmCIF")
    return text


def _is_mmcif(text: str) -> bool:
    first = next((line for line in text.splitlines() if line.strip() and not line.startswith("#")), "")
    return first.lower().startswith("data_")


def _read_mmcif(text: str, where: str) -> tuple[gemmi.Structure, tuple[gemmi.cif.Block, ...]]:
    """Read the block with the atoms; other blocks may define ligands, as refinement programs write them."""
    try:
        blocks = tuple(gemmi.cif.read_string(text))
        with_atoms = [block for block in blocks if block.find_values("_atom_site.Cartn_x")]
        structure = gemmi.make_structure_from_block((with_atoms or blocks)[0])
    except (RuntimeError, ValueError, IndexError) as error:
        raise UsageError(f"{where} is no complete mmCIF file ({_brief(error)}); download it again") from None
    if not len(structure) or not structure[0].count_atom_sites():
        raise UsageError(f"{where} has no atoms (no _atom_site table); give the entry's coordinates")
    return structure, blocks


def _read_pdb(text: str, where: str) -> gemmi.Structure:
    lines = text.splitlines()
    atoms = [(n, line) for n, line in enumerate(lines, 1) if line.startswith(("ATOM  ", "HETATM"))]
    if not atoms:
        raise UsageError(f"{where} has no ATOM or HETATM line: it is neither a PDB nor an mmCIF file")
    if _CHARGE_AND_TYPE.fullmatch(atoms[0][1][68:].rstrip()):
        raise UsageError(
            f"{where} is a pdbqt file, prepared for docking already; give the PDB or mmCIF file that it was made from"
        )
    for number, line in atoms:
        try:
            finite = all(math.isfinite(float(line[start : start + 8])) for start in (30, 38, 46))
        except ValueError:
            finite = False
        if not finite:
            what = "cut off" if number >= len(lines) - 1 else "damaged"
            raise UsageError(f"{where} is {what} at line {number}: {quote(line)} has no complete coordinates")
    entry = any(line.startswith(("HEADER", "SEQRES")) for line in lines)
    if entry and not any(line[:6].strip() == "END" for line in lines[-50:]):
        raise UsageError(
            f"{where} begins as an entry of the PDB but has no END line: it is probably cut off. "
            "Download it again; if it is complete, add a line END"
        )
    try:
        return gemmi.read_pdb_string(text)
    except (RuntimeError, ValueError) as error:
        raise UsageError(f"{where} is not a readable PDB file ({_brief(error)})") from None


def _one_model(structure: gemmi.Structure) -> list[str]:
    count = len(structure)
    if count == 1:
        return []
    while len(structure) > 1:
        del structure[-1]
    return [f"{count} models in the file (NMR?): the first is used"]


def _one_conformation(structure: gemmi.Structure, wanted: Sequence[str]) -> list[str]:
    """Of each residue keep the alternative that is asked for, else that of highest occupancy; of equals, the first.

    Raises:
        UsageError: An alternative that is asked for is not there.
    """
    asked = _asked(wanted)
    taken: list[str] = []
    found: set[tuple[str, str]] = set()
    for chain in structure[0]:
        places: dict[str, list[gemmi.Residue]] = {}
        for residue in chain:
            places.setdefault(str(residue.seqid), []).append(residue)
        for number, residues in places.items():
            # Two residues at one place, each with its letter, are alternatives too.
            weights = [(atom.altloc, atom.occ) for residue in residues for atom in residue if atom.has_altloc()]
            if not weights:
                continue
            occupancies = {
                letter: max(occ for other, occ in weights if other == letter)
                for letter in sorted({letter for letter, _ in weights})
            }
            best = max(occupancies, key=lambda letter: occupancies[letter])
            for key in ((f"{chain.name.strip() or '-'}:{number.strip()}", ""), ("", "")):
                letter = asked.get(key[0], "")
                if letter in occupancies:
                    best = letter
                    found.add((key[0], letter))
                    break
            rest = " ".join(f"{other} {occ:.2f}" for other, occ in occupancies.items() if other != best)
            where = f"{residues[0].name.capitalize()}{number.strip()} of chain {chain.name.strip() or '-'}"
            taken.append(f"{best} of {where} ({occupancies[best]:.2f}; {rest or 'no other'})")
            for residue in residues:
                _keep(residue, best)
        for n in reversed(range(len(chain))):
            if not len(chain[n]):
                del chain[n]
    for place, letter in asked.items():
        if (place, letter) not in found:
            where = f"residue {place} has no" if place else "no residue has an"
            there = f"there are (taken first) {', '.join(taken[:5])}" if taken else "the file has none at all"
            raise UsageError(f"--altloc: {where} alternative {letter}; {there}")
    if not taken:
        return []
    more = f" and {len(taken) - _SHOWN} more" if len(taken) > _SHOWN else ""
    return [
        f"alternative positions in {len(taken)} residue{'s' * (len(taken) > 1)}, taken (occupancy; the others): "
        f"{', '.join(taken[:_SHOWN])}{more}; --altloc chooses others"
    ]


def _asked(wanted: Sequence[str]) -> dict[str, str]:
    """Read what --altloc asks for: a letter by place, "" for every place.

    Raises:
        UsageError: It is no letter, or no CHAIN:NUMBER:LETTER.
    """
    asked: dict[str, str] = {}
    for text in wanted:
        place, _, letter = text.strip().rpartition(":")
        if len(letter) != 1 or not letter.isalnum() or (place and place.count(":") != 1):
            raise UsageError(f"--altloc {quote(text)}: write a letter for all residues, or CHAIN:NUMBER:LETTER for one")
        asked[place] = letter
    return asked


def _keep(residue: gemmi.Residue, letter: str) -> None:
    """Keep only the atoms of one alternative and those that have none; an atom that lacks it keeps its first."""
    letters = {atom.altloc for atom in residue}
    another = letter not in letters and "\0" not in letters  # a residue that is an alternative as a whole
    chosen: dict[str, int] = {}
    for n, atom in enumerate(residue):
        if atom.name not in chosen or atom.altloc == letter:
            chosen[atom.name] = n
    for n in reversed(range(len(residue))):
        if another or chosen[residue[n].name] != n:
            del residue[n]
    for atom in residue:
        atom.altloc = "\0"


def _sort(structure: gemmi.Structure, where: str) -> tuple[dict[str, list[gemmi.Residue]], list[Group], list[str]]:
    """Sort residues into amino acids by chain, everything else, and notes; refuse what no protein has."""
    protein: dict[str, list[gemmi.Residue]] = {}
    others: list[Group] = []
    nucleotides = 0
    for chain in structure[0]:
        for residue in chain:
            name = residue.name.strip()
            if name in _NUCLEOTIDES:
                nucleotides += 1
            elif _amino_acid(residue):
                protein.setdefault(chain.name.strip(), []).append(residue)
            elif name not in _CAPS:
                others.append(Group(name, chain.name.strip(), str(residue.seqid).strip(), residue))
    count = sum(map(len, protein.values()))
    if not count:
        if nucleotides:
            raise UsageError(f"{where} has no protein, only DNA or RNA; docking needs a protein here")
        raise UsageError(f"{where} has no protein: no amino acid with its backbone, only {listed(others) or 'nothing'}")
    bare = sum(all(atom.name == "CA" for atom in residue) for chain in protein.values() for residue in chain)
    if bare > count / 2:
        raise UsageError(f"{where} has only CA atoms for {bare} of {count} residues; docking needs all of them")
    return protein, others, [f"{nucleotides} nucleotides of DNA or RNA are left out"] * bool(nucleotides)


def _amino_acid(residue: gemmi.Residue) -> bool:
    names = {atom.name for atom in residue}
    if standard(residue.name) in SIDE_CHAINS:
        # In a chain, or built as one residue of it; an amino acid that is a ligand stands alone as HETATM.
        return "CA" in names and (residue.het_flag != "H" or residue.entity_type == gemmi.EntityType.Polymer)
    return (
        {"N", "CA", "C"} <= names
        and parent(residue.name) is not None
        and (residue.entity_type == gemmi.EntityType.Polymer or residue.name == "MSE")
    )


def parent(name: str) -> str | None:
    """Find the standard amino acid that a modified one derives from: MSE gives MET; None where there is none."""
    usual = standard(name)
    if usual in SIDE_CHAINS:
        return usual
    info = gemmi.find_tabulated_residue(name)
    letter = info.one_letter_code.upper()
    if not info.is_amino_acid() or not letter.strip() or letter == "X":
        return None
    derived = gemmi.expand_one_letter(letter, gemmi.ResidueKind.AA)
    return derived if derived in SIDE_CHAINS else None


def standardized(residue: gemmi.Residue) -> tuple[gemmi.Residue, str | None]:
    """Copy a residue under its standard name with only that one's atoms, and say what was replaced, if anything was."""
    copy = residue.clone()
    name = parent(residue.name) or residue.name
    if residue.name == "MSE":
        for atom in copy:
            if atom.name == "SE":
                atom.name, atom.element = "SD", gemmi.Element("S")
    wanted = {*BACKBONE, *SIDE_CHAINS.get(name, "").split()}
    if name in SIDE_CHAINS:
        for n in reversed(range(len(copy))):
            if copy[n].name not in wanted:
                del copy[n]
    copy.name = name
    copy.het_flag = "A"
    changed = standard(residue.name) != name or residue.name == "MSE"
    return copy, f"{residue.name}{residue.seqid} by {name}" if changed else None


def points(groups: Sequence[gemmi.Residue]) -> list[tuple[float, float, float]]:
    """Get the positions of all heavy atoms, Angstrom."""
    return [(a.pos.x, a.pos.y, a.pos.z) for residue in groups for a in residue if not a.is_hydrogen()]


def number_of(residue: gemmi.Residue) -> str:
    """Write the number of a residue with its insertion code as in columns 23 to 27 of a PDB file."""
    return f"{residue.seqid.num:>4}{residue.seqid.icode}"[-5:]


def point_of(atom: gemmi.Atom) -> tuple[float, float, float]:
    """Get the position of an atom, Angstrom."""
    return atom.pos.x, atom.pos.y, atom.pos.z


def _brief(error: Exception) -> str:
    return str(error).strip().partition("\n")[0][:160]
