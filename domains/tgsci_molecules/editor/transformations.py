"""Medicinal-chemistry transformations as reaction SMARTS, and the one function that applies them.

A transformation is a single step that a chemist would draw on a whiteboard: "aryl H to F", "amide reversal",
"fuse benzo ring". What comes out is sanitized, of one piece, canonical, and free of motifs that would fall
apart in a flask and that the molecule did not have before.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

from rdkit import Chem, rdBase
from rdkit.Chem import FilterCatalog, rdChemReactions

from ..molecule.smiles import MAX_HEAVY_ATOMS
from .protect import NOTHING, Protection

#: The kinds, in the order of the table.
KINDS = ("grow", "shrink", "swap", "ring", "bioisostere")

#: Larger rings are not made: their synthesis is a project of its own.
MAX_NEW_RING = 7


@dataclass(frozen=True, slots=True)
class Transformation:
    """One named edit.

    Args:
        name: What a chemist calls it.
        kind: One of `KINDS`.
        smarts: Reaction SMARTS, one reactant and one product. Unmapped reactant atoms are removed.
        example: A SMILES string on which it fires; the tests hold it to that.
        site: Where it does no more than replace a hydrogen: SMARTS of the atom that carries it, the first one.
        fragment: What it puts there, as SMILES whose first atom is bonded.
    """

    name: str
    kind: str
    smarts: str
    example: str
    site: str = ""
    fragment: str = ""


# Where a carbon can be attached: aromatic C-H, sp3 C-H, and N-H that is not part of an N-N or N=C.
_ANY = "[$([cH]),$([CX4;!H0]),$([NX3;!H0;!$(N-[!#6]);!$(N=*)]):1]"
# Where a nitrogen or an oxygen can be attached: the same without nitrogen and without carbons that carry
# a heteroatom already (aminals and acetals fall apart).
_CARBON = "[$([cH]),$([CX4;!H0;!$(C-[!#6])]):1]"
_NH = "[NX3;!H0;!$(N-[!#6]);!$(N=*):1]"
_AMINE = "[NX3;!H0;!$(N-[!#6]);!$(N=*);!$(N-C=[O,S,N]):1]"

_SUBSTITUENTS = (  # name, fragment, sites, example
    ("aryl H to F", "F", "[cH:1]", "c1ccccc1"),
    ("aryl H to Cl", "Cl", "[cH:1]", "c1ccccc1"),
    ("aryl H to methyl", "C", "[cH:1]", "c1ccccc1"),
    ("aryl H to methoxy", "OC", "[cH:1]", "c1ccccc1"),
    ("aryl H to hydroxyl", "O", "[cH:1]", "c1ccccc1"),
    ("aryl H to amino", "N", "[cH:1]", "c1ccccc1"),
    ("aryl H to dimethylamino", "N(C)C", "[cH:1]", "c1ccccc1"),
    ("aryl H to nitrile", "C#N", "[cH:1]", "c1ccccc1"),
    ("aryl H to CF3", "C(F)(F)F", "[cH:1]", "c1ccccc1"),
    ("aryl H to CHF2", "C(F)F", "[cH:1]", "c1ccccc1"),
    ("aryl H to carboxamide", "C(N)=O", "[cH:1]", "c1ccccc1"),
    ("aryl H to N-methylcarboxamide", "C(=O)NC", "[cH:1]", "c1ccccc1"),
    ("aryl H to sulfonamide", "S(N)(=O)=O", "[cH:1]", "c1ccccc1"),
    ("aryl H to methylsulfonyl", "S(C)(=O)=O", "[cH:1]", "c1ccccc1"),
    ("aryl H to acetamido", "NC(C)=O", "[cH:1]", "c1ccccc1"),
    ("aryl H to hydroxymethyl", "CO", "[cH:1]", "c1ccccc1"),
    ("aryl H to aminomethyl", "CN", "[cH:1]", "c1ccccc1"),
    ("alkyl H to methyl", "C", "[CX4;!H0:1]", "CCC"),
    ("alkyl H to F", "F", "[CX4;!H0;!$(C-[N,O,S]):1]", "CCC"),
    ("alkyl H to hydroxyl", "O", "[CX4;!H0;!$(C-[!#6]):1]", "CCC"),
    ("alkyl H to amino", "N", "[CX4;!H0;!$(C-[!#6]):1]", "CCC"),
    ("alkyl H to methoxy", "OC", "[CX4;!H0;!$(C-[!#6]):1]", "CCC"),
    ("alkyl H to carboxamide", "C(N)=O", "[CX4;!H0:1]", "CCC"),
    ("N-methylation", "C", _NH, "CC(=O)NC"),
    ("N-ethylation", "CC", _NH, "CC(=O)NC"),
    ("N-isopropylation", "C(C)C", _AMINE, "CNC"),
    ("N-acetylation", "C(C)=O", _AMINE, "CNC"),
    ("N-mesylation", "S(C)(=O)=O", _AMINE, "CNC"),
    ("N-hydroxyethylation", "CCO", _NH, "CNC"),
    ("O-methylation", "C", "[OX2H;$(O-[#6]):1]", "Oc1ccccc1"),
)

_RINGS = (  # attached by a carbon, anywhere
    ("phenyl", "c1ccccc1"),
    ("4-fluorophenyl", "c1ccc(F)cc1"),
    ("3-chlorophenyl", "c1cccc(Cl)c1"),
    ("2-pyridyl", "c1ccccn1"),
    ("3-pyridyl", "c1cccnc1"),
    ("4-pyridyl", "c1ccncc1"),
    ("pyrimidin-5-yl", "c1cncnc1"),
    ("2-thienyl", "c1cccs1"),
    ("thiazol-2-yl", "c1nccs1"),
    ("1-methylpyrazol-4-yl", "c1cnn(C)c1"),
    ("indol-3-yl", "c1c[nH]c2ccccc12"),
    ("indazol-5-yl", "c1ccc2[nH]ncc2c1"),
    ("benzimidazol-2-yl", "c1nc2ccccc2[nH]1"),
    ("benzothiazol-2-yl", "c1nc2ccccc2s1"),
    ("quinolin-3-yl", "c1cnc2ccccc2c1"),
    ("cyclopropyl", "C1CC1"),
    ("cyclohexyl", "C1CCCCC1"),
    ("piperidin-4-yl", "C1CCNCC1"),
    ("tetrahydropyran-4-yl", "C1CCOCC1"),
)

_AMINES = (  # attached by their nitrogen, to carbon
    ("pyrrolidin-1-yl", "N1CCCC1"),
    ("piperidin-1-yl", "N1CCCCC1"),
    ("piperazin-1-yl", "N1CCNCC1"),
    ("morpholin-4-yl", "N1CCOCC1"),
    ("pyrazol-1-yl", "n1cccn1"),
    ("indolin-1-yl", "N1CCc2ccccc12"),
    ("tetrahydroisoquinolin-2-yl", "N1CCc2ccccc2C1"),
)

_LINKED = (  # a ring through a linker, from carbon or nitrogen
    ("benzyl", "Cc1ccccc1"),
    ("phenethyl", "CCc1ccccc1"),
    ("pyridin-3-ylmethyl", "Cc1cccnc1"),
    ("cyclopropylmethyl", "CC1CC1"),
    ("2-morpholinoethyl", "CCN1CCOCC1"),
)

_LINKED_TO_CARBON = (
    ("phenoxy", "Oc1ccccc1"),
    ("anilino", "Nc1ccccc1"),
    ("benzyloxy", "OCc1ccccc1"),
    ("benzylamino", "NCc1ccccc1"),
    ("benzamido", "NC(=O)c1ccccc1"),
    ("nicotinamido", "NC(=O)c1cccnc1"),
    ("cyclopropanecarboxamido", "NC(=O)C1CC1"),
    ("phenylcarbamoyl", "C(=O)Nc1ccccc1"),
    ("benzylcarbamoyl", "C(=O)NCc1ccccc1"),
    ("morpholine-4-carbonyl", "C(=O)N1CCOCC1"),
    ("piperidine-1-carbonyl", "C(=O)N1CCCCC1"),
    ("benzenesulfonamido", "NS(=O)(=O)c1ccccc1"),
    ("phenylsulfonyl", "S(=O)(=O)c1ccccc1"),
    ("morpholin-4-ylmethyl", "CN1CCOCC1"),
    ("piperazin-1-ylmethyl", "CN1CCNCC1"),
)

_ACYL = (  # onto an amine or aniline N-H
    ("N-benzoylation", "C(=O)c1ccccc1"),
    ("N-nicotinoylation", "C(=O)c1cccnc1"),
    ("N-phenylacetylation", "C(=O)Cc1ccccc1"),
    ("N-indole-2-acylation", "C(=O)c1cc2ccccc2[nH]1"),
    ("N-benzenesulfonylation", "S(=O)(=O)c1ccccc1"),
    ("N-phenylcarbamoylation to a urea", "C(=O)Nc1ccccc1"),
)


def _attached() -> Iterator[Transformation]:
    for name, fragment, site, example in _SUBSTITUENTS:
        yield _attachment(name, fragment, site, example)
    for name, fragment in _RINGS:
        yield _attachment(f"attach {name}", fragment, _ANY, "CC(N)=O")
    for name, fragment in _AMINES:
        yield _attachment(f"attach {name}", fragment, _CARBON, "c1ccccc1")
    for name, fragment in _LINKED:
        yield _attachment(f"attach {name}", fragment, _ANY, "CC(N)=O")
    for name, fragment in _LINKED_TO_CARBON:
        yield _attachment(f"attach {name}", fragment, _CARBON, "Cc1ccccc1")
    for name, fragment in _ACYL:
        yield _attachment(name, fragment, _AMINE, "CNC")


def _attachment(name: str, fragment: str, site: str, example: str) -> Transformation:
    return Transformation(name, "grow", f"{site}>>[*:1]-{fragment}", example, site, fragment)


def _table(kind: str, rows: tuple[tuple[str, str, str], ...]) -> Iterator[Transformation]:
    for name, smarts, example in rows:
        yield Transformation(name, kind, smarts, example)


_SHRINK = (
    ("remove methyl", "[*:1]-!@[CH3]>>[*:1]", "Cc1ccccc1"),
    ("remove halogen", "[#6:1]-[F,Cl,Br,I]>>[#6:1]", "Fc1ccccc1"),
    ("remove hydroxyl", "[#6;!$(C=O):1]-[OX2H]>>[#6:1]", "Oc1ccccc1"),
    ("remove amino", "[#6;!$(C=[O,N,S]):1]-[NX3H2]>>[#6:1]", "Nc1ccccc1"),
    ("remove methoxy", "[#6;!$(C=O):1]-!@[OX2]-[CH3]>>[#6:1]", "COc1ccccc1"),
    ("remove nitrile", "[#6:1]-C#N>>[#6:1]", "N#Cc1ccccc1"),
    ("remove CF3", "[#6:1]-C(F)(F)F>>[#6:1]", "FC(F)(F)c1ccccc1"),
    ("remove nitro", "[#6:1]-[$([NX3](=O)=O),$([N+](=O)[O-])](~O)~O>>[#6:1]", "O=[N+]([O-])c1ccccc1"),
    ("remove carboxyl group", "[#6:1]-C(=O)[$([OH]),$([O-]),$([NH2])]>>[#6:1]", "NC(=O)c1ccccc1"),
    ("remove primary sulfonamide", "[#6:1]-S(=O)(=O)[NH2]>>[#6:1]", "NS(=O)(=O)c1ccccc1"),
    ("N-deacetylation", "[NX3:1]-!@C(=O)[CH3]>>[N:1]", "CC(=O)Nc1ccccc1"),
    (
        "remove terminal six-membered ring",
        "[*:1]-!@[*;R1]1@[*;R1;D2]@[*;R1;D2]@[*;R1;D2]@[*;R1;D2]@[*;R1;D2]1>>[*:1]",
        "CCc1ccccc1",
    ),
    (
        "remove terminal five-membered ring",
        "[*:1]-!@[*;R1]1@[*;R1;D2]@[*;R1;D2]@[*;R1;D2]@[*;R1;D2]1>>[*:1]",
        "CCc1cccs1",
    ),
    ("remove cyclopropyl", "[*:1]-!@[*;R1]1@[*;R1;D2]@[*;R1;D2]1>>[*:1]", "CNC1CC1"),
    ("remove CH2 from chain", "[*:1]-!@[CH2;D2]-!@[*:2]>>[*:1]-[*:2]", "CNCc1ccccc1"),
    ("remove ether or amine link", "[#6:1]-!@[OX2,NX3H]-!@[#6:2]>>[#6:1]-[#6:2]", "c1ccccc1Oc1ccccc1"),
    ("remove carbonyl link", "[*:1]-!@[CX3;D3](=O)-!@[*:2]>>[*:1]-[*:2]", "O=C(c1ccccc1)c1ccccc1"),
    ("remove amide link", "[#6:1]-!@C(=O)-!@[NX3;D2]-!@[#6:2]>>[#6:1]-[#6:2]", "O=C(Nc1ccccc1)c1ccccc1"),
    ("remove fused benzo ring", "[c;R2:1]1:[c;R2:2]:[cH]:[cH]:[cH]:[cH]:1>>[c:1]:[c:2]", "c1ccc2ncccc2c1"),
)

_SWAP = (
    ("aryl F to Cl", "[c:1]-F>>[c:1]-Cl", "Fc1ccccc1"),
    ("aryl Cl to F", "[c:1]-Cl>>[c:1]-F", "Clc1ccccc1"),
    ("heavy halogen to methyl", "[c:1]-[Cl,Br,I]>>[c:1]-C", "Clc1ccccc1"),
    ("halogen to nitrile", "[c:1]-[F,Cl,Br,I]>>[c:1]-C#N", "Clc1ccccc1"),
    ("aryl methyl to Cl", "[c:1]-[CH3]>>[c:1]-Cl", "Cc1ccccc1"),
    ("methyl to CF3", "[#6:1]-[CH3]>>[#6:1]-C(F)(F)F", "Cc1ccccc1"),
    ("methyl to hydroxymethyl", "[#6:1]-[CH3]>>[#6:1]-CO", "Cc1ccccc1"),
    ("methoxy to hydroxyl", "[#6:1]-[OX2;H0:2]-[CH3]>>[#6:1]-[OH:2]", "COc1ccccc1"),
    ("methoxy to ethoxy", "[#6:1]-[OX2:2]-[CH3]>>[#6:1]-[O:2]-CC", "COc1ccccc1"),
    ("hydroxyl to F", "[#6;!$(C=O):1]-[OX2H]>>[#6:1]-F", "Oc1ccccc1"),
    ("hydroxyl to amino", "[#6;!$(C=O):1]-[OX2H]>>[#6:1]-N", "Oc1ccccc1"),
    ("amino to hydroxyl", "[#6;!$(C=[O,N,S]):1]-[NX3H2]>>[#6:1]-O", "Nc1ccccc1"),
    ("CH2 to O", "[#6:1]-[CH2;D2]-[#6:2]>>[#6:1]-O-[#6:2]", "CCCc1ccccc1"),
    ("CH2 to NH", "[#6:1]-[CH2;D2]-[#6:2]>>[#6:1]-N-[#6:2]", "CCCc1ccccc1"),
    ("CH2 to C=O", "[#6;!$(C=O):1]-!@[CH2;D2:3]-!@[#6;!$(C=O):2]>>[#6:1]-[C:3](=O)-[#6:2]", "CCc1ccccc1"),
    ("amine N-CH2 to amide", "[NX3;!$(N-*=*):1]-[CH2;D2:2]-[#6:3]>>[N:1]-[C:2](=O)-[#6:3]", "C1CCNCC1"),
    ("C=O to CH2", "[#6:1]-[CX3:2](=O)-[#6,N:3]>>[#6:1]-[CH2:2]-[*:3]", "CC(=O)c1ccccc1"),
    ("C=O to SO2", "[#6:1]-!@[CX3;D3](=O)-!@[#6:2]>>[#6:1]-S(=O)(=O)-[#6:2]", "CC(=O)c1ccccc1"),
    ("ether O to NH", "[#6:1]-[OX2;H0;!$(O-C=O)]-[#6:2]>>[#6:1]-N-[#6:2]", "COc1ccccc1"),
    ("ether O to CH2", "[#6:1]-[OX2;H0]-[#6:2]>>[#6:1]-C-[#6:2]", "COc1ccccc1"),
    ("amine NH to O", "[#6;!$(C=[O,N]):1]-[NX3;H1;D2]-[#6;!$(C=[O,N]):2]>>[#6:1]-O-[#6:2]", "CNc1ccccc1"),
    ("amine NH to CH2", "[#6:1]-[NX3;H1;D2]-[#6:2]>>[#6:1]-C-[#6:2]", "CNc1ccccc1"),
    ("thioether S to CH2", "[#6:1]-[SX2;H0]-[#6:2]>>[#6:1]-C-[#6:2]", "CSc1ccccc1"),
    ("insert CH2", "[*;R:1]-!@[#6,N,O;!$([CH3]):2]>>[*:1]-C-[*:2]", "c1ccccc1-c1ccccc1"),
    ("insert O", "[#6;!$(C-[!#6]);!$(C=*);R:1]-!@[#6;!$(C-[!#6]);!$(C=*):2]>>[#6:1]-O-[#6:2]", "CCc1ccccc1"),
    ("insert NH", "[#6;!$(C-[!#6]);!$(C=*);R:1]-!@[#6;!$(C-[!#6]):2]>>[#6:1]-N-[#6:2]", "c1ccccc1-c1ccccc1"),
    ("insert C=O", "[#6;R;!$(C-[!#6]):1]-!@[NX3;!$(N-*=*):2]>>[#6:1]-C(=O)-[N:2]", "c1ccccc1N1CCOCC1"),
    (
        "insert amide",
        "[#6;R;!$(C-[!#6]):1]-!@[#6;R;!$(C-[!#6]):2]>>[#6:1]-C(=O)N-[#6:2]",
        "c1ccccc1-c1ccccc1",
    ),
    ("walk substituent round the ring", "[*:1]-!@[c:2]:[cH:3]>>[c:2]:[c:3]-[*:1]", "Cc1ccncc1"),
    ("move methyl to the next atom", "[CH3:1]-[CX4:2]-!@[CX4;!H0:3]>>[C:2]-[C:3]-[CH3:1]", "CC(N)CCO"),
)

_RING = (
    ("ring CH to N", "[cH;r6:1]>>[n:1]", "Cc1ccccc1"),
    ("ring N to CH", "[n;X2;r6:1]>>[cH:1]", "Cc1ccncc1"),
    ("azole CH to N", "[cH;r5:1]>>[n:1]", "c1cc[nH]c1"),
    ("azole N to CH", "[n;X2;r5:1]>>[cH:1]", "c1c[nH]cn1"),
    ("swap ring N with the next CH", "[n;X2:1]:[cH:2]>>[cH:1]:[n:2]", "Cc1cccnc1"),
    ("azole NH to O", "[c:1]:[nH]:[c:2]>>[c:1]:o:[c:2]", "c1ccc2[nH]ccc2c1"),
    ("azole NH to S", "[c:1]:[nH]:[c:2]>>[c:1]:s:[c:2]", "c1ccc2[nH]ccc2c1"),
    ("azole S or O to NH", "[c:1]:[s,o]:[c:2]>>[c:1]:[nH]:[c:2]", "c1ccc2sccc2c1"),
    ("azole N-methylation", "[nH:1]>>[nH0:1]-C", "c1ccc2[nH]ccc2c1"),
    ("phenyl to thienyl", "[*:1]-!@c1[cH][cH][cH][cH][cH]1>>[*:1]-c1cccs1", "CCc1ccccc1"),
    ("phenyl to cyclohexyl", "[*:1]-!@c1[cH][cH][cH][cH][cH]1>>[*:1]-C1CCCCC1", "CCc1ccccc1"),
    ("phenyl to cyclopropyl", "[*:1]-!@c1[cH][cH][cH][cH][cH]1>>[*:1]-C1CC1", "CCc1ccccc1"),
    ("phenyl to tetrahydropyranyl", "[#6:1]-!@c1[cH][cH][cH][cH][cH]1>>[#6:1]-C1CCOCC1", "CCc1ccccc1"),
    ("phenyl to indol-5-yl", "[*:1]-!@c1[cH][cH][cH][cH][cH]1>>[*:1]-c1ccc2[nH]ccc2c1", "CCc1ccccc1"),
    ("cyclohexyl to phenyl", "[*:1]-!@C1[CH2][CH2][CH2][CH2][CH2]1>>[*:1]-c1ccccc1", "CCC1CCCCC1"),
    (
        "phenylene to cyclohexylene",
        "[#6,N:1]-!@c1[cH][cH]c(-!@[#6,N:2])[cH][cH]1>>[*:1]-C1CCC(-[*:2])CC1",
        "Cc1ccc(C)cc1",
    ),
    ("phenylene to piperidine", "[#6:1]-!@c1[cH][cH]c(-!@[#6:2])[cH][cH]1>>[*:1]-N1CCC(-[*:2])CC1", "Cc1ccc(C)cc1"),
    ("phenylene to thiophene", "[*:1]-!@c1[cH][cH]c(-!@[*:2])[cH][cH]1>>[*:1]-c1ccc(-[*:2])s1", "Cc1ccc(C)cc1"),
    (
        "saturated ring CH2 to NH",
        "[CH2;R:1]-[CH2;R]-[CH2;R:2]>>[C:1]-N-[C:2]",
        "CC1CCCCC1",
    ),
    ("saturated ring CH2 to O", "[CH2;R:1]-[CH2;R]-[CH2;R:2]>>[C:1]-O-[C:2]", "CC1CCCCC1"),
    ("saturated ring NH to O", "[CH2;R:1]-[NH;R]-[CH2;R:2]>>[C:1]-O-[C:2]", "C1CNCCN1C"),
    ("saturated ring O to NH", "[CH2;R:1]-[OX2;R]-[CH2;R:2]>>[C:1]-N-[C:2]", "CN1CCOCC1"),
    ("ring contraction", "[*;R:1]-[CH2;r6,r7]-[CH2;R:2]>>[*:1]-[C:2]", "CC1CCCCC1"),
    ("ring expansion", "[CH2;r4,r5,r6:1]-[CH2;r4,r5,r6:2]>>[C:1]-C-[C:2]", "CC1CCCC1"),
    (
        "piperidine to tropane",
        "[CX4;!H0;r6;R1:1]-[NX3;R1:2]-[CX4;!H0;R1:3]>>[C:1]1-[N:2]-[C:3]-C-C-1",
        "CC(=O)N1CCCCC1",
    ),
    ("fuse benzo ring", "[cH;R1:1]:[cH;R1:2]>>[c:1]1:[c:2]:c:c:c:c:1", "Cc1ccncc1"),
    ("fuse pyrido ring", "[cH;R1:1]:[cH;R1:2]>>[c:1]1:[c:2]:c:c:c:n:1", "Cc1ccccc1"),
    ("fuse pyrrole ring", "[cH;R1;r6:1]:[cH;R1;r6:2]>>[c:1]1:[c:2]:[nH]:c:c:1", "Cc1ccccc1"),
    ("fuse dihydrofuran ring", "[cH;R1;r6:1]:[cH;R1;r6:2]>>[c:1]1:[c:2]-O-C-C-1", "Cc1ccccc1"),
    ("fuse methylenedioxy ring", "[cH;R1;r6:1]:[cH;R1;r6:2]>>[c:1]1:[c:2]-O-C-O-1", "Cc1ccccc1"),
    ("fuse cyclopentane ring", "[cH;R1;r6:1]:[cH;R1;r6:2]>>[c:1]1:[c:2]-C-C-C-1", "Cc1ccccc1"),
    ("open fused ring", "[c:1]1:[c:2]-[#6,N,O]-[CH2;R1]-[CH2,O;R1]-1>>[cH:1]:[cH:2]", "Cc1ccc2c(c1)CCC2"),
    ("anilide to indoline", "[NX3;H1:1]-!@[c:2]:[cH:3]>>[N:1]1-[c:2]:[c:3]-C-C-1", "CC(=O)Nc1ccccc1"),
    (
        "benzylamine to tetrahydroisoquinoline",
        "[NX3;H1:1]-!@[CH2:4]-!@[c:2]:[cH:3]>>[N:1]1-[C:4]-[c:2]:[c:3]-C-C-1",
        "CC(=O)NCc1ccccc1",
    ),
    (
        "benzamide to isoindolinone",
        "[NX3;H1:1]-!@[C:4](=[O:5])-!@[c:2]:[cH:3]>>[N:1]1-[C:4](=[O:5])-[c:2]:[c:3]-C-1",
        "CNC(=O)c1ccccc1",
    ),
    ("dialkylamine to pyrrolidine", "[NX3:1](-!@[CH3])-!@[CH3]>>[N:1]1-C-C-C-C-1", "CN(C)Cc1ccccc1"),
    ("dialkylamine to morpholine", "[NX3:1](-!@[CH3])-!@[CH3]>>[N:1]1-C-C-O-C-C-1", "CN(C)Cc1ccccc1"),
    ("isopropyl to cyclopropyl", "[*:1]-!@[CH](-[CH3])-[CH3]>>[*:1]-C1CC1", "CC(C)c1ccccc1"),
    ("gem-dimethyl to cyclopropane", "[CX4;H0:1](-[CH3])-[CH3]>>[C:1]1-C-C-1", "CC(C)(C#N)c1ccccc1"),
)

_BIOISOSTERE = (
    ("carboxylic acid to tetrazole", "[#6:1]-C(=O)[OX2H]>>[#6:1]-c1nnn[nH]1", "OC(=O)c1ccccc1"),
    ("carboxylic acid to primary amide", "[C:1](=[O:2])-[$([OX2H]),$([O-])]>>[C:1](=[O:2])-N", "OC(=O)c1ccccc1"),
    ("carboxylic acid to acylsulfonamide", "[C:1](=[O:2])-[OX2H]>>[C:1](=[O:2])-NS(C)(=O)=O", "OC(=O)c1ccccc1"),
    ("ester to amide", "[C:1](=[O:2])-!@[OX2;H0]-!@[#6:3]>>[C:1](=[O:2])-N-[#6:3]", "COC(=O)c1ccccc1"),
    (
        "ester to 1,2,4-oxadiazole",
        "[#6:1]-!@C(=O)-!@[OX2;H0]-!@[#6:2]>>[#6:1]-c1nc(-[#6:2])no1",
        "COC(=O)c1ccccc1",
    ),
    (
        "amide reversal",
        "[#6:1]-!@[C:2](=[O:3])-!@[NX3;H1:4]-!@[#6:5]>>[#6:1]-[N:4]-[C:2](=[O:3])-[#6:5]",
        "CC(=O)Nc1ccccc1",
    ),
    ("amide to sulfonamide", "[#6:1]-!@C(=O)-!@[NX3:2]>>[#6:1]-S(=O)(=O)-[N:2]", "CC(=O)Nc1ccccc1"),
    ("sulfonamide to amide", "[#6:1]-!@S(=O)(=O)-!@[NX3:2]>>[#6:1]-C(=O)-[N:2]", "CS(=O)(=O)Nc1ccccc1"),
    (
        "amide to 1,2,4-oxadiazole",
        "[#6:1]-!@C(=O)-!@[NX3;H1;D2]-!@[#6:2]>>[#6:1]-c1nc(-[#6:2])no1",
        "CC(=O)Nc1ccccc1",
    ),
    (
        "amide to 1,2,3-triazole",
        "[#6:1]-!@C(=O)-!@[NX3;H1;D2]-!@[#6:2]>>[#6:1]-c1cn(-[#6:2])nn1",
        "CC(=O)Nc1ccccc1",
    ),
    ("amide to imidazole", "[#6:1]-!@C(=O)-!@[NX3;H1;D2]-!@[#6:2]>>[#6:1]-c1ncc(-[#6:2])[nH]1", "CC(=O)Nc1ccccc1"),
    ("amide to aminomethyl", "[#6:1]-!@[C:2](=O)-!@[NX3:3]>>[#6:1]-[CH2:2]-[N:3]", "CC(=O)Nc1ccccc1"),
    (
        "amide to urea",
        "[#6;!$(C-[!#6]):1]-!@[C:2](=[O:3])-!@[NX3;H1:4]>>[#6:1]-N-[C:2](=[O:3])-[N:4]",
        "CNC(=O)c1ccccc1",
    ),
    (
        "urea to amide",
        "[#6:1]-[NX3;H1;D2]-!@[C:2](=[O:3])-!@[NX3:4]>>[#6:1]-[C:2](=[O:3])-[N:4]",
        "CNC(=O)Nc1ccccc1",
    ),
    ("primary amide to nitrile", "[#6:1]-[C:2](=O)-[NX3H2:3]>>[#6:1]-[C:2]#[N:3]", "NC(=O)c1ccccc1"),
    ("primary amide to sulfonamide", "[#6:1]-C(=O)-[NX3H2]>>[#6:1]-S(=O)(=O)N", "NC(=O)c1ccccc1"),
    ("phenol to indazole NH", "[OX2H]-[c:1]:[cH:2]>>[c:1]1:[c:2]:c:n:[nH]:1", "Oc1ccccc1"),
    ("hydroxyl to methanesulfonamide", "[#6;!$(C=O):1]-[OX2H]>>[#6:1]-NS(C)(=O)=O", "Oc1ccccc1"),
    ("methoxy to difluoromethoxy", "[c:1]-[OX2:2]-[CH3]>>[c:1]-[O:2]-C(F)F", "COc1ccccc1"),
    ("Cl to CF3", "[c:1]-Cl>>[c:1]-C(F)(F)F", "Clc1ccccc1"),
    ("tert-butyl to CF3", "[#6:1]-C([CH3])([CH3])[CH3]>>[#6:1]-C(F)(F)F", "CC(C)(C)c1ccccc1"),
    ("nitro to nitrile", "[c:1]-[N+](=O)[O-]>>[c:1]-C#N", "O=[N+]([O-])c1ccccc1"),
    ("aldehyde to hydroxymethyl", "[#6:1]-[CH1:2]=[O:3]>>[#6:1]-[CH2:2]-[OH:3]", "O=Cc1ccccc1"),
    ("ketone to oxetane", "[#6:1]-!@[C:2](=O)-!@[#6:3]>>[#6:1]-[C:2]1(-[#6:3])-C-O-C-1", "CC(=O)c1ccccc1"),
    ("alkene to alkane", "[#6;!a:1]=!@[#6;!a:2]>>[#6:1]-[#6:2]", "C=Cc1ccccc1"),
    ("alkyne to alkane", "[#6:1]#[#6:2]>>[#6:1]-[#6:2]", "C#Cc1ccccc1"),
    ("thiol to hydroxyl", "[#6:1]-[SX2H]>>[#6:1]-O", "Sc1ccccc1"),
    ("thiocarbonyl to carbonyl", "[#6:1]=[SX1]>>[#6:1]=O", "CC(=S)Nc1ccccc1"),
    ("alkyl halide to methyl", "[CX4;!$(C(F)F):1]-[Cl,Br,I]>>[C:1]-C", "ClCCc1ccccc1"),
    ("piperazine to piperidine", "[N:1]1[CH2][CH2][NX3;!$(N-*=O)][CH2][CH2]1>>[N:1]1-C-C-C-C-C-1", "CN1CCNCC1"),
    ("thienyl to phenyl", "[*:1]-!@c1[cH][cH][cH]s1>>[*:1]-c1ccccc1", "CCc1cccs1"),
    ("furyl to phenyl", "[*:1]-!@c1[cH][cH][cH]o1>>[*:1]-c1ccccc1", "CCc1ccco1"),
)

#: Every transformation, grouped by kind.
TRANSFORMATIONS: tuple[Transformation, ...] = (
    *_attached(),
    *_table("shrink", _SHRINK),
    *_table("swap", _SWAP),
    *_table("ring", _RING),
    *_table("bioisostere", _BIOISOSTERE),
)

# What a product must not have unless its reactant had it. Each falls apart, reacts with water or protein, or
# can not be made.
_UNSTABLE = tuple(
    Chem.MolFromSmarts(smarts)
    for smarts in (
        "[#8]-[#8]",  # peroxide
        "[#7;!a]-[#7;!a]",  # hydrazine, azo
        "[#7;a]-[#7;!a]",
        "[#7]-!@[#8;!$([O-])]",  # hydroxylamine
        "[#7,#8,#16]-[F,Cl,Br,I]",
        "[#8]-[#16;X2]",
        "[#16;X2]-[#16,#7;X2,X3]",
        "[#7;!a]-[#16;X3]",
        "[CX4](-[OX2H])-[#7,#8,#16,F,Cl,Br,I]",  # hemiaminal, hemiacetal
        "[CX4;!$(C1OccO1)](-[OX2])-[OX2]",  # acetal; methylenedioxybenzene is fine
        "[CX4](-[NX3;!$(N-*=[O,S]);!$(N-S=O)])-[#7,#8,#16]",  # aminal
        "[CX4](-[NX3])-[OX2,SX2]",
        "[CX4](-[NX3])-[NX3]",
        "[CX4](-[NX3,OX2,SX2])-[F,Cl,Br,I;!$(F-C(F)F);!$(F-C-F)]",
        "[CX3](=[O,S])-[F,Cl,Br,I]",  # acyl halide
        "[#16;X4](-[F,Cl,Br,I])",
        "[CX3](=[O,S])-[#8]-[CX3]=[O,S]",  # anhydride
        "[CX3](=O)-[CX3](=O)-[CX3]=O",
        "[CX3](=O)(-[OX2])-[OX2]",  # carbonate
        "[NX3]-[CX3](=O)-[OX2H]",  # carbamic acid
        "[NX3](-C=O)(-C=O)-C=O",
        "[NX3;!R](-[CX3]=O)-[CX3]=O",
        "[NX3;H0](-S(=O)=O)-[CX3]=O",
        "[NX3](-S(=O)=O)-S(=O)=O",
        "[C,N]=[C,N]=[*]",  # allene, cumulene, carbodiimide, isocyanate
        "[CX3]=[CX3]-[OX2H,NX3H2]",  # enol, enamine
        "[CX3]=[NX2;H1]",
        "[NX3,OX2]-C#N",
        "[#6]1=[#6]-[#6]=[#6]1",  # cyclobutadiene
        "[R]1@[R]@[R]1=*",
        "[r3]@;=[r3]",
        "[a;r4]",
        "[*;r3,r4]#[*]",
        "n:n:n:n:n",
        "[CH]=O",  # aldehyde
        "[SX2H]",
        "[$([OX2]1CC1),$([NX3]1CC1)]",  # epoxide, aziridine
        "[CX4](-[OX2H])-[CX3]=[CX3]-[OX2]",
        "[r3]~[R2;r3]~[r3]~[R2;r3]",  # fused three-membered rings
        "[CX4](-C#N)-[NX3,OX2H]",  # cyanohydrin, aminonitrile
        "[#16;X4](=O)(=O)-[#16]",
        "[CX4]-[Cl,Br,I]",  # alkylating
        "[NX3;!$(N-C=O);!$(N-S=O)]-[CX4](-F)-F",
        "[CX3;!R]=[CX3]-[NX3;!$(N-C=[O,S]);!$(N-S=O)]",  # enamine
        "[CX3;!R]=[CX3;!$(C=O)]-[OX2]",  # enol ether
        "[CX3;!R;!$(C-[#7,#8,#16])]=[NX2;!$(N-[#7,#8,#16])]",  # imine
        "[CX3](=O)-[SX2]",  # thioester
        "[$([CX3;!R]=[O,S]),$([#16;X4;!R](=O)=O)]-[n;r5]:,-[$(n),$(c:n:c)]",  # acylated azole: an acylating agent
        "O=C1[CX4][CX4]N1",  # beta-lactam
        "[#6]-[CX3](=O)-[CX4](F)(F)F",  # trifluoromethyl ketone: a hydrate, and it takes serine
        "[r3;X3]=[OX1]",
        "[CX3](=O)(-[#6])-[CX3](=O)-[#6]",  # 1,2-diketone
        "[a;r5]-[OX2H]",  # hydroxyazoles and hydroxyfurans are mostly their keto forms
        "[c;r5;$(c:[o,s,nH])]-[NX3;H2]",  # and aminofurans and their kin decompose
        "[NX3;!$(N-C=[O,S]);!$(N-S=O)]-c1:[nX3,o]:c:c:c:1",  # 2-aminopyrroles and -furans: air takes them
        "[#7;a]:[#7;a](-[CX3]=O)",
        "[C;r3,r4](-[#7,#8])-[#7,#8]",
    )
)


@cache
def _reaction(smarts: str) -> rdChemReactions.ChemicalReaction:
    reaction = rdChemReactions.ReactionFromSmarts(smarts)
    reaction.Initialize()
    return reaction


def _bad_rings(mol: Chem.Mol) -> int:
    """How many rings nobody would set out to make: too large, or an atom shared by three of them."""
    rings = mol.GetRingInfo().AtomRings()
    shared = Counter(atom for ring in rings for atom in ring)
    return sum(len(ring) > MAX_NEW_RING for ring in rings) + sum(count > 2 for count in shared.values())


@cache
def _catalog() -> FilterCatalog.FilterCatalog:
    """All unstable motifs behind one call, for the common case of a reactant that has none."""
    catalog = FilterCatalog.FilterCatalog()
    for motif in _UNSTABLE:
        catalog.AddEntry(FilterCatalog.FilterCatalogEntry("unstable", FilterCatalog.SmartsMatcher(motif)))
    return catalog


@lru_cache(maxsize=4096)
def _flaws(smiles: str) -> tuple[frozenset[int], int, int]:
    """Unstable motifs, bad rings and net charge of a reactant: its products may keep them, not add to them."""
    mol = Chem.MolFromSmiles(smiles)
    motifs = frozenset(i for i, motif in enumerate(_UNSTABLE) if mol.HasSubstructMatch(motif))
    return motifs, _bad_rings(mol), Chem.GetFormalCharge(mol)


def legal(mol: Chem.Mol, parent: str) -> bool:
    """True where a product may be proposed: of one piece, not too large, no flaw that its parent did not have.

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


def finish(raw: Chem.Mol, parent: str) -> str | None:
    """The canonical SMILES of a raw product, or None where it is no legal molecule.

    Args:
        raw: As it comes out of a reaction, not sanitized.
        parent: Canonical SMILES of what it was made from.
    """
    with rdBase.BlockLogs():  # a product that breaks valence rules is expected here, and no news to the user
        try:
            Chem.SanitizeMol(raw)
            return _settled(Chem.MolToSmiles(raw), parent)
        except (ValueError, RuntimeError):
            return None


@lru_cache(maxsize=50_000)
def _settled(smiles: str, parent: str) -> str | None:
    """`finish` for a SMILES that may not be canonical yet; the same edits of the same leaders come every round."""
    mol = Chem.MolFromSmiles(smiles)
    if mol is None or not legal(mol, parent):
        return None
    settled: str = Chem.MolToSmiles(mol)
    # A radical is always in brackets, so the atoms need no look in the common case.
    if settled == parent or ("[" in settled and any(atom.GetNumRadicalElectrons() for atom in mol.GetAtoms())):
        return None
    return settled


def apply(
    transformation: Transformation, smiles: str, *, sites: int | None = None, rng: random.Random | None = None
) -> list[str]:
    """Apply a transformation at every site of a molecule where it fits.

    Args:
        transformation: What to do.
        smiles: The molecule.
        sites: At most so many products, drawn with `rng`; all of them where None.
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
) -> list[str]:
    """`apply` for a molecule that is parsed already and parts of which are to stay; `smiles` is its canonical form."""
    if sites is not None and rng is None:
        raise ValueError("a limit on sites needs an rng to draw them")
    found: dict[str, None] = {}
    for product in _products(transformation, mol, rng, protected):
        made = finish(product, smiles)
        if made is not None:
            found.setdefault(made)
        if sites is not None and len(found) >= sites:
            break
    return list(found)


def _products(
    transformation: Transformation, mol: Chem.Mol, rng: random.Random | None, protected: Protection
) -> Iterator[Chem.Mol]:
    """Raw products, not sanitized, in an order that `rng` draws."""
    if transformation.site:
        matches = mol.GetSubstructMatches(_pattern(transformation.site))
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
    """True where a raw product of a reaction has the protected atoms as they were, and their bonds."""
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
    """A molecule with a hydrogen of an atom replaced by a fragment; not sanitized.

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
    """Where each atom of a product came from.

    Args:
        transformation: What was done.
        smiles: The reactant, canonical.
        product: One of `apply(transformation, smiles)`.

    Returns:
        For each atom of the product's SMILES the index of the reactant's atom, None for a new one; empty where
        the transformation does not lead there.
    """
    mol = Chem.MolFromSmiles(smiles)
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
    """The atoms of a molecule that an edit removes or binds anew, by index.

    Args:
        before: SMILES.
        after: SMILES of what became of it.
        came: For each atom of `after` its index in `before`, None for a new one.
    """
    reactant, product = Chem.MolFromSmiles(before), Chem.MolFromSmiles(after)
    here = {atom.GetIdx(): _surroundings(atom, range(reactant.GetNumAtoms())) for atom in reactant.GetAtoms()}
    there = {
        index: _surroundings(atom, came) for atom in product.GetAtoms() if (index := came[atom.GetIdx()]) is not None
    }
    return tuple(index for index, surroundings in here.items() if there.get(index) != surroundings)


def _surroundings(atom: Chem.Atom, names: Sequence[int | None]) -> tuple[object, ...]:
    bonds = [(names[b.GetOtherAtomIdx(atom.GetIdx())], str(b.GetBondType())) for b in atom.GetBonds()]
    return (atom.GetAtomicNum(), atom.GetFormalCharge(), atom.GetTotalNumHs(), sorted(map(str, bonds)))


@cache
def _pattern(smarts: str) -> Chem.Mol:
    return Chem.MolFromSmarts(smarts)


@cache
def _fragment(smiles: str) -> Chem.Mol:
    # A pyrazol-1-yl is no molecule by itself: it is read with the bond that it is to get.
    fragment = Chem.RWMol(Chem.MolFromSmiles(f"*-{smiles}"))
    fragment.RemoveAtom(0)
    return fragment.GetMol()
