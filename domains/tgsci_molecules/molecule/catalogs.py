"""The catalogues of structural alerts by name; RDKit is not needed to list them."""

from __future__ import annotations

#: The catalogue of our own, `unstable_alerts.tsv`.
OWN_CATALOG = "UNSTABLE"
#: Alerts that are counted where nobody names a catalogue.
USUAL_CATALOGS = ("PAINS", "BRENK", OWN_CATALOG)
#: RDKit's catalogues and our own, each with what it is.
CATALOGS = {
    "PAINS": "pan-assay interference (Baell 2010)",
    "BRENK": "unwanted in lead-like screening (Brenk 2008)",
    OWN_CATALOG: "falls apart, reacts or is oxidised (a table of our own with its sources)",
    "NIH": "reactive or otherwise unwanted (NIH MLSMR, Jadhav 2010, Doveston 2015)",
    "ZINC": "ZINC's drug-likeness and reactivity filters",
    "CHEMBL": "all of ChEMBL's sets",
    "CHEMBL_BMS": "Bristol-Myers Squibb's high-throughput screening deck filters (ChEMBL)",
    "CHEMBL_Dundee": "University of Dundee's neglected-disease library (ChEMBL)",
    "CHEMBL_Glaxo": "Glaxo's hard filters (ChEMBL)",
    "CHEMBL_Inpharmatica": "Inpharmatica's unwanted fragments (ChEMBL)",
    "CHEMBL_LINT": "Pfizer's lint (ChEMBL)",
    "CHEMBL_MLSMR": "NIH's MLSMR filters (ChEMBL)",
    "CHEMBL_SureChEMBL": "SureChEMBL's MedChem alerts (ChEMBL)",
    "PAINS_A": "PAINS, the commonest",
    "PAINS_B": "PAINS, less common",
    "PAINS_C": "PAINS, rare",
}
