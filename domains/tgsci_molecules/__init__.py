"""Molecules for tgsci: SMILES as values, docking as a loss. Nothing heavy is imported before it is used.

The rooms, in the order in which a molecule travels; the `__init__` of each says what is where in it:
  commands/     the command line: `design` builds a problem, runs it and shows the result
  plugin.py     the problem that the domain hands to the core; job.py has the keys of a job file
  objective/    the loss: terms, hard limits, and the report behind the number
  molecule/     a SMILES, checked and parsed once
  target/       a protein and the box around its binding site; preparation/ makes one from a person's file
  docking/      from a SMILES and a target to a pose with its score
  pose/         what the pose shows: contacts, clashes, where the molecule could grow
  physics/      the pose under force fields that are not Vina's
  editor/       proposers without a model
  views/        tables, pose files and pictures
tables.py reads the tab-separated tables beside the code; failures.py makes what RDKit, meeko, Vina and OpenMM
raise about a molecule into that molecule's failure.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
