"""Counter-ions and solvents by name: what comes with a drug in a bottle and does not bind the protein."""

from __future__ import annotations

from functools import cache

from rdkit import Chem, rdBase
from rdkit.Chem.MolStandardize import rdMolStandardize

#: What a drug may have crystallised with.
SOLVENTS = {
    "water": "O",
    "methanol": "CO",
    "ethanol": "CCO",
    "isopropanol": "CC(C)O",
    "butanol": "CCCCO",
    "acetone": "CC(C)=O",
    "acetonitrile": "CC#N",
    "dimethyl sulfoxide": "CS(C)=O",
    "dimethylformamide": "CN(C)C=O",
    "tetrahydrofuran": "C1CCOC1",
    "dioxane": "C1COCCO1",
    "diethyl ether": "CCOCC",
    "ethyl acetate": "CCOC(C)=O",
    "dichloromethane": "ClCCl",
    "chloroform": "ClC(Cl)Cl",
    "hexane": "CCCCCC",
    "benzene": "c1ccccc1",
    "toluene": "Cc1ccccc1",
    "pyridine": "c1ccncc1",
    "propylene glycol": "CC(O)CO",
}

#: Neutral parents, solvents included. Where a name has stereochemistry, any stereoisomer is called the same.
COUNTERPARTS = {
    # acids
    "hydrogen chloride": "Cl",
    "hydrogen bromide": "Br",
    "hydrogen iodide": "I",
    "hydrogen fluoride": "F",
    "sulfuric acid": "OS(=O)(=O)O",
    "phosphoric acid": "OP(=O)(O)O",
    "nitric acid": "O[N+](=O)[O-]",
    "perchloric acid": "OCl(=O)(=O)=O",
    "carbonic acid": "OC(=O)O",
    "thiocyanic acid": "SC#N",
    "tetrafluoroboric acid": "F[B-](F)(F)F",
    "hexafluorophosphoric acid": "F[P-](F)(F)(F)(F)F",
    "formic acid": "OC=O",
    "acetic acid": "CC(=O)O",
    "trifluoroacetic acid": "OC(=O)C(F)(F)F",
    "propionic acid": "CCC(=O)O",
    "lactic acid": "CC(O)C(=O)O",
    "glycolic acid": "OCC(=O)O",
    "oxalic acid": "OC(=O)C(=O)O",
    "malonic acid": "OC(=O)CC(=O)O",
    "succinic acid": "OC(=O)CCC(=O)O",
    "glutaric acid": "OC(=O)CCCC(=O)O",
    "adipic acid": "OC(=O)CCCCC(=O)O",
    "maleic acid": "OC(=O)/C=C\\C(=O)O",
    "fumaric acid": "OC(=O)/C=C/C(=O)O",
    "malic acid": "OC(=O)CC(O)C(=O)O",
    "tartaric acid": "OC(=O)C(O)C(O)C(=O)O",
    "citric acid": "OC(=O)CC(O)(CC(=O)O)C(=O)O",
    "ascorbic acid": "OCC(O)C1OC(=O)C(O)=C1O",
    "gluconic acid": "OCC(O)C(O)C(O)C(O)C(=O)O",
    "lactobionic acid": "OCC1OC(OC(C(O)CO)C(O)C(O)C(=O)O)C(O)C(O)C1O",
    "benzoic acid": "OC(=O)c1ccccc1",
    "salicylic acid": "OC(=O)c1ccccc1O",
    "mandelic acid": "OC(=O)C(O)c1ccccc1",
    "hippuric acid": "OC(=O)CNC(=O)c1ccccc1",
    "xinafoic acid": "OC(=O)c1ccc2ccccc2c1O",
    "pamoic acid": "OC(=O)c1cc2ccccc2c(Cc2c(O)c(C(=O)O)cc3ccccc23)c1O",
    "palmitic acid": "CCCCCCCCCCCCCCCC(=O)O",
    "stearic acid": "CCCCCCCCCCCCCCCCCC(=O)O",
    "methanesulfonic acid": "CS(=O)(=O)O",
    "ethanesulfonic acid": "CCS(=O)(=O)O",
    "trifluoromethanesulfonic acid": "OS(=O)(=O)C(F)(F)F",
    "isethionic acid": "OCCS(=O)(=O)O",
    "1,2-ethanedisulfonic acid": "OS(=O)(=O)CCS(=O)(=O)O",
    "benzenesulfonic acid": "OS(=O)(=O)c1ccccc1",
    "p-toluenesulfonic acid": "Cc1ccc(S(=O)(=O)O)cc1",
    "2-naphthalenesulfonic acid": "OS(=O)(=O)c1ccc2ccccc2c1",
    "1,5-naphthalenedisulfonic acid": "OS(=O)(=O)c1cccc2c(S(=O)(=O)O)cccc12",
    "camphorsulfonic acid": "CC1(C)C2CCC1(CS(=O)(=O)O)C(=O)C2",
    "dodecyl sulfuric acid": "CCCCCCCCCCCCOS(=O)(=O)O",
    # bases
    "ammonia": "N",
    "tert-butylamine": "CC(C)(C)N",
    "diethylamine": "CCNCC",
    "triethylamine": "CCN(CC)CC",
    "dicyclohexylamine": "C1CCC(CC1)NC1CCCCC1",
    "ethylenediamine": "NCCN",
    "ethanolamine": "NCCO",
    "diethanolamine": "OCCNCCO",
    "tromethamine": "NC(CO)(CO)CO",
    "meglumine": "CNCC(O)C(O)C(O)C(O)CO",
    "choline": "C[N+](C)(C)CCO",
    "benzathine": "C(CNCc1ccccc1)NCc1ccccc1",
    "lysine": "NCCCCC(N)C(=O)O",
    "arginine": "NC(CCCNC(=N)N)C(=O)O",
    **SOLVENTS,
}


def counterpart(mol: Chem.Mol) -> str | None:
    """The name of a counter-ion or solvent; None for anything else, which is then what somebody wants to dock.

    Args:
        mol: One part of what was written, sanitised.
    """
    first = mol.GetAtomWithIdx(0)
    if mol.GetNumAtoms() == 1 and _is_metal(first):
        return f"{Chem.GetPeriodicTable().GetElementName(first.GetAtomicNum()).lower()} ion"
    if mol.GetNumAtoms() == 1 and first.GetFormalCharge() == -1 and first.GetSymbol() in _HALIDES:
        return _HALIDES[first.GetSymbol()]
    neutral = neutralised(mol)
    return _names().get(Chem.MolToSmiles(neutral)) or _names().get(Chem.MolToSmiles(neutral, isomericSmiles=False))


def neutralised(mol: Chem.Mol) -> Chem.Mol:
    """With protons added or removed until no charge is left that protons can take away."""
    with rdBase.BlockLogs():
        return rdMolStandardize.Uncharger(canonicalOrder=True).uncharge(mol)


def without_metal_bonds(mol: Chem.Mol) -> Chem.Mol:
    """Sodium and its like written with a bond, as in `[Na]OC(C)=O`, made the ions that they are."""
    editable = Chem.RWMol(mol)
    for bond in list(mol.GetBonds()):
        metal, other = bond.GetBeginAtom(), bond.GetEndAtom()
        if other.GetSymbol() in _COUNTER_METALS:
            metal, other = other, metal
        if metal.GetSymbol() not in _COUNTER_METALS or other.GetSymbol() not in ("N", "O", "S", "F", "Cl", "Br", "I"):
            continue
        editable.RemoveBond(metal.GetIdx(), other.GetIdx())
        for atom, charge in ((metal, 1), (other, -1)):
            held = editable.GetAtomWithIdx(atom.GetIdx())
            held.SetFormalCharge(held.GetFormalCharge() + charge)
            held.SetNoImplicit(True)
    return editable.GetMol()


_COUNTER_METALS = ("Li", "Na", "K", "Cs", "Mg", "Ca", "Sr", "Ba", "Zn", "Al")
_HALIDES = {"F": "fluoride", "Cl": "chloride", "Br": "bromide", "I": "iodide"}
_NONMETALS = (
    "H",
    "He",
    "B",
    "C",
    "N",
    "O",
    "F",
    "Ne",
    "Si",
    "P",
    "S",
    "Cl",
    "Ar",
    "As",
    "Se",
    "Br",
    "Kr",
    "Te",
    "I",
    "Xe",
)


def _is_metal(atom: Chem.Atom) -> bool:
    return atom.GetAtomicNum() > 0 and atom.GetSymbol() not in _NONMETALS


@cache
def _names() -> dict[str, str]:
    """Names by canonical SMILES, with stereochemistry and without."""
    found: dict[str, str] = {}
    for name, smiles in COUNTERPARTS.items():
        mol = neutralised(Chem.MolFromSmiles(smiles))
        found[Chem.MolToSmiles(mol)] = name
        found.setdefault(Chem.MolToSmiles(mol, isomericSmiles=False), name)
    found[Chem.MolToSmiles(Chem.MolFromSmiles("OC(=O)C=CC(=O)O"))] = "maleic or fumaric acid"
    return found
