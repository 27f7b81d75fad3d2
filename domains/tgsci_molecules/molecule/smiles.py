"""SMILES from people and models, checked before anything expensive sees them; each refusal has a reason."""

from __future__ import annotations

import logging
import re
import threading
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from rdkit import Chem, rdBase
from rdkit.Chem import rdMolDescriptors

from tgsci.basics.texts import literal, quote
from tgsci.errors import InvalidValue, UsageError

#: Longest text that is parsed; the largest molecule that is allowed needs about 200 characters.
MAX_LENGTH = 500
MAX_HEAVY_ATOMS = 60
#: Above this Vina's search gets bad without a warning (36 torsions dock to nonsense).
MAX_ROTATABLE_BONDS = 20
MAX_NET_CHARGE = 4
#: The elements that Vina and meeko have atom types for.
ELEMENTS = ("H", "C", "N", "O", "F", "P", "S", "Cl", "Br", "I")
CHARGED_ELEMENTS = ("N", "O", "P", "S")

_PLAIN_BONDS = (
    Chem.BondType.SINGLE,
    Chem.BondType.DOUBLE,
    Chem.BondType.TRIPLE,
    Chem.BondType.AROMATIC,
)


class Molecule(str):
    """A SMILES that carries its RDKit molecule, so that it is parsed once however far it travels.

    It compares, hashes, prints and is stored as the text that it is. In another process it is parsed again, when the
    RDKit molecule is asked for.

    Args:
        smiles: The text.
        mol: The RDKit molecule of exactly this text; read on demand where None.
        canonical: True where `canonical` made it: then it is not checked again.
    """

    __slots__ = ("_mol", "is_canonical")
    _mol: Chem.Mol | None
    is_canonical: bool

    def __new__(cls, smiles: str, mol: Chem.Mol | None = None, *, canonical: bool = False) -> Molecule:
        molecule = super().__new__(cls, smiles)
        molecule._mol = mol
        molecule.is_canonical = canonical
        return molecule

    @property
    def mol(self) -> Chem.Mol:
        """The RDKit molecule. All who hold this object share it: copy it before you change it.

        Raises:
            InvalidValue: RDKit cannot read the SMILES.
        """
        if self._mol is None:
            self._mol = parse(str(self))
            if self._mol is None:
                raise InvalidValue(f"{quote(self)} is not a SMILES: {_syntax_fault(self)}")
        return self._mol

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (str(self), self.is_canonical)


def _restored(smiles: str, canonical: bool) -> Molecule:
    return Molecule(smiles, canonical=canonical)


def canonical(text: str) -> Molecule:
    """Check a SMILES of one small molecule that can be docked, and write it in its canonical isomeric form.

    Atom map numbers are dropped, explicit hydrogens are folded in; nothing else is changed. What this function
    returned before comes back as it is.

    Args:
        text: What somebody typed or a model wrote; may be anything.

    Raises:
        InvalidValue: The text is no SMILES, or not of a molecule that can be docked: what is wrong, where,
            and what to write instead.
        UsageError: The argument is no text at all.
    """
    if not isinstance(text, str):
        raise UsageError(f"a SMILES is text, not {literal(text)}")
    if isinstance(text, Molecule) and text.is_canonical:
        return text
    smiles = _clean(text)
    raw = parse(smiles, sanitize=False)
    if raw is None:
        raise InvalidValue(f"{quote(smiles)} is not a SMILES: {_syntax_fault(smiles)}")
    # Sizes and elements come first: ring perception never sees a molecule that is too large.
    for check in (_check_fragments, _check_elements, _check_bonds, _check_size):
        check(raw, smiles)
    _check_chemistry(raw, smiles)
    mol = text.mol if isinstance(text, Molecule) and text == smiles else parse(smiles)
    if mol is None:
        raise InvalidValue(f"{quote(smiles)} cannot be read as a molecule; write it in another way")
    for check in (_check_charges, _check_radicals, _check_rotors):
        check(mol, smiles)
    if any(atom.GetAtomMapNum() for atom in mol.GetAtoms()):
        mol = Chem.Mol(mol)
        for atom in mol.GetAtoms():
            atom.SetAtomMapNum(0)
    checked = _fixed_point(mol, smiles)
    if isinstance(text, Molecule) and text == checked:
        text.is_canonical = True
        return text
    return checked


def as_molecule(smiles: str) -> Molecule:
    """Make a SMILES a `Molecule`; one that is a `Molecule` comes back as it is.

    Raises:
        UsageError: The argument is no text.
    """
    if not isinstance(smiles, str):
        raise UsageError(f"a SMILES is text, not {literal(smiles)}")
    return smiles if isinstance(smiles, Molecule) else Molecule(smiles)


def molecule(smiles: str) -> Chem.Mol:
    """Read a SMILES, or take what a `Molecule` carries. Copy the RDKit molecule before you change it.

    Raises:
        InvalidValue: RDKit cannot read it.
    """
    return as_molecule(smiles).mol


def stereo_in_words(mol: Chem.Mol, open_: Iterable[Chem.StereoInfo]) -> list[str]:
    """Name stereocentres and double bonds as a chemist does: "stereocentre C4".

    Args:
        mol: The molecule.
        open_: The result of `open_stereo`.
    """
    names = []
    for info in open_:
        if info.type == Chem.StereoType.Atom_Tetrahedral:
            names.append(f"stereocentre {atom_name(mol, info.centeredOn)}")
        else:
            bond = mol.GetBondWithIdx(info.centeredOn)
            names.append("double bond " + "=".join(atom_name(mol, a.GetIdx()) for a in _ends(bond)))
    return names


def open_stereo(mol: Chem.Mol) -> list[Chem.StereoInfo]:
    """Find the stereocentres and double bonds that a molecule leaves open."""
    open_infos = []
    forced = _forced_by_a_cage(mol)
    for info in Chem.FindPotentialStereo(mol):
        if info.specified != Chem.StereoSpecified.Unspecified:
            continue
        if info.type == Chem.StereoType.Atom_Tetrahedral and info.centeredOn not in forced:
            open_infos.append(info)
        elif info.type == Chem.StereoType.Bond_Double:
            ends = _ends(mol.GetBondWithIdx(info.centeredOn))
            # Else an azide's, or that of an N-H imine, whose proton comes and goes.
            if all(a.GetHybridization() == Chem.HybridizationType.SP2 and a.GetDegree() > 1 for a in ends):
                open_infos.append(info)
    return open_infos


def _ends(bond: Chem.Bond) -> tuple[Chem.Atom, Chem.Atom]:
    return bond.GetBeginAtom(), bond.GetEndAtom()


def _forced_by_a_cage(mol: Chem.Mol) -> set[int]:
    """Find bridgeheads as in adamantane: RDKit counts them as stereocentres, but the rings leave them no choice."""
    mol = Chem.Mol(mol)  # the older perception leaves marks on the atoms
    bridgeheads: list[int] = []
    rdMolDescriptors.CalcNumBridgeheadAtoms(mol, bridgeheads)
    # The older perception lists only atoms with four different neighbours: those are real even in a cage.
    real = Chem.FindMolChiralCenters(mol, includeUnassigned=True, useLegacyImplementation=True)
    return set(bridgeheads) - {index for index, _ in real}


def atom_name(mol: Chem.Mol, index: int) -> str:
    """Name an atom by its symbol and number, as in `C7`; numbers count from 1 in the order of the SMILES.

    Args:
        mol: The molecule.
        index: RDKit's, which counts from 0.
    """
    return f"{mol.GetAtomWithIdx(index).GetSymbol()}{index + 1}"


def _clean(text: str) -> str:
    """Take off surrounding space and invisible characters (they come with copy and paste)."""
    if len(text) > MAX_LENGTH:
        raise InvalidValue(
            f"the text is {len(text)} characters long, a SMILES at most {MAX_LENGTH}; it begins {quote(text)}"
        )
    smiles = "".join(c for c in text if unicodedata.category(c) != "Cf").strip()
    if not smiles:
        raise InvalidValue("the SMILES is empty; write one molecule, for example c1ccccc1")
    for position, character in enumerate(smiles, 1):
        if character.isspace():
            raise InvalidValue(
                f"{quote(smiles)} has a space at position {position}; write one SMILES alone, without a name or remarks"
            )
        if not character.isascii() or not character.isprintable():
            name = unicodedata.name(character, "a control character")
            raise InvalidValue(f"{quote(smiles)} has {name} at position {position}; a SMILES is plain ASCII")
    return smiles


def parse(smiles: str, *, sanitize: bool = True) -> Chem.Mol | None:
    """Read a SMILES with RDKit, in silence; None where it is none.

    Args:
        smiles: The text.
        sanitize: False leaves it as it is written: hydrogens stay atoms, and chemistry is not looked at.
    """
    parameters = Chem.SmilesParserParams()
    parameters.sanitize = parameters.removeHs = sanitize
    parameters.allowCXSMILES = parameters.parseName = False
    with rdBase.BlockLogs():
        mol: Chem.Mol | None = Chem.MolFromSmiles(smiles, parameters)
    return mol


def _syntax_fault(smiles: str) -> str:
    """Get RDKit's own reason, which it gives only to its log."""
    parameters = Chem.SmilesParserParams()
    parameters.sanitize = False
    with _rdkit_log() as lines:
        Chem.MolFromSmiles(smiles, parameters)
    log = "\n".join(lines)
    reason = re.search(r"SMILES Parse Error: (.+?)(?: for input| while parsing|\n|$)", log)
    place = re.search(r"around position (\d+)", log)
    if reason is None:
        return "it cannot be parsed"
    if place is None:
        return reason[1]
    end = int(place[1])
    return f"{reason[1]} around position {end} ({quote(smiles[max(0, end - 6) : end])})"


@contextmanager
def _rdkit_log() -> Iterator[list[str]]:
    """Collect what RDKit logs in this thread meanwhile, and keep it from the screen.

    RDKit's logs go to Python's logging from here on, as importing meeko makes them do anyway.
    """
    lines: list[str] = []
    thread = threading.get_ident()

    def keep(record: logging.LogRecord) -> bool:
        if record.thread == thread:
            lines.append(record.getMessage())
        return record.thread != thread

    logger = logging.getLogger("rdkit")
    rdBase.LogToPythonLogger()
    logger.addFilter(keep)
    try:
        yield lines
    finally:
        logger.removeFilter(keep)


def _check_fragments(mol: Chem.Mol, smiles: str) -> None:
    parts = Chem.GetMolFrags(mol, asMols=True, sanitizeFrags=False)
    if len(parts) > 1:
        largest = Chem.MolToSmiles(max(parts, key=lambda part: part.GetNumAtoms()))
        raise InvalidValue(
            f"{quote(smiles)} has {len(parts)} parts, only one molecule can be docked. "
            f"Leave out counter-ions and solvents; the largest part is {quote(largest)}"
        )


def _check_elements(mol: Chem.Mol, smiles: str) -> None:
    for atom in mol.GetAtoms():
        name = atom_name(mol, atom.GetIdx())
        if atom.GetAtomicNum() == 0:
            raise InvalidValue(f"{quote(smiles)}: atom {name} is a placeholder (*); write the real atom")
        if atom.GetSymbol() not in ELEMENTS:
            raise InvalidValue(
                f"{quote(smiles)}: the element of atom {name} cannot be docked; use {' '.join(ELEMENTS)}"
            )
        if atom.GetIsotope():
            raise InvalidValue(
                f"{quote(smiles)}: atom {name} has the isotope label {atom.GetIsotope()}, "
                "which makes no difference to docking; write the plain atom"
            )


def _check_bonds(mol: Chem.Mol, smiles: str) -> None:
    for bond in mol.GetBonds():
        if bond.GetBondType() not in _PLAIN_BONDS:
            ends = (atom_name(mol, i) for i in (bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()))
            raise InvalidValue(
                f"{quote(smiles)}: the bond {'-'.join(ends)} is {bond.GetBondType().name.lower()}; "
                "only single, double, triple and aromatic bonds can be docked"
            )


def _check_size(mol: Chem.Mol, smiles: str) -> None:
    heavy = sum(atom.GetAtomicNum() > 1 for atom in mol.GetAtoms())
    if not heavy:
        raise InvalidValue(f"{quote(smiles)} has no atom but hydrogen; write a molecule")
    if heavy > MAX_HEAVY_ATOMS:
        raise InvalidValue(
            f"{quote(smiles)} has {heavy} heavy atoms, more than the {MAX_HEAVY_ATOMS} allowed; make it smaller"
        )


def _check_chemistry(mol: Chem.Mol, smiles: str) -> None:
    with rdBase.BlockLogs():
        problems = Chem.DetectChemistryProblems(mol)
    if not problems:
        return
    reasons = [_explained(mol, problem) for problem in problems[:3]]
    raise InvalidValue(f"{quote(smiles)}: {'; '.join(reasons)}")


def _explained(mol: Chem.Mol, problem: Chem.MolSanitizeException) -> str:
    message = str(problem.Message())
    if problem.GetType() == "AtomValenceException":
        valence = re.search(r", (\d+), is greater", message)
        reason = f"has {valence[1]} bonds (hydrogens in brackets included), too many" if valence else message
        if valence and valence[1] == "4" and mol.GetAtomWithIdx(problem.GetAtomIdx()).GetSymbol() == "N":
            reason += "; an ammonium is written [N+]"
        return f"atom {atom_name(mol, problem.GetAtomIdx())} {reason}"
    if problem.GetType() == "KekulizeException":
        ring = ", ".join(atom_name(mol, i) for i in problem.GetAtomIndices())
        return (
            f"the aromatic atoms {ring} cannot be given single and double bonds; "
            "write [nH] where a ring nitrogen bears a hydrogen, or capital letters with explicit double bonds"
        )
    return message


def _check_charges(mol: Chem.Mol, smiles: str) -> None:
    isocyano = {match[0] for match in mol.GetSubstructMatches(_isocyanide())}
    for atom in mol.GetAtoms():
        charge = atom.GetFormalCharge()
        name = atom_name(mol, atom.GetIdx())
        if abs(charge) > 1:
            raise InvalidValue(f"{quote(smiles)}: atom {name} has charge {charge:+d}, an atom at most +1 or -1")
        if charge and atom.GetSymbol() not in CHARGED_ELEMENTS and atom.GetIdx() not in isocyano:
            raise InvalidValue(
                f"{quote(smiles)}: atom {name} has charge {charge:+d}, which is not stable in water; "
                f"only {', '.join(CHARGED_ELEMENTS)} may be charged"
            )
    net = Chem.GetFormalCharge(mol)
    if abs(net) > MAX_NET_CHARGE:
        raise InvalidValue(f"{quote(smiles)} has net charge {net:+d}; at most {MAX_NET_CHARGE} either way")


@cache
def _isocyanide() -> Chem.Mol:
    return Chem.MolFromSmarts("[C-]#[N+]")


def _check_radicals(mol: Chem.Mol, smiles: str) -> None:
    for atom in mol.GetAtoms():
        if atom.GetNumRadicalElectrons():
            raise InvalidValue(
                f"{quote(smiles)}: atom {atom_name(mol, atom.GetIdx())} is a radical (an open valence); "
                "write it without brackets, or with its hydrogens as in [NH2]"
            )


def _check_rotors(mol: Chem.Mol, smiles: str) -> None:
    rotors = rdMolDescriptors.CalcNumRotatableBonds(mol)
    if rotors > MAX_ROTATABLE_BONDS:
        raise InvalidValue(
            f"{quote(smiles)} has {rotors} rotatable bonds; docking is not reliable above "
            f"{MAX_ROTATABLE_BONDS}. Shorten chains or close rings"
        )


def _fixed_point(mol: Chem.Mol, original: str) -> Molecule:
    """Write and read a molecule until its SMILES stays the same: RDKit's first answer may depend on the spelling.

    Args:
        mol: Read from `original`.
        original: The text as it was written.
    """
    before = original
    for _ in range(6):
        smiles = Chem.MolToSmiles(mol)
        if smiles == before:
            return Molecule(smiles, mol, canonical=True)
        before, read = smiles, parse(smiles)
        if read is None:
            break
        mol = read
    raise InvalidValue(f"{quote(original)} has no stable canonical form in RDKit; write it in another way")
