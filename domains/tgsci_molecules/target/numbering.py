"""Which residue is which: from the numbers of a receptor file to those that the literature uses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ..tables import read_table
from .names import proteins

#: Names that force fields and DUD-E's preparation give to ordinary residues, by protonation or by truncation, and to
#: metal ions, by the number of what they are bound to.
ODD_NAMES: Mapping[str, str] = {
    "ASH": "ASP",
    "CYM": "CYS",
    "CYT": "CYS",
    "CYX": "CYS",
    "DIC": "ASP",
    "DID": "ASP",
    "GLH": "GLU",
    "GLO": "GLN",
    "GLV": "GLU",
    "GLZ": "GLY",
    "HID": "HIS",
    "HIE": "HIS",
    "HIP": "HIS",
    "HIZ": "HIS",
    "HSD": "HIS",
    "HSE": "HIS",
    "HSP": "HIS",
    "LEV": "LEU",
    "LYN": "LYS",
    "MEU": "MET",
    "MG1": "MG",
    "MG4": "MG",
    "MSE": "MET",
    "ZN1": "ZN",
    "ZN3": "ZN",
    "ZN5": "ZN",
}
_NAMES = "ALA ARG ASN ASP CYS GLN GLU GLY HIS ILE LEU LYS MET PHE PRO SER THR TRP TYR VAL SEP TPO PTR TYS"
#: What is numbered along the chain: the standard residues, and the phosphorylated or sulfated ones.
AMINO_ACIDS = frozenset(_NAMES.split())
#: Mark of a residue of another copy of the protein, as DUD-E's receptors have near their site.
COPY = "'"
#: Mark of a number that is the receptor file's own and nothing else.
OWN = "#"
_UNIPROT = "UniProt's"
#: Receptors whose residues are known by other numbers than UniProt's: by which, and how they relate.
_LITERATURE = {
    "ACHE": "of the mature protein of Torpedo californica, as in the literature (Ser200, His440, Trp84)",
    "AR": "of the older, 919-residue sequence, as in the literature (Asn705, Thr877); UniProt's P10275 counts one more",
    "BACE1": "of the mature protein, as in the literature (Asp32, Asp228); UniProt's P56817 counts 61 more",
    "CA2": "of crystal structures (His94, Thr199), which leave out 126; UniProt's P00918 counts one less after it",
    "DHFR": "of the mature protein, as in the literature (Glu30, Phe34); UniProt's P00374 counts one more",
    "F10": "of chymotrypsin (His57, Asp102, Ser195), as usual for serine proteases",
    "F2": "of chymotrypsin (His57, Asp102, Ser195), as usual for serine proteases",
    "GBA": "of the mature protein, as in the literature (Glu235, Glu340, Asn370); UniProt's P04062 counts 39 more",
    "PPARG": "of isoform 1, as in the literature (Ser289, Tyr473); UniProt's P37231 is isoform 2 and counts 28 more",
    "PTGS2": "of ovine cyclooxygenase-1, as in the literature (Arg120, Tyr385, Ser530); UniProt's Q05769 has 14 less",
    "REN": "of the mature protein (Asp38, Asp226); UniProt's P00797 counts 66 more",
}


@dataclass(frozen=True)
class Stretch:
    """A run of residues whose numbers differ from the usual ones by one offset.

    Args:
        first: Number of its first residue in the file.
        last: Number of its last residue in the file.
        offset: The number to add to get the usual number.
        copy: Whether it belongs to another copy of the protein.
        text: The usual number where it has a letter (60A); else empty.
    """

    first: int
    last: int
    offset: int
    copy: bool = False
    text: str = ""


@dataclass(frozen=True)
class Numbering:
    """How the residues of one receptor are numbered.

    Args:
        note: One sentence for people.
        scheme: The same in a word or two.
        stretches: How the file's numbers relate to the usual ones; where there are none, the file's are kept.
    """

    note: str
    scheme: str
    stretches: tuple[Stretch, ...] = ()

    def number(self, text: str) -> str:
        """Translate a residue's number in the file to the usual one, with a mark where something is special."""
        if not self.stretches:
            return text
        stretch = next((s for s in self.stretches if s.first <= int(text) <= s.last), None)
        if stretch is None:
            return f"{text}{OWN}"
        return (stretch.text or str(int(text) + stretch.offset)) + (COPY if stretch.copy else "")


def standard(resname: str) -> str:
    """Get the usual three letters of a residue: HIE is HIS, MEU is MET; other names stay as they are."""
    name = resname.strip().upper()
    return ODD_NAMES.get(name, name)


@cache
def builtin_numbering(name: str) -> Numbering:
    """Read how a built-in receptor is numbered; `numbering.tsv` beside this file, which its tests hold to landmarks."""
    stretches = tuple(stretch for symbol, stretch in _table() if symbol == name)
    if not stretches:
        return Numbering("as in the receptor file; whether these are UniProt's numbers is not known", "the file's")
    accession = proteins()[name].uniprot
    note = f"those {_LITERATURE[name]}" if name in _LITERATURE else f"{_UNIPROT} ({accession})"
    if any(stretch.copy for stretch in stretches):
        note += f"; {COPY} marks residues of another chain near the site"
    scheme = "chymotrypsin's" if name in ("F2", "F10") else "the literature's" if name in _LITERATURE else _UNIPROT
    return Numbering(f"{note}; {OWN} marks the receptor file's own numbers, where no other is known", scheme, stretches)


@cache
def _table() -> list[tuple[str, Stretch]]:
    return read_table(Path(__file__).with_name("numbering.tsv"), _stretch)


def _stretch(row: Mapping[str, str]) -> tuple[str, Stretch]:
    """Read a target's symbol, and a run of its residues."""
    first, last, offset = int(row["first"]), int(row["last"]), int(row["offset"])
    return row["symbol"], Stretch(first, last, offset, row["copy"] == "yes", row["label"])
