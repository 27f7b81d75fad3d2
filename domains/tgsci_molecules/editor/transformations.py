"""Medicinal-chemistry transformations as reaction SMARTS, and the one function that applies them.

A transformation is a single step that a chemist would draw on a whiteboard: "aryl H to F", "amide reversal",
"fuse benzo ring". What comes out is sanitized, of one piece, canonical, and free of motifs that would fall
apart in a flask and that the molecule did not have before.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

from rdkit import Chem, rdBase
from rdkit.Chem import FilterCatalog, rdChemReactions

from ..molecule.patterns import query
from ..molecule.smiles import MAX_HEAVY_ATOMS, Molecule, molecule
from ..tables import read_table

#: The kinds, in the order of the table.
KINDS = ("grow", "shrink", "swap", "ring", "bioisostere")

#: Larger rings are not made: their synthesis is a project of its own.
MAX_NEW_RING = 7


@dataclass(frozen=True, slots=True)
class Transformation:
    """One named edit.

    Args:
        name: A chemist's name of it.
        kind: One of `KINDS`.
        smarts: Reaction SMARTS, one reactant and one product. Unmapped reactant atoms are removed.
        example: A SMILES string on which it fires; the tests hold it to that.
        site: Where it does no more than replace a hydrogen: SMARTS of the atom that carries it, the first one.
        fragment: The SMILES of what it puts there; the first atom is bonded.
    """

    name: str
    kind: str
    smarts: str
    example: str
    site: str = ""
    fragment: str = ""


@dataclass(frozen=True)
class Protection:
    """Atoms that edits leave alone, by index.

    Args:
        fixed: Neither removed nor changed.
        closed: Bear no further substituent either.
    """

    fixed: frozenset[int] = frozenset()
    closed: frozenset[int] = frozenset()


NOTHING = Protection()


#: Sites by name, as `transformations.tsv` has them. A carbon may be attached at "any"; a nitrogen or oxygen only at
#: "carbon", which is none that bears a heteroatom already (aminals and acetals fall apart).
_SITES = {
    "any": "[$([cH]),$([CX4;!H0]),$([NX3;!H0;!$(N-[!#6]);!$(N=*)]):1]",
    "carbon": "[$([cH]),$([CX4;!H0;!$(C-[!#6])]):1]",
    "N-H": "[NX3;!H0;!$(N-[!#6]);!$(N=*):1]",
    "amine": "[NX3;!H0;!$(N-[!#6]);!$(N=*);!$(N-C=[O,S,N]):1]",
}


def transformation(row: Mapping[str, str]) -> Transformation:
    """Make the transformation of a row of `transformations.tsv`.

    Raises:
        ValueError: Its kind is unknown, or RDKit cannot read its site, fragment or reaction.
    """
    kind, fragment, reaction = row["kind"], row["fragment"], row["reaction"]
    site = _SITES.get(row["site"], row["site"])
    if kind not in KINDS:
        raise ValueError(f"no kind {kind!r}; there are {', '.join(KINDS)}")
    if bool(site) != bool(fragment) or bool(site) == bool(reaction):
        raise ValueError("give a site and a fragment, or a reaction")
    if site and query(site) is None:
        raise ValueError(f"the site {site!r} is no SMARTS")
    if fragment and Chem.MolFromSmiles(f"*-{fragment}") is None:
        raise ValueError(f"the fragment {fragment!r} is no SMILES that can be bonded by its first atom")
    smarts = reaction or f"{site}>>[*:1]-{fragment}"
    if _reaction(smarts).GetNumReactantTemplates() != 1:
        raise ValueError(f"the reaction {smarts!r} has not one reactant")
    return Transformation(row["name"], kind, smarts, row["example"], site, fragment)


def motif(row: Mapping[str, str]) -> Chem.Mol:
    """Read the motif of a row of `unstable.tsv`.

    Raises:
        ValueError: RDKit cannot read its SMARTS.
    """
    smarts = Chem.MolFromSmarts(row["smarts"])
    if smarts is None:
        raise ValueError(f"{row['smarts']!r} is no SMARTS")
    return smarts


@cache
def _reaction(smarts: str) -> rdChemReactions.ChemicalReaction:
    reaction = rdChemReactions.ReactionFromSmarts(smarts)
    reaction.Initialize()
    return reaction


@cache
def _fragment(smiles: str) -> Chem.Mol:
    # A pyrazol-1-yl is no molecule by itself: it is read with the bond that it is to get.
    fragment = Chem.RWMol(Chem.MolFromSmiles(f"*-{smiles}"))
    fragment.RemoveAtom(0)
    return fragment.GetMol()


_HERE = Path(__file__).parent
#: Every transformation, grouped by kind; `transformations.tsv` beside this file.
TRANSFORMATIONS: tuple[Transformation, ...] = tuple(read_table(_HERE / "transformations.tsv", transformation))
#: The same by name.
BY_NAME = {each.name: each for each in TRANSFORMATIONS}
#: What a product must not have unless its reactant had it; `unstable.tsv` beside this file.
_UNSTABLE = tuple(read_table(_HERE / "unstable.tsv", motif))


def _bad_rings(mol: Chem.Mol) -> int:
    """Count the faults of rings: too large, or an atom that three of them share."""
    rings = mol.GetRingInfo().AtomRings()
    shared = Counter(atom for ring in rings for atom in ring)
    return sum(len(ring) > MAX_NEW_RING for ring in rings) + sum(count > 2 for count in shared.values())


@cache
def _catalog() -> FilterCatalog.FilterCatalog:
    """Put all unstable motifs behind one call, for the common case of a reactant that has none."""
    catalog = FilterCatalog.FilterCatalog()
    for motif in _UNSTABLE:
        catalog.AddEntry(FilterCatalog.FilterCatalogEntry("unstable", FilterCatalog.SmartsMatcher(motif)))
    return catalog


@lru_cache(maxsize=4096)
def _flaws(smiles: str) -> tuple[frozenset[int], int, int]:
    """Count unstable motifs, bad rings and net charge of a reactant: its products may keep them, not add to them."""
    mol = molecule(smiles)
    motifs = frozenset(i for i, motif in enumerate(_UNSTABLE) if mol.HasSubstructMatch(motif))
    return motifs, _bad_rings(mol), Chem.GetFormalCharge(mol)


def legal(mol: Chem.Mol, parent: str) -> bool:
    """Tell whether a product may be proposed: in one piece, not too large, without flaws that its parent had not.

    Args:
        mol: A sanitized product.
        parent: Canonical SMILES of what it was made from.
    """
    if not 1 < mol.GetNumHeavyAtoms() <= MAX_HEAVY_ATOMS or len(Chem.GetMolFrags(mol)) > 1:
        return False
    motifs, rings, charge = _flaws(parent)
    if _bad_rings(mol) > rings or abs(Chem.GetFormalCharge(mol)) > abs(charge):
        return False
    if not motifs:
        return not _catalog().HasMatch(mol)
    return not any(i not in motifs and mol.HasSubstructMatch(motif) for i, motif in enumerate(_UNSTABLE))


def finish(raw: Chem.Mol, parent: str) -> Molecule | None:
    """Sanitise a raw product: its canonical SMILES with the molecule, or None where it is not legal.

    Args:
        raw: A product as a reaction makes it, not sanitised.
        parent: Canonical SMILES of what it was made from.
    """
    with rdBase.BlockLogs():  # a product that breaks valence rules is expected here, and no news to the user
        try:
            Chem.SanitizeMol(raw)
            return _finish_again(Chem.MolToSmiles(raw), parent)
        except (ValueError, RuntimeError):
            return None


@lru_cache(maxsize=50_000)
def _finish_again(smiles: str, parent: str) -> Molecule | None:
    """Do as `finish` for a SMILES that may not be canonical; the same edits come every round, so results are kept."""
    mol = Chem.MolFromSmiles(smiles)
    if mol is None or not legal(mol, parent):
        return None
    settled: str = Chem.MolToSmiles(mol)
    # A radical is always in brackets, so the atoms need no look in the common case.
    if settled == parent or ("[" in settled and any(atom.GetNumRadicalElectrons() for atom in mol.GetAtoms())):
        return None
    return Molecule(settled, mol if settled == smiles else None)  # another text has its atoms in another order


def apply(
    transformation: Transformation, smiles: str, *, sites: int | None = None, rng: random.Random | None = None
) -> list[Molecule]:
    """Apply a transformation at every site of a molecule where it fits.

    Args:
        transformation: The edit.
        smiles: The molecule.
        sites: How many products to give at most, drawn with `rng`; None for all.
        rng: Needed with `sites`.

    Returns:
        Canonical SMILES of the legal products, each once and none equal to the reactant; empty where it
        does not fit.

    Raises:
        ValueError: `smiles` is not a molecule, or `sites` without `rng`.
    """
    mol = Chem.MolFromSmiles(smiles)
    if mol is None:
        raise ValueError(f"not a molecule: {smiles!r}")
    return apply_to(transformation, mol, Chem.MolToSmiles(mol), sites=sites, rng=rng)


def apply_to(
    transformation: Transformation,
    mol: Chem.Mol,
    smiles: str,
    *,
    sites: int | None = None,
    rng: random.Random | None = None,
    protected: Protection = NOTHING,
) -> list[Molecule]:
    """Do as `apply`, for a molecule that is parsed already, with parts that stay; `smiles` is its canonical form."""
    if sites is not None and rng is None:
        raise ValueError("a limit on sites needs an rng to draw them")
    products: dict[Molecule, None] = {}
    for product in _products(transformation, mol, rng, protected):
        made = finish(product, smiles)
        if made is not None:
            products.setdefault(made)
        if sites is not None and len(products) >= sites:
            break
    return list(products)


def _products(
    transformation: Transformation, mol: Chem.Mol, rng: random.Random | None, protected: Protection
) -> Iterator[Chem.Mol]:
    """Make the raw products, not sanitised, in an order that `rng` draws."""
    if transformation.site:
        matches = mol.GetSubstructMatches(query(transformation.site))
        atoms = [match[0] for match in matches if match[0] not in protected.closed]
        if rng is not None:
            rng.shuffle(atoms)
        for atom in atoms:
            yield attached(mol, atom, transformation.fragment)
        return
    raw = [products[0] for products in _reaction(transformation.smarts).RunReactants((mol,), maxProducts=200)]
    if protected.fixed:
        raw = [product for product in raw if _keeps(product, mol, protected)]
    if rng is not None:
        rng.shuffle(raw)
    yield from raw


def _keeps(product: Chem.Mol, mol: Chem.Mol, protected: Protection) -> bool:
    """Tell whether a raw product of a reaction has the protected atoms and their bonds as they were."""
    here = {a.GetIntProp("react_atom_idx"): a for a in product.GetAtoms() if a.HasProp("react_atom_idx")}
    for index in protected.fixed:
        before, after = mol.GetAtomWithIdx(index), here.get(index)
        if after is None or after.GetAtomicNum() != before.GetAtomicNum():
            return False
        if index in protected.closed and after.GetDegree() != before.GetDegree():
            return False
        for bond in before.GetBonds():
            other = bond.GetOtherAtomIdx(index)
            if other not in protected.fixed:
                continue
            kept = here.get(other)
            bound = kept is not None and product.GetBondBetweenAtoms(after.GetIdx(), kept.GetIdx())
            if not bound or bound.GetBondType() != bond.GetBondType():
                return False
    return True


def attached(mol: Chem.Mol, atom: int, fragment: str) -> Chem.Mol:
    """Replace a hydrogen of an atom by a fragment; the product is not sanitised.

    Args:
        mol: The molecule.
        atom: Index of the atom that gives up a hydrogen.
        fragment: SMILES; its first atom is bonded.
    """
    product = Chem.RWMol(Chem.CombineMols(mol, _fragment(fragment)))
    product.AddBond(atom, mol.GetNumAtoms(), Chem.BondType.SINGLE)
    site = product.GetAtomWithIdx(atom)
    if site.GetNumExplicitHs():
        site.SetNumExplicitHs(site.GetNumExplicitHs() - 1)
    site.SetChiralTag(Chem.ChiralType.CHI_UNSPECIFIED)  # which of the hydrogens went is open
    return product


def origins(transformation: Transformation, smiles: str, product: str) -> tuple[int | None, ...]:
    """Trace each atom of a product back to the reactant.

    Args:
        transformation: The edit.
        smiles: The reactant, canonical.
        product: One of `apply(transformation, smiles)`.

    Returns:
        For each atom of the product's SMILES the index of the reactant's atom, None for a new one; empty where
        the transformation does not lead there.
    """
    mol = molecule(smiles)
    for raw in _products(transformation, mol, None, NOTHING):
        if transformation.site:
            came = [i if i < mol.GetNumAtoms() else None for i in range(raw.GetNumAtoms())]
        else:
            came = [a.GetIntProp("react_atom_idx") if a.HasProp("react_atom_idx") else None for a in raw.GetAtoms()]
        if finish(raw, smiles) != product:
            continue
        once = Chem.MolFromSmiles(Chem.MolToSmiles(raw))
        came = [came[i] for i in raw.GetPropsAsDict(True, True)["_smilesAtomOutputOrder"]]
        Chem.MolToSmiles(once)
        return tuple(came[i] for i in once.GetPropsAsDict(True, True)["_smilesAtomOutputOrder"])
    return ()


def changed(before: str, after: str, came: Sequence[int | None]) -> tuple[int, ...]:
    """Find the atoms of a molecule that an edit removes or binds anew, by index.

    Args:
        before: SMILES.
        after: SMILES of what became of it.
        came: For each atom of `after` its index in `before`, None for a new one.
    """
    reactant, product = molecule(before), molecule(after)
    here = {atom.GetIdx(): _surroundings(atom, range(reactant.GetNumAtoms())) for atom in reactant.GetAtoms()}
    there = {
        index: _surroundings(atom, came) for atom in product.GetAtoms() if (index := came[atom.GetIdx()]) is not None
    }
    return tuple(index for index, surroundings in here.items() if there.get(index) != surroundings)


def _surroundings(atom: Chem.Atom, names: Sequence[int | None]) -> tuple[object, ...]:
    bonds = [(names[b.GetOtherAtomIdx(atom.GetIdx())], str(b.GetBondType())) for b in atom.GetBonds()]
    return (atom.GetAtomicNum(), atom.GetFormalCharge(), atom.GetTotalNumHs(), sorted(map(str, bonds)))
