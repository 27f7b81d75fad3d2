"""A core that stays intact: a scaffold with attachment points, and whether a molecule grew only there."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from rdkit import Chem, rdBase

from tgsci.basics.texts import literal, quote
from tgsci.errors import UsageError

from ..molecule.patterns import MAX_MATCHES
from ..molecule.smiles import MAX_LENGTH

_WRITE = "core must be the SMILES of a scaffold with attachment points, such as Nc1nccc([*:1])n1"


@dataclass(frozen=True)
class Fit:
    """How a core lies in a molecule; all atoms are indices of the molecule.

    Args:
        atoms: The core's.
        ends: Those that may bear a substituent.
        strays: Substituents' first atoms where none is allowed.
    """

    atoms: tuple[int, ...]
    ends: tuple[int, ...]
    strays: tuple[int, ...]


@dataclass(frozen=True)
class Core:
    """A scaffold and where it may grow.

    Args:
        text: SMILES (or SMARTS) with attachment points [*:1], [*:2] ...; a hydrogen may stand there too. Without
            any, the core may bear substituents everywhere.

    Raises:
        UsageError: The core cannot be read, or has nothing but attachment points.
    """

    text: str

    def __post_init__(self) -> None:
        if not isinstance(self.text, str):
            raise UsageError(f"{_WRITE}, not {literal(self.text)}")
        _parse(self.text)

    @property
    def size(self) -> int:
        """Its heavy atoms, attachment points apart."""
        return int(_parse(self.text)[0].GetNumAtoms())

    @property
    def ends(self) -> tuple[int, ...]:
        """The core's own atoms that bear an attachment point, once for each point."""
        return _parse(self.text)[1]

    def fit(self, mol: Chem.Mol) -> Fit | None:
        """Find the match with the fewest forbidden substituents; None where the core is not there."""
        query, ends = _parse(self.text)
        best: Fit | None = None
        # Not uniquified: a symmetric core may lie either way round, and only one of them may be allowed.
        for match in mol.GetSubstructMatches(query, uniquify=False, useChirality=True, maxMatches=5 * MAX_MATCHES):
            fit = Fit(tuple(match), tuple(dict.fromkeys(match[i] for i in ends)), self._strays(mol, match, ends))
            if best is None or len(fit.strays) < len(best.strays):
                best = fit
            if not best.strays:
                break
        return best

    @staticmethod
    def _strays(mol: Chem.Mol, match: tuple[int, ...], ends: tuple[int, ...]) -> tuple[int, ...]:
        if not ends:
            return ()
        inside = set(match)
        strays: list[int] = []
        for position, index in enumerate(match):
            outside = [a.GetIdx() for a in mol.GetAtomWithIdx(index).GetNeighbors() if a.GetIdx() not in inside]
            strays += outside[ends.count(position) :]
        return tuple(sorted(set(strays)))


@lru_cache(maxsize=256)
def _parse(text: str) -> tuple[Chem.Mol, tuple[int, ...]]:
    """Split a core into the core without its attachment points, and the atoms that bear them."""
    if not text.strip() or len(text) > MAX_LENGTH or not text.isascii():
        raise UsageError(f"{_WRITE}, not {quote(text)}")
    with rdBase.BlockLogs():
        # SMILES first: it may be written with alternating double bonds, which as SMARTS match no aromatic ring.
        raw = Chem.MolFromSmiles(text.strip()) or Chem.MolFromSmarts(text.strip())
    if raw is None:
        raise UsageError(f"the core {quote(text)} is neither a SMILES nor a SMARTS; write it as Nc1nccc([*:1])n1")
    if len(Chem.GetMolFrags(raw)) > 1:
        raise UsageError(f"the core {quote(text)} has several parts; write one scaffold")
    # Any wildcard in a SMILES is an attachment point; in a SMARTS only a numbered one, the others match atoms.
    points = [a for a in raw.GetAtoms() if a.GetAtomicNum() == 0 and (a.GetAtomMapNum() or a.GetSymbol() == "*")]
    points = [a for a in points if a.GetDegree() == 1]
    if len(points) >= raw.GetNumAtoms() or all(a.GetAtomicNum() == 0 and not a.HasQuery() for a in raw.GetAtoms()):
        raise UsageError(f"the core {quote(text)} has no atom besides its attachment points")
    numbered = [a for a in raw.GetAtoms() if a.GetAtomMapNum()]
    if numbered and (not points or any(a.GetAtomicNum() == 0 and a.GetDegree() != 1 for a in numbered)):
        raise UsageError(
            f"the core {quote(text)} has numbered atoms that are no attachment points: each is an atom [*:1] "
            "at the end of one bond, as in Nc1nccc([*:1])n1; leave out the numbers for a core that grows anywhere"
        )
    bearers = [a.GetNeighbors()[0].GetIdx() for a in points]
    gone = {a.GetIdx() for a in points}
    kept = [a.GetIdx() for a in raw.GetAtoms() if a.GetIdx() not in gone]
    position = {index: i for i, index in enumerate(kept)}
    if any(b in gone for b in bearers):
        raise UsageError(f"the core {quote(text)}: an attachment point must be bonded to an atom of the core")
    core = Chem.RWMol(raw)
    for index in sorted(gone, reverse=True):
        core.RemoveAtom(index)
    for atom in core.GetAtoms():
        atom.SetAtomMapNum(0)
    query = core.GetMol()
    with rdBase.BlockLogs():
        query.UpdatePropertyCache(strict=False)
        Chem.FastFindRings(query)
    return query, tuple(position[b] for b in bearers)
