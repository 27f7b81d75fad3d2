"""The report about a docked pose: `explain(docking, target)` says where the score comes from and what would help.

  report.py        explain() and PoseReport: begin here; text.py puts it into words, drawing.py into a picture
  files.py         poses from files, in place of docked ones
What there is:
  atoms.py         a pdbqt as Vina types it; terms.py has Vina's energies between two such sets of atoms
  ligand.py        the posed molecule, its donors, acceptors, charges and rings; receptor.py the same of the protein
What the report says about it:
  shares.py        the score by atom, fragment and residue, how deep each atom is buried, the ends that do not pay
  contacts.py      hydrogen bonds and the like, clashes, unsatisfied atoms, and how far the pose is from a contact that
                   it does not make; geometry.py says what counts as one
  growth.py        what to put where: substituents.py tries small groups, probes.py maps the free room
"""

from __future__ import annotations

from .drawing import atom_colours, svg
from .report import CONTACT_KINDS, PoseReport, explain, explain_in_place, shortfall

__all__ = ["CONTACT_KINDS", "PoseReport", "atom_colours", "explain", "explain_in_place", "shortfall", "svg"]
