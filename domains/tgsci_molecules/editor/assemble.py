"""Molecules from building blocks: a core, and on each of its two ends a linker with a cap.

Where a run starts from a fragment, edits of it lead into one series after the other, each a neighbour of the last.
These molecules come from everywhere: what a parallel chemist makes from stock with amide couplings, Suzuki and
Buchwald couplings, alkylations, sulfonylations and reductive aminations.
"""

from __future__ import annotations

import random
from functools import cache

from rdkit import Chem

from .candidates import join, pieces
from .transformations import finish

# What an end is attached to or through: an aromatic carbon, a saturated carbon, a ring amine's nitrogen, an
# aromatic ring's own N-H nitrogen.
_AROMATIC, _SATURATED, _AMINE, _AZOLE = "aromatic", "saturated", "amine", "azole"

#: Name, SMILES with both ends, and what they are.
_CORES = (
    ("1,4-phenylene", "c1({})ccc({})cc1", _AROMATIC, _AROMATIC),
    ("1,3-phenylene", "c1({})cccc({})c1", _AROMATIC, _AROMATIC),
    ("2-fluoro-1,4-phenylene", "c1({})cc(F)c({})cc1", _AROMATIC, _AROMATIC),
    ("2-methyl-1,3-phenylene", "c1({})cccc({})c1C", _AROMATIC, _AROMATIC),
    ("pyridine-2,5-diyl", "c1({})ccc({})nc1", _AROMATIC, _AROMATIC),
    ("pyridine-3,5-diyl", "c1({})cncc({})c1", _AROMATIC, _AROMATIC),
    ("pyrimidine-2,5-diyl", "c1({})cnc({})nc1", _AROMATIC, _AROMATIC),
    ("thiazole-2,4-diyl", "c1({})csc({})n1", _AROMATIC, _AROMATIC),
    ("thiophene-2,5-diyl", "c1({})ccc({})s1", _AROMATIC, _AROMATIC),
    ("oxazole-2,5-diyl", "c1({})cnc({})o1", _AROMATIC, _AROMATIC),
    ("1,2,4-oxadiazole-3,5-diyl", "c1({})noc({})n1", _AROMATIC, _AROMATIC),
    ("isoxazole-3,5-diyl", "c1({})cc({})on1", _AROMATIC, _AROMATIC),
    ("pyrazole-1,4-diyl", "n1({})cc({})cn1", _AZOLE, _AROMATIC),
    ("pyrazole-1,3-diyl", "n1({})ccc({})n1", _AZOLE, _AROMATIC),
    ("indole-1,5-diyl", "n1({})ccc2cc({})ccc12", _AZOLE, _AROMATIC),
    ("indazole-1,5-diyl", "n1({})ncc2cc({})ccc12", _AZOLE, _AROMATIC),
    ("benzimidazole-1,5-diyl", "n1({})cnc2cc({})ccc12", _AZOLE, _AROMATIC),
    ("benzimidazole-2,5-diyl", "c1({})nc2cc({})ccc2[nH]1", _AROMATIC, _AROMATIC),
    ("benzothiazole-2,6-diyl", "c1({})nc2ccc({})cc2s1", _AROMATIC, _AROMATIC),
    ("quinoline-2,6-diyl", "c1({})ccc2cc({})ccc2n1", _AROMATIC, _AROMATIC),
    ("naphthalene-2,6-diyl", "c1({})ccc2cc({})ccc2c1", _AROMATIC, _AROMATIC),
    ("indoline-1,5-diyl", "N1({})CCc2cc({})ccc12", _AMINE, _AROMATIC),
    ("isoindoline-2,5-diyl", "N1({})Cc2ccc({})cc2C1", _AMINE, _AROMATIC),
    ("tetrahydroisoquinoline-2,6-diyl", "N1({})CCc2cc({})ccc2C1", _AMINE, _AROMATIC),
    ("tetrahydroisoquinoline-2,7-diyl", "N1({})CCc2ccc({})cc2C1", _AMINE, _AROMATIC),
    ("tetrahydroquinoline-1,6-diyl", "N1({})CCCc2cc({})ccc12", _AMINE, _AROMATIC),
    ("piperidine-1,4-diyl", "N1({})CCC({})CC1", _AMINE, _SATURATED),
    ("piperazine-1,4-diyl", "N1({})CCN({})CC1", _AMINE, _AMINE),
    ("azetidine-1,3-diyl", "N1({})CC({})C1", _AMINE, _SATURATED),
    ("cyclohexane-1,4-diyl", "C1({})CCC({})CC1", _SATURATED, _SATURATED),
)

#: Name, SMILES from the core outward, what it may sit on, and what it may carry.
_ANY_CARBON = (_AROMATIC, _SATURATED)
_LINKERS: tuple[tuple[str, str, tuple[str, ...], tuple[str, ...]], ...] = (
    ("a bond", "", (_AROMATIC,), (_AROMATIC, _AMINE)),
    ("a bond", "", (_AMINE, _SATURATED), (_AROMATIC,)),
    ("carboxamide", "C(=O)N", (_AROMATIC, _SATURATED, _AMINE), _ANY_CARBON),
    ("N-methylcarboxamide", "C(=O)N(C)", _ANY_CARBON, _ANY_CARBON),
    ("reversed amide", "NC(=O)", _ANY_CARBON, (_AROMATIC, _SATURATED, _AMINE)),
    ("carbonyl", "C(=O)", (_AMINE,), _ANY_CARBON),
    ("carbonyl", "C(=O)", _ANY_CARBON, (_AMINE,)),
    ("sulfonyl", "S(=O)(=O)", (_AMINE,), _ANY_CARBON),
    ("sulfonyl", "S(=O)(=O)", (_AROMATIC,), (_AMINE,)),
    ("sulfonamide", "S(=O)(=O)N", (_AROMATIC,), _ANY_CARBON),
    ("reversed sulfonamide", "NS(=O)(=O)", _ANY_CARBON, _ANY_CARBON),
    ("ether", "O", _ANY_CARBON, (_AROMATIC,)),
    ("oxymethylene", "OC", _ANY_CARBON, _ANY_CARBON),
    ("methyleneoxy", "CO", _ANY_CARBON, (_AROMATIC,)),
    ("amine", "N", (_AROMATIC,), _ANY_CARBON),
    ("aminomethylene", "NC", (_AROMATIC,), _ANY_CARBON),
    ("methylene", "C", (_AROMATIC, _AMINE, _AZOLE), _ANY_CARBON),
    ("methylene", "C", (_AROMATIC,), (_AMINE,)),
    ("ethylene", "CC", (_AROMATIC, _AMINE, _AZOLE), (_AROMATIC, _SATURATED)),
    ("acetamide", "CC(=O)N", (_AROMATIC, _AMINE, _AZOLE), _ANY_CARBON),
    ("benzylic amide", "CNC(=O)", (_AROMATIC,), (_AROMATIC, _SATURATED, _AMINE)),
    ("amide of a methylamine", "C(=O)NC", (_AROMATIC, _SATURATED, _AMINE), _ANY_CARBON),
    ("arylacetamide", "NC(=O)C", _ANY_CARBON, _ANY_CARBON),
    ("urea", "NC(=O)N", _ANY_CARBON, _ANY_CARBON),
)

#: Name, SMILES with the attached atom first, and what it is.
_CAPS = (
    ("phenyl", "c1ccccc1", _AROMATIC),
    ("4-fluorophenyl", "c1ccc(F)cc1", _AROMATIC),
    ("3-fluorophenyl", "c1cccc(F)c1", _AROMATIC),
    ("2-fluorophenyl", "c1ccccc1F", _AROMATIC),
    ("3-chlorophenyl", "c1cccc(Cl)c1", _AROMATIC),
    ("4-chlorophenyl", "c1ccc(Cl)cc1", _AROMATIC),
    ("3,4-difluorophenyl", "c1ccc(F)c(F)c1", _AROMATIC),
    ("3-cyanophenyl", "c1cccc(C#N)c1", _AROMATIC),
    ("4-cyanophenyl", "c1ccc(C#N)cc1", _AROMATIC),
    ("3-methoxyphenyl", "c1cccc(OC)c1", _AROMATIC),
    ("4-methoxyphenyl", "c1ccc(OC)cc1", _AROMATIC),
    ("3-tolyl", "c1cccc(C)c1", _AROMATIC),
    ("4-tolyl", "c1ccc(C)cc1", _AROMATIC),
    ("3-trifluoromethylphenyl", "c1cccc(C(F)(F)F)c1", _AROMATIC),
    ("4-trifluoromethylphenyl", "c1ccc(C(F)(F)F)cc1", _AROMATIC),
    ("3-hydroxyphenyl", "c1cccc(O)c1", _AROMATIC),
    ("4-carbamoylphenyl", "c1ccc(C(N)=O)cc1", _AROMATIC),
    ("2-pyridyl", "c1ccccn1", _AROMATIC),
    ("3-pyridyl", "c1cccnc1", _AROMATIC),
    ("4-pyridyl", "c1ccncc1", _AROMATIC),
    ("5-fluoropyridin-3-yl", "c1cncc(F)c1", _AROMATIC),
    ("6-methylpyridin-3-yl", "c1ccc(C)nc1", _AROMATIC),
    ("pyrimidin-5-yl", "c1cncnc1", _AROMATIC),
    ("thiophen-2-yl", "c1cccs1", _AROMATIC),
    ("thiazol-2-yl", "c1nccs1", _AROMATIC),
    ("isoxazol-3-yl", "c1ccon1", _AROMATIC),
    ("1-methylpyrazol-4-yl", "c1cn(C)nc1", _AROMATIC),
    ("indol-3-yl", "c1c[nH]c2ccccc12", _AROMATIC),
    ("indol-5-yl", "c1ccc2[nH]ccc2c1", _AROMATIC),
    ("indazol-5-yl", "c1ccc2[nH]ncc2c1", _AROMATIC),
    ("benzimidazol-2-yl", "c1nc2ccccc2[nH]1", _AROMATIC),
    ("benzothiazol-2-yl", "c1nc2ccccc2s1", _AROMATIC),
    ("benzofuran-2-yl", "c1cc2ccccc2o1", _AROMATIC),
    ("benzodioxol-5-yl", "c1ccc2OCOc2c1", _AROMATIC),
    ("2-naphthyl", "c1ccc2ccccc2c1", _AROMATIC),
    ("quinolin-6-yl", "c1ccc2ncccc2c1", _AROMATIC),
    ("isoquinolin-5-yl", "c1cccc2cnccc12", _AROMATIC),
    ("indan-5-yl", "c1ccc2CCCc2c1", _AROMATIC),
    ("tetralin-6-yl", "c1ccc2CCCCc2c1", _AROMATIC),
    ("cyclopropyl", "C1CC1", _SATURATED),
    ("cyclopentyl", "C1CCCC1", _SATURATED),
    ("cyclohexyl", "C1CCCCC1", _SATURATED),
    ("tetrahydropyran-4-yl", "C1CCOCC1", _SATURATED),
    ("isopropyl", "C(C)C", _SATURATED),
    ("methyl", "C", _SATURATED),
    ("morpholin-4-yl", "N1CCOCC1", _AMINE),
    ("pyrrolidin-1-yl", "N1CCCC1", _AMINE),
    ("piperidin-1-yl", "N1CCCCC1", _AMINE),
    ("4-methylpiperazin-1-yl", "N1CCN(C)CC1", _AMINE),
    ("indolin-1-yl", "N1CCc2ccccc12", _AMINE),
    ("tetrahydroisoquinolin-2-yl", "N1CCc2ccccc2C1", _AMINE),
)


def assembled(rng: random.Random) -> tuple[str, str] | None:
    """A molecule of random building blocks, canonical SMILES, and what it was made of, in words.

    Args:
        rng: Draws the blocks.

    Returns:
        None where the draw would fall apart or is no molecule for a chemist.
    """
    core_name, core, *ends = rng.choice(_CORES)
    arms = [_arm(end, rng) for end in ends]
    mol = Chem.MolFromSmiles(core.format(*(arm for _, arm in arms)))
    made = finish(mol, "C") if mol is not None else None
    return (made, f"assemble {core_name} with {arms[0][0]} and {arms[1][0]}") if made else None


def grafted(smiles: str, rng: random.Random) -> tuple[str, str] | None:
    """A part of a molecule replaced by a linker with a cap, canonical SMILES, and what was done, in words.

    Args:
        smiles: Canonical SMILES of the molecule.
        rng: Draws the cut and the blocks.

    Returns:
        None where there is nothing to cut, or the draw is no molecule for a chemist.
    """
    parts = pieces(smiles)
    if not parts:
        return None
    part = rng.choice(parts)
    end = _end(part)
    if end is None:
        return None
    name, arm = _arm(end, rng)
    made = join(part, "*" + arm, smiles)
    return (made, f"replace a side by {name}") if made and made != smiles else None


def _end(part: str) -> str | None:
    """What a part is cut at; None where no linker here goes."""
    mol = Chem.MolFromSmiles(part)
    dummy = next(atom for atom in mol.GetAtoms() if atom.GetAtomicNum() == 0)
    (atom,) = dummy.GetNeighbors()
    if atom.GetSymbol() == "C":
        if atom.GetIsAromatic():
            return _AROMATIC
        return _SATURATED if atom.GetHybridization() == Chem.HybridizationType.SP3 else None
    if atom.GetSymbol() == "N" and atom.IsInRing() and not atom.GetFormalCharge():
        return _AZOLE if atom.GetIsAromatic() else _AMINE
    return None


def _arm(end: str, rng: random.Random) -> tuple[str, str]:
    """A linker with a cap for an end: in words, and as SMILES from the end outward."""
    linker_name, linker, carried = rng.choice(_linkers(end))
    cap_name, cap = rng.choice(_caps(carried))
    return (f"{cap_name} on {linker_name}" if linker else cap_name), linker + cap


@cache
def _linkers(end: str) -> list[tuple[str, str, tuple[str, ...]]]:
    return [(name, smiles, carried) for name, smiles, sites, carried in _LINKERS if end in sites]


@cache
def _caps(kinds: tuple[str, ...]) -> list[tuple[str, str]]:
    """Caps of these kinds. Their rings get numbers of their own: a core's is still open where they are written."""
    rings = str.maketrans("12", "89")
    return [(name, smiles.translate(rings)) for name, smiles, kind in _CAPS if kind in kinds]
