"""The page about a docked pose: `explain(docking, target)` says where the score comes from and what would help.

  report.py        explain() and PoseReport: begin here; page.py puts it into words, drawing.py into a picture
  given.py         poses that people bring, instead of docked ones
what is there
  atoms.py         a pdbqt as Vina types it; terms.py has Vina's energies between two such sets of atoms
  ligand.py        the posed molecule, its donors, acceptors, charges and rings; receptor.py the same of the protein
what is said about it
  shares.py        the score by atom, fragment and residue, and the ends that do not pay
  contacts.py      hydrogen bonds and the like, clashes, unsatisfied atoms; geometry.py says what counts as one
  missing.py       how far the pose is from a contact that somebody wants
  burial.py        what the protein covers of each atom
  growth.py        what to put where: substituents.py tries small groups, room.py and probes.py map the free room
"""

from __future__ import annotations

from .drawing import atom_colours, svg
from .report import CONTACT_KINDS, PoseReport, explain, explain_in_place

__all__ = ["CONTACT_KINDS", "PoseReport", "atom_colours", "explain", "explain_in_place", "svg"]
