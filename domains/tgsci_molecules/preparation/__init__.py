"""From a person's protein file to a target: `prepare()` in `prepare.py` is where to begin.

What is where:
  prepare.py         the steps in their order, and the directory that is left at the end
  structures.py      reads PDB and mmCIF
  choice.py          the binding site, and what of the file belongs to the receptor
  crystal_ligand.py  bond orders of the ligand in the crystal (ligands.tsv has common drugs and cofactors)
  pockets.py         where a ligand may bind, if nobody knows
  sidechains.py      side chains turned (flips.py) and protonated (states.py: the file's word, PROPKA's, a metal's)
  repair.py          missing atoms, loops and hydrogens (pdbfixer, OpenMM)
  receptor_pdbqt.py  atom types for Vina
  redock.py          docks the crystal's ligand back, to see whether the site works
"""
