"""Molecules as text and as chemistry.

What is where:
  smiles.py       canonical(), the check of every proposed SMILES, and Molecule, a SMILES that carries what RDKit read
  library.py      molecules as people keep them: files, names, salts (salts.py, salts.tsv)
  patterns.py     SMARTS, and structural alerts by catalogue (catalogs.py, unstable_alerts.tsv)
  properties.py   drug-likeness, its parts, and the atoms that raise an alert
  isomers.py      the forms to dock: stereoisomers, tautomers, and states of protonation
  protonation.py  states at a pH with their shares, from the pKa of each site (ionisation.py, ionisation.tsv)
"""
