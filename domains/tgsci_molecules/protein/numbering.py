"""Which residue is which: from the numbers of a receptor file to those that the literature uses."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

#: Names that force fields and DUD-E's preparation give to ordinary residues, by protonation or by truncation.
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
    "MSE": "MET",
}
AS_IN_THE_FILE = "as in the receptor file; whether these are UniProt's numbers is not known"


@dataclass(frozen=True)
class Stretch:
    """A run of residues whose numbers differ from UniProt's by one offset.

    Args:
        first: Number of its first residue in the file.
        last: Of its last.
        offset: What to add to get the number in the chosen numbering.
        copy: True for pieces of another copy of the protein, as DUD-E's receptors have near their site.
    """

    first: int
    last: int
    offset: int
    copy: bool = False


@dataclass(frozen=True)
class Numbering:
    """How the residues of one receptor file are numbered.

    Args:
        note: One sentence for people.
        stretches: Where the numbers differ from the file's; elsewhere the file's own are kept.
        scheme: The same in a word or two.
    """

    note: str = AS_IN_THE_FILE
    stretches: tuple[Stretch, ...] = ()
    scheme: str = "the file's"

    def stretch(self, number: int) -> Stretch | None:
        """The stretch that a residue of the file belongs to."""
        return next((s for s in self.stretches if s.first <= number <= s.last), None)


def standard(resname: str) -> str:
    """The usual three letters of a residue, capitals: HIE is HIS, MEU is MET; other names stay as they are."""
    name = resname.strip().upper()
    return ODD_NAMES.get(name, name)


@cache
def builtin_numbering(name: str) -> Numbering:
    """How a built-in receptor is numbered: `numbering.tsv`, beside this file, where something is known."""
    stretches = []
    scheme = ""
    with Path(__file__).with_name("numbering.tsv").open(encoding="utf-8", newline="") as file:
        lines = (line for line in file if not line.startswith("#"))
        for row in csv.DictReader(lines, delimiter="\t"):
            if row["symbol"] == name:
                scheme = row["scheme"]
                offset = int(row["offset"])
                stretches.append(Stretch(int(row["first"]), int(row["last"]), offset, row["copy"] == "yes"))
    if not stretches:
        return Numbering()
    return Numbering(f"{scheme}'s", tuple(stretches))
