"""Thirty approved drugs on the six targets that they act on: what the docking benchmark docks.

Names and structures are public. Only the standard
library is used here: the peer's Python reads this file too.
"""

from __future__ import annotations

DRUGS: dict[str, dict[str, str]] = {
    "ABL1": {
        "imatinib": "Cc1ccc(NC(=O)c2ccc(CN3CCN(C)CC3)cc2)cc1Nc1nccc(-c2cccnc2)n1",
        "dasatinib": "Cc1nc(Nc2ncc(s2)C(=O)Nc2c(C)cccc2Cl)cc(n1)N1CCN(CCO)CC1",
        "nilotinib": "Cc1ccc(C(=O)Nc2cc(-n3cnc(C)c3)cc(C(F)(F)F)c2)cc1Nc1nccc(-c2cccnc2)n1",
        "bosutinib": "COc1cc(Nc2c(C#N)cnc3cc(OCCCN4CCN(C)CC4)c(OC)cc23)c(Cl)cc1Cl",
        "ponatinib": "Cc1ccc(C(=O)Nc2ccc(CN3CCN(C)CC3)c(C(F)(F)F)c2)cc1C#Cc1cnc2cccnn12",
    },
    "EGFR": {
        "gefitinib": "COc1cc2ncnc(Nc3ccc(F)c(Cl)c3)c2cc1OCCCN1CCOCC1",
        "erlotinib": "C#Cc1cccc(Nc2ncnc3cc(OCCOC)c(OCCOC)cc23)c1",
        "afatinib": "CN(C)C/C=C/C(=O)Nc1cc2c(Nc3ccc(F)c(Cl)c3)ncnc2cc1O[C@H]1CCOC1",
        "lapatinib": "CS(=O)(=O)CCNCc1ccc(-c2ccc3ncnc(Nc4ccc(OCc5cccc(F)c5)c(Cl)c4)c3c2)o1",
        "osimertinib": "C=CC(=O)Nc1cc(Nc2nccc(-c3cn(C)c4ccccc34)n2)c(OC)cc1N(C)CCN(C)C",
    },
    "F2": {
        "argatroban": "C[C@@H]1CCN([C@H](C1)C(=O)O)C(=O)[C@H](CCCN=C(N)N)NS(=O)(=O)c1cccc2c1NCC(C)C2",
        "dabigatran": "Cn1c(CNc2ccc(C(=N)N)cc2)nc2cc(C(=O)N(CCC(=O)O)c3ccccn3)ccc12",
        "melagatran": "N=C(N)c1ccc(CNC(=O)[C@@H]2CCN2C(=O)[C@H](NCC(=O)O)C2CCCCC2)cc1",
        "ximelagatran": "CCOC(=O)CN[C@@H](C1CCCCC1)C(=O)N1CC[C@H]1C(=O)NCc1ccc(cc1)C(N)=NO",
        "nafamostat": "N=C(N)c1ccc2cc(OC(=O)c3ccc(NC(=N)N)cc3)ccc2c1",
    },
    "ESR1": {
        "estradiol": "C[C@]12CC[C@H]3[C@@H](CCc4cc(O)ccc43)[C@@H]1CC[C@@H]2O",
        "diethylstilbestrol": "CC/C(=C(/CC)c1ccc(O)cc1)c1ccc(O)cc1",
        "tamoxifen": "CC/C(=C(\\c1ccccc1)c1ccc(OCCN(C)C)cc1)c1ccccc1",
        "raloxifene": "O=C(c1ccc(OCCN2CCCCC2)cc1)c1c(-c2ccc(O)cc2)sc2cc(O)ccc12",
        "bazedoxifene": "Cc1c(-c2ccc(O)cc2)n(Cc2ccc(OCCN3CCCCCC3)cc2)c2ccc(O)cc12",
    },
    "PPARA": {
        "gemfibrozil": "Cc1ccc(C)c(OCCCC(C)(C)C(=O)O)c1",
        "fenofibric acid": "CC(C)(Oc1ccc(cc1)C(=O)c1ccc(Cl)cc1)C(=O)O",
        "bezafibrate": "CC(C)(Oc1ccc(CCNC(=O)c2ccc(Cl)cc2)cc1)C(=O)O",
        "ciprofibrate": "CC(C)(Oc1ccc(cc1)C1CC1(Cl)Cl)C(=O)O",
        "pemafibrate": "CC[C@@H](Oc1cccc(CN(CCCOc2ccc(OC)cc2)c2nc3ccccc3o2)c1)C(=O)O",
    },
    "DRD2": {
        "olanzapine": "Cc1cc2c(s1)Nc1ccccc1N=C2N1CCN(C)CC1",
        "chlorpromazine": "CN(C)CCCN1c2ccccc2Sc2ccc(Cl)cc21",
        "haloperidol": "O=C(CCCN1CCC(O)(CC1)c1ccc(Cl)cc1)c1ccc(F)cc1",
        "risperidone": "Cc1nc2n(c(=O)c1CCN1CCC(CC1)c1noc3cc(F)ccc13)CCCC2",
        "aripiprazole": "O=C1CCc2ccc(OCCCCN3CCN(CC3)c3cccc(Cl)c3Cl)cc2N1",
    },
}

#: What `--quick` docks: the small ones, one on each target.
QUICK = {
    "ABL1": "dasatinib",
    "EGFR": "erlotinib",
    "F2": "nafamostat",
    "ESR1": "estradiol",
    "PPARA": "gemfibrozil",
    "DRD2": "olanzapine",
}
