"""Molecules as people keep them: salts, names, files. Each becomes one molecule to dock; notes say what was changed.

What a model proposes goes through `canonical` alone, which changes nothing; what a person wrote is read with patience.
"""

from __future__ import annotations

import csv
import gzip
import io
import re
import unicodedata
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from rdkit import Chem, rdBase

from tgsci.basics.texts import one_line, quote
from tgsci.errors import InvalidValue, UsageError

from .salts import COUNTERPARTS, complexed, counterpart, neutralised, without_metal_bonds
from .smiles import MAX_HEAVY_ATOMS, Molecule, canonical, parse

#: Longest text that is read as one molecule: a salt with its solvents, or an InChI.
MAX_TEXT = 2_000
MAX_PARTS = 20
MAX_NAME = 100
#: Tags of a molecule that are kept, and their longest name and value.
MAX_TAGS, MAX_TAG, MAX_VALUE = 60, 60, 200
MAX_FILE_BYTES = 100_000_000
MAX_MOLECULES = 50_000
#: What CXSMILES adds after the SMILES, as |&1:0|; some programs write it after the name, or without its end.
_EXTENSION = re.compile(r"^\s*\|[^|]*\||(?:^|\s)\|[^|\s]+\|?\s*$")
#: Faults of a file that are listed; the others are counted.
_LISTED = 10

_SMILES_COLUMNS = ("smiles", "canonical_smiles", "isomeric_smiles", "canonicalsmiles", "isomericsmiles", "structure")
_NAME_COLUMNS = (
    "name", "molecule_name", "compound_name", "compound", "molecule", "title", "id", "compound_id", "molecule_id",
    "mol_id", "catalog_id", "chembl_id", "molecule_chembl_id", "pref_name", "identifier", "code",
)  # fmt: skip


@dataclass(frozen=True)
class Compound:
    """A molecule as a person keeps it: with its name, and with notes on how it was read.

    Args:
        name: The name; empty where there was none.
        smiles: Canonical, of the one molecule that is docked.
        notes: What was left out or changed to get there, in words.
        source: The place in its file, such as "line 3".
        tags: What else its file says of it, as name and value: identifiers, measured activities.
        mirror: The other enantiomer of a racemate whose centres invert together; None else.
    """

    name: str
    smiles: Molecule
    notes: tuple[str, ...] = ()
    source: str = ""
    tags: tuple[tuple[str, str], ...] = ()
    mirror: Molecule | None = None

    @property
    def label(self) -> str:
        """Its name, else its SMILES."""
        return self.name or self.smiles

    @property
    def remarks(self) -> list[str]:
        """Its notes, each with what it is about: "imatinib mesylate: methanesulfonic acid left out"."""
        return [f"{self.label}: {note}" for note in self.notes]

    @property
    def both(self) -> list[Compound]:
        """Itself, and the other enantiomer where it is a racemate of two."""
        if self.mirror is None:
            return [self]
        other = replace(
            self, smiles=self.mirror, notes=(f"the mirror image of {self.smiles}, docked too",), mirror=None
        )
        return [replace(self, mirror=None), other]


@dataclass(frozen=True)
class Library:
    """The molecules of a file.

    Args:
        molecules: The molecules in the order of the file, duplicates included.
        faults: The faults, each with its line, in the order of the file.
    """

    molecules: tuple[Compound, ...]
    faults: tuple[str, ...] = ()


def clean(text: str, name: str = "") -> Compound:
    """Read one molecule from what a person wrote: a SMILES or an InChI, with or without a name after it.

    Counter-ions and solvents are left out, and the charge that they balanced is neutralised; isotope labels and
    atom map numbers are dropped.

    Args:
        text: What was typed or stood in a file; may be anything.
        name: Goes before a name in `text`.

    Raises:
        InvalidValue: The text has no molecule that can be docked; says why, and what to write instead.
    """
    if len(text) > MAX_TEXT:
        raise InvalidValue(
            f"the text is {len(text)} characters long, a molecule at most {MAX_TEXT}; it begins {quote(text)}"
        )
    structure, _, rest = "".join(c for c in text if unicodedata.category(c) != "Cf").strip().partition(" ")
    if (blank := re.search(r"\s", structure)) is not None:
        structure, rest = structure[: blank.start()], f"{structure[blank.end() :]} {rest}"
    extension = _EXTENSION.search(rest)
    notes = []
    mirror = ""
    if extension is not None:
        written = extension.group().strip()
        rest = (rest[: extension.start()] + " " + rest[extension.end() :]).strip(" ,;")
        mixed = _mixture(structure, written)
        if mixed is None:
            notes.append("the extension in |...| left out (what is docked is the structure as it is written)")
        else:
            structure, mirror, what = mixed
            notes.append(f"{what} are docked{'' if mirror else ', and the better pose counts'}")
    smiles, changes = _single(structure)
    other = _single(mirror)[0] if mirror else None
    return Compound(_name(name) or _name(rest), smiles, (*notes, *changes), mirror=other if other != smiles else None)


def read(path: str | Path) -> Library:
    """Read the molecules of a file and its faults; see `read_molecules` for the formats.

    Raises:
        UsageError: The file cannot be read, or is of no known format.
    """
    path = Path(path)
    reader = _reader(path)
    compounds: list[Compound] = []
    faults: list[str] = []
    first: dict[str, Compound] = {}
    for source, structure, name, tags in reader(_content(path)):
        if isinstance(structure, InvalidValue):
            faults.append(f"{source}: {structure}")
            continue
        try:
            molecule = replace(clean(structure, name), source=source, tags=_bounded(tags))
        except InvalidValue as error:
            faults.append(f"{source}{f' ({_name(name)})' if _name(name) else ''}: {error}")
            continue
        if len(compounds) + len(faults) >= MAX_MOLECULES:
            raise UsageError(f"{path.name} has more than {MAX_MOLECULES} molecules; split it into several files")
        for each in molecule.both:
            known = first.setdefault(each.smiles, each)
            if known is not each:
                twin = f"{known.source}, {known.name}" if known.name else known.source
                each = replace(each, notes=(*each.notes, f"the same molecule as {twin}"))
            compounds.append(each)
    if not compounds and not faults:
        raise UsageError(f"{path.name} holds no molecule")
    return Library(tuple(compounds), tuple(faults))


def read_molecules(path: str | Path) -> list[Compound]:
    """Read the molecules of a file, in its order; one that stands there twice comes twice, with a note.

    Args:
        path: `.smi`, `.smiles` or `.txt` (a SMILES and a name in each line), `.csv` or `.tsv` (a column `smiles`, and
            `name` or `id` where there is one) or `.sdf`; each also with `.gz`.

    Raises:
        UsageError: The file cannot be read, or some of it is no molecule; names the first faults with their lines.
    """
    library = read(path)
    if library.faults:
        raise UsageError(listed(Path(path).name, library.faults))
    return list(library.molecules)


def listed(name: str, faults: Iterable[str]) -> str:
    """List the faults of a file in words, the first of them one a line."""
    every = list(faults)
    count = len(every)
    what = (
        "1 molecule cannot be docked; correct or remove its line"
        if count == 1
        else f"{count} molecules cannot be docked; correct or remove their lines"
    )
    lines = [f"{name}: {what}:", *(f"  {fault}" for fault in every[:_LISTED])]
    if len(every) > _LISTED:
        lines.append(f"  and {len(every) - _LISTED} more")
    return "\n".join(lines)


def is_library(text: str) -> bool:
    """Tell whether a text is the name of a file that `read` can read; no SMILES ends like one."""
    return _suffix(Path(text)) in _READERS


def tags_of(compounds: Iterable[Compound]) -> dict[str, dict[str, str]]:
    """Collect what files say of molecules, by canonical SMILES; of one that stands there twice, both values."""
    table: dict[str, dict[str, str]] = {}
    for compound in compounds:
        mine = table.setdefault(compound.smiles, {})
        for name, value in compound.tags:
            before = mine.get(name)
            mine[name] = value if before in (None, value) else f"{before}; {value}"[:MAX_VALUE]
    return {smiles: tags for smiles, tags in table.items() if tags}


def _bounded(tags: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Write tags on one line each, without control characters, bounded in number and length."""
    lines = ((one_line(name)[:MAX_TAG].strip(), one_line(value)[:MAX_VALUE].strip()) for name, value in tags.items())
    return tuple((name, value) for name, value in lines if name and value)[:MAX_TAGS]


# -- one molecule ----------------------------------------------------------------------------------------------------


def _single(structure: str) -> tuple[Molecule, list[str]]:
    """Read the one molecule in a SMILES or InChI: its canonical SMILES, and what was changed to get it."""
    notes = []
    mol = None
    if structure.startswith("InChI="):
        mol = _from_inchi(structure)
        notes.append("read from its InChI")
    else:
        mol = parse(structure, sanitize=False) if structure.isascii() and structure.isprintable() else None
    if mol is None or not mol.GetNumAtoms():
        return canonical(structure), []  # which says what is wrong with it
    metal = complexed(mol)
    if metal is not None:
        raise InvalidValue(
            f"{quote(structure)} holds {metal}: a complex is no salt, and docking knows no bonds to {metal}; write the "
            "organic molecule alone if that is what is meant"
        )
    mol = without_metal_bonds(mol)
    changes = [*_drop_isotopes(mol), *_drop_maps(mol)]
    parts = Chem.GetMolFrags(mol, asMols=True, sanitizeFrags=False)
    if len(parts) == 1 and not changes and not notes:
        return canonical(structure), []
    if len(parts) > 1:
        mol, left_out = _choose_part(structure, parts)
        changes += left_out
    return canonical(Chem.MolToSmiles(mol)), notes + changes


def _mixture(structure: str, extension: str) -> tuple[str, str, str] | None:
    """Read which centres of a CXSMILES are mixed (&1) or one of two that nobody knows (o1).

    Returns:
        The SMILES, with a single centre left open; the mirror image's where several centres invert together, else "";
        and what it is, in words. None where the extension says nothing of the kind.
    """
    with rdBase.BlockLogs():
        try:
            mol = Chem.MolFromSmiles(f"{structure} {extension}")
        except (RuntimeError, ValueError):
            return None
    if mol is None:
        return None
    groups = [group for group in mol.GetStereoGroups() if group.GetGroupType() != Chem.StereoGroupType.STEREO_ABSOLUTE]
    centres = [[atom.GetIdx() for atom in group.GetAtoms()] for group in groups]
    if not any(centres):
        return None
    mixed = any(group.GetGroupType() == Chem.StereoGroupType.STEREO_AND for group in groups)
    what = "a racemate: both enantiomers" if mixed else "one enantiomer, it is not known which: both"
    if len(groups) > 1:
        what = f"a mixture of stereoisomers ({len(groups)} groups of centres): as many as --isomers says"
    plain, mirror = Chem.RWMol(mol), Chem.RWMol(mol)
    together = False
    for group in centres:
        for index in group:
            if len(group) == 1:
                for each in (plain, mirror):
                    each.GetAtomWithIdx(index).SetChiralTag(Chem.ChiralType.CHI_UNSPECIFIED)
            else:
                mirror.GetAtomWithIdx(index).InvertChirality()
                together = True
    spelled = [Chem.MolToSmiles(Chem.Mol(each)) for each in (plain, mirror)]
    return spelled[0], spelled[1] if together else "", what


def _from_inchi(text: str) -> Chem.Mol:
    with rdBase.BlockLogs():
        mol = Chem.MolFromInchi(text, sanitize=False, removeHs=False)
    if mol is None:
        raise InvalidValue(f"{quote(text)} is not an InChI that RDKit can read; write the SMILES instead")
    return mol


def _drop_isotopes(mol: Chem.Mol) -> list[str]:
    labelled = [atom for atom in mol.GetAtoms() if atom.GetIsotope()]
    for atom in labelled:
        atom.SetIsotope(0)
    count = len(labelled)
    return [f"{count} isotope label{'s' if count > 1 else ''} left out (docking does not see them)"] if count else []


def _drop_maps(mol: Chem.Mol) -> list[str]:
    mapped = [atom for atom in mol.GetAtoms() if atom.GetAtomMapNum()]
    for atom in mapped:
        atom.SetAtomMapNum(0)
    return ["atom map numbers left out"] if mapped else []


def _choose_part(structure: str, parts: tuple[Chem.Mol, ...]) -> tuple[Chem.Mol, list[str]]:
    """Choose the part that is the drug, neutral where another part balanced its charge; name the others."""
    if len(parts) > MAX_PARTS:
        raise InvalidValue(f"{quote(structure)} has {len(parts)} parts, more than {MAX_PARTS}; write one molecule")
    for part in parts:
        if _heavy(part) > MAX_HEAVY_ATOMS:
            raise InvalidValue(
                f"{quote(structure)} has a part of {_heavy(part)} heavy atoms, more than the {MAX_HEAVY_ATOMS} allowed"
            )
        with rdBase.BlockLogs():
            if Chem.SanitizeMol(part, catchErrors=True) != Chem.SanitizeFlags.SANITIZE_NONE:
                canonical(Chem.MolToSmiles(part))  # which says what is wrong with it
                raise InvalidValue(f"{quote(structure)} cannot be read as a molecule; write one part of it alone")
    parts = tuple(Chem.RemoveHs(part) for part in parts)
    names = [counterpart(part) for part in parts]
    wanted = [part for part, name in zip(parts, names, strict=True) if name is None] or list(parts)
    organic = [part for part in wanted if _is_organic(part)]
    if not organic:
        raise InvalidValue(f"{quote(structure)} has no organic part; write the molecule that is to be docked")
    best = max(organic, key=_heavy)
    spelling = Chem.MolToSmiles(best)
    doubtful = [part for part in organic if Chem.MolToSmiles(part) != spelling and 2 * _heavy(part) > _heavy(best)]
    # A larger solvent is no solvate, and what has no heteroatom forms no salt.
    plain = all(atom.GetAtomicNum() in (1, 6) for atom in best.GetAtoms())
    doubtful += [
        part
        for part, name in zip(parts, names, strict=True)
        if part not in organic and _is_organic(part) and _heavy(part) > _heavy(best) and (plain or _is_solvent(name))
    ]
    if doubtful:
        raise InvalidValue(
            f"{quote(structure)} has two molecules that may be meant, {quote(spelling)} and "
            f"{quote(Chem.MolToSmiles(doubtful[0]))}; write the one to dock"
        )
    others = list(zip(parts, names, strict=True))
    others.pop(next(n for n, part in enumerate(parts) if part is best))
    balanced = Chem.GetFormalCharge(best) and any(Chem.GetFormalCharge(part) for part, _ in others)
    kept = neutralised(best) if balanced else best
    counts = Counter(name or Chem.MolToSmiles(part) for part, name in others)
    notes = []
    if copies := counts.pop(spelling, 0):
        notes.append(f"it stands there {copies + 1} times, one was kept")
    if counts:
        named = ", ".join(name if count == 1 else f"{name} ({count})" for name, count in counts.items())
        notes.append(f"{named} left out")
    return kept, notes


def _is_solvent(name: str | None) -> bool:
    return name is not None and name in COUNTERPARTS and COUNTERPARTS[name].kind == "solvent"


def _is_organic(mol: Chem.Mol) -> bool:
    return any(atom.GetAtomicNum() == 6 for atom in mol.GetAtoms())


def _heavy(mol: Chem.Mol) -> int:
    return sum(atom.GetAtomicNum() > 1 for atom in mol.GetAtoms())


def _name(text: str) -> str:
    """Write a name on one line, without control characters, bounded."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text[: 10 * MAX_NAME]).split())
    return line if len(line) <= MAX_NAME else line[: MAX_NAME - 3] + "..."


# -- files -----------------------------------------------------------------------------------------------------------

#: Where it stands, the structure as text or why there is none, its name, and what else the file says of it.
_Entry = tuple[str, str | InvalidValue, str, Mapping[str, str]]


def _reader(path: Path) -> Callable[[bytes], Iterator[_Entry]]:
    reader = _READERS.get(_suffix(path))
    if reader is None:
        raise UsageError(
            f"{quote(path.name)} is no file of molecules by its name; it must end in {', '.join(_READERS)}, each also "
            "with .gz"
        )
    return reader


def _suffix(path: Path) -> str:
    suffixes = [suffix.lower() for suffix in path.suffixes]
    return suffixes[-2] if len(suffixes) > 1 and suffixes[-1] == ".gz" else suffixes[-1] if suffixes else ""


def _content(path: Path) -> bytes:
    """Read the bytes of a file, unpacked; a file that is too large is refused before it fills the memory."""
    too_large = f"{path.name} is larger than {MAX_FILE_BYTES // 1_000_000} MB; split it into several files"
    try:
        if not path.is_file():
            raise UsageError(f"there is no file {quote(str(path), 200)}")
        with gzip.open(path, "rb") if path.suffix.lower() == ".gz" else path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"cannot read {quote(str(path), 200)}: {reason}") from None
    if len(content) > MAX_FILE_BYTES:
        raise UsageError(too_large)
    return content


def _text(content: bytes) -> str:
    """Decode a file from any editor or spreadsheet: UTF-8, UTF-16 with its mark, else Windows' Latin."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = content.decode("utf-16", errors="replace")
    else:
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = content.decode("cp1252", errors="replace")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _lines(content: bytes) -> Iterator[_Entry]:
    """Read a SMILES from each line, and a name after a blank, a tab or a comma."""
    started = False
    for number, line in enumerate(_text(content).split("\n"), 1):
        line = line.strip().strip("\ufeff\0")
        if not line or line.startswith("#"):
            continue
        structure, name = line, ""
        if not line.startswith("InChI=") and (mark := re.search(r"[\s,;]", line)) is not None:
            structure, name = line[: mark.start()], line[mark.start() :].strip(" \t,;")
            if name.startswith("|"):
                structure, name = line, ""  # the extension of the SMILES, which `clean` knows
        if not started and _column(structure) in (*_SMILES_COLUMNS, *_NAME_COLUMNS):
            started = True
            continue
        started = True
        yield f"line {number}", structure, name, {}


def _table(content: bytes) -> Iterator[_Entry]:
    """Read a table with a header: the columns are found by their names."""
    text = _text(content)
    offset = 1
    mark = ""
    if (separator := re.match(r"sep=(.)\n", text, re.IGNORECASE)) is not None:  # Excel's own first line
        mark, text, offset = separator[1], text[separator.end() :], 2
    head = next((line for line in text.split("\n") if line.strip()), "")
    mark = mark or max("\t;,", key=head.count)
    reader = csv.reader(io.StringIO(text), delimiter=mark)
    columns: tuple[int, int | None] | None = None
    titles: list[str] = []
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:  # a field without end, a NUL
            yield f"line {reader.line_num + offset - 1}", InvalidValue(f"not a table from here on ({error})"), "", {}
            return
        cells = [_cell(cell) for cell in row]
        if not any(cells):
            continue
        if columns is None:
            columns = _columns(cells)
            if columns is not None:
                titles = cells
                continue
            columns = _headless(cells)
        smiles, name = columns
        source = f"line {reader.line_num + offset - 1}"
        structure = cells[smiles] if smiles < len(cells) else ""
        if not structure:
            yield source, InvalidValue("it has no SMILES"), "", {}
            continue
        tags = {title: cell for n, (title, cell) in enumerate(zip(titles, cells, strict=False)) if n not in columns}
        yield source, structure, cells[name] if name is not None and name < len(cells) else "", tags


def _cell(text: str) -> str:
    """Strip a cell of what spreadsheets put around a text: ="CCO" and 'CCO."""
    text = text.strip().strip("\ufeff\0")
    if (formula := re.fullmatch(r'="(.*)"', text)) is not None:
        text = formula[1]
    return text.removeprefix("'").strip()


def _column(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", title.lower()).strip("_")


def _columns(header: list[str]) -> tuple[int, int | None] | None:
    """Find the columns of SMILES and names; None where this line is no header with a SMILES column."""
    titles = [_column(title) for title in header]
    smiles = next((titles.index(known) for known in _SMILES_COLUMNS if known in titles), None)
    if smiles is None:
        smiles = next((n for n, title in enumerate(titles) if "smiles" in title.split("_")), None)
    if smiles is None:
        return None
    return smiles, next((titles.index(known) for known in _NAME_COLUMNS if known in titles), None)


def _headless(cells: list[str]) -> tuple[int, int | None]:
    """Find the columns of a table without a header: the first that is a molecule, and the first other one."""
    for number, cell in enumerate(cells):
        try:
            clean(cell)
        except InvalidValue:
            continue
        return number, next((n for n in range(len(cells)) if n != number), None)
    titles = ", ".join(quote(title, 30) for title in cells[:12])
    raise UsageError(f"the table has no column of SMILES; call it smiles. Its columns are {titles}")


def _records(content: bytes) -> Iterator[_Entry]:
    """Read the structures of an SDF, with the name in the title line or a tag."""
    text = _text(content)
    start = 1
    for record in re.split(r"^\$\$\$\$[^\n]*\n?", text, flags=re.MULTILINE):
        lines = record.count("\n") + 1  # its end mark too
        if record.strip():
            yield f"line {start}", *_structure(record)
        start += lines


def _structure(record: str) -> tuple[str | InvalidValue, str, Mapping[str, str]]:
    rows = re.findall(r"^>[^<\n]*<([^>\n]{1,80})>[^\n]*\n((?:[^\n]+\n?){0,20})", record, re.MULTILINE)
    tags = {title: value.strip() for title, value in rows}
    by_column = {_column(title): value for title, value in tags.items()}
    named = next((by_column[known] for known in _NAME_COLUMNS if by_column.get(known)), "")
    name = _name(record.partition("\n")[0]) or named.partition("\n")[0]
    end = record.find("M  END")
    block = record[: end + 6] if end >= 0 else record
    if len(block) > 200 * MAX_TEXT:
        return InvalidValue("the structure is far larger than what can be docked"), name, tags
    with rdBase.BlockLogs():
        try:
            mol = Chem.MolFromMolBlock(block, sanitize=True, removeHs=True)
            if mol is None:  # unsanitised, it can still be said what is wrong with it
                mol = Chem.MolFromMolBlock(block, sanitize=False, removeHs=False)
        except RuntimeError:
            mol = None
        if mol is None or not mol.GetNumAtoms():
            why = InvalidValue("no structure could be read (not a V2000 or V3000 mol block, or an empty one)")
            return why, name, tags
        if mol.GetStereoGroups():
            extended = Chem.MolToCXSmiles(mol, Chem.SmilesWriteParams(), Chem.CXSmilesFields.CX_ENHANCEDSTEREO)
            return str(extended), name, tags
        return str(Chem.MolToSmiles(mol)), name, tags


_READERS: dict[str, Callable[[bytes], Iterator[_Entry]]] = {
    ".smi": _lines,
    ".smiles": _lines,
    ".txt": _lines,
    ".csv": _table,
    ".tsv": _table,
    ".sdf": _records,
}
