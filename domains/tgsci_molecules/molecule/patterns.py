"""Substructures as chemists write them: SMARTS checked before use, and structural alerts by catalogue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

from rdkit import Chem, rdBase

from tgsci.basics.texts import did_you_mean, folded, literal, quote
from tgsci.errors import UsageError

from .catalogs import CATALOGS
from .properties import catalog
from .smiles import MAX_HEAVY_ATOMS, MAX_LENGTH

#: How many matches are counted at most.
MAX_MATCHES = 200


@dataclass(frozen=True)
class Pattern:
    """A SMARTS pattern.

    Args:
        smarts: The pattern. A hydrogen that is written as an atom counts as a hydrogen that its neighbour must have.
        name: The name in reports; the SMARTS itself where empty.

    Raises:
        UsageError: The text is no SMARTS.
    """

    smarts: str
    name: str = ""

    def __post_init__(self) -> None:
        if not isinstance(self.smarts, str):
            raise UsageError(f"a pattern is a SMARTS string, not {literal(self.smarts)}")
        check_name(f"the group {quote(self.smarts)}", self.name)
        _compiled(self.smarts)

    def matches(self, mol: Chem.Mol) -> list[tuple[int, ...]]:
        """Find the atoms of each match, no two matches of the same atoms."""
        atoms_of_matches = mol.GetSubstructMatches(
            _compiled(self.smarts), uniquify=True, useChirality=True, maxMatches=MAX_MATCHES
        )
        return [tuple(match) for match in atoms_of_matches]

    def marked(self, mol: Chem.Mol) -> set[int]:
        """Find the atoms that are meant: those of its atoms with a map number, [n:1], or all where none has one."""
        wanted = [a.GetIdx() for a in _compiled(self.smarts).GetAtoms() if a.GetAtomMapNum()]
        return {match[i] for match in self.matches(mol) for i in (wanted or range(len(match)))}

    def count(self, mol: Chem.Mol) -> int:
        """Count how often it occurs."""
        return len(self.matches(mol))

    def __str__(self) -> str:
        return self.name or self.smarts


#: Longest name of a group or a term.
MAX_NAME = 60


def check_name(what: str, name: object) -> None:
    """Refuse a name that could not stand in a table or a report.

    Args:
        what: What bears the name, for the message: "a term".
        name: The name.

    Raises:
        UsageError: The name is no text, too long, or has characters that cannot be printed.
    """
    if not isinstance(name, str) or len(name) > MAX_NAME or not name.isprintable() or name != name.strip():
        raise UsageError(
            f"the name of {what} must be one line of at most {MAX_NAME} printable characters, not {literal(name)}"
        )


@lru_cache(maxsize=1024)
def _compiled(smarts: str) -> Chem.Mol:
    text = smarts.strip()
    if not text or len(text) > MAX_LENGTH or not text.isascii() or not text.isprintable():
        raise UsageError(f"{quote(smarts)} is no SMARTS: write up to {MAX_LENGTH} plain characters, such as c1ccncc1")
    with rdBase.BlockLogs():
        mol = Chem.MolFromSmarts(text)
    if mol is None:
        raise UsageError(f"{quote(smarts)} is not a SMARTS that RDKit can read; try it without its last part")
    if not 0 < mol.GetNumAtoms() <= 2 * MAX_HEAVY_ATOMS:
        raise UsageError(f"{quote(smarts)} has {mol.GetNumAtoms()} atoms; a pattern has 1 to {2 * MAX_HEAVY_ATOMS}")
    with rdBase.BlockLogs():
        # A hydrogen atom in a pattern matches none in a molecule whose hydrogens are implicit.
        mol = Chem.MergeQueryHs(mol)
        mol.UpdatePropertyCache(strict=False)
        Chem.FastFindRings(mol)
        as_smiles = Chem.MolFromSmiles(text)
    if as_smiles is not None and not as_smiles.HasSubstructMatch(mol):
        # C1=CC=CC=C1, N(=O)=O: it would match nothing, ever, and nobody would be told.
        raise UsageError(
            f"{quote(smarts)} is read as a SMARTS, which does not match the molecule that it is as a SMILES; "
            f"write {quote(Chem.MolToSmiles(as_smiles))}"
        )
    return mol


@cache
def query(smarts: str) -> Chem.Mol:
    """Compile a SMARTS that this package itself uses; what a person writes is a `Pattern`."""
    return Chem.MolFromSmarts(smarts)


def alert_count(mol: Chem.Mol, catalogs: Sequence[str]) -> int:
    """Count the different alerts of these catalogues that a molecule raises; remembered, as each takes 10 ms."""
    key = (Chem.MolToSmiles(mol), tuple(catalogs))
    if key not in _alert_counts:
        while len(_alert_counts) >= _MOST_COUNTS:
            _alert_counts.pop(next(iter(_alert_counts)))
        matches = (catalog(name).GetMatches(mol) for name in catalogs)
        _alert_counts[key] = sum(len({entry.GetDescription() for entry in each}) for each in matches)
    return _alert_counts[key]


_alert_counts: dict[tuple[str, tuple[str, ...]], int] = {}
_MOST_COUNTS = 50_000


def catalog_of(text: object) -> str:
    """Find the catalogue that a person's word for it means.

    Raises:
        UsageError: There is no such catalogue; names the nearest.
    """
    known = {folded(name): name for name in CATALOGS}
    if isinstance(text, str) and folded(text) in known:
        return known[folded(text)]
    raise UsageError(f"no catalogue of alerts {literal(text)}; {did_you_mean(text, CATALOGS)}")
