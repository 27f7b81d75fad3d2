"""What is wanted of a molecule.

What is where:
  loss.py        Objective and DockingLoss: begin here; report.py writes the report, finalists.py docks the best again
  terms.py       terms and how they are put together; transforms.py says how a metric enters a term
  metrics.py     what a term or a limit can be about; calculate.py computes those of the structure
  limits.py      hard limits: ranges.py reads their ranges, core.py scaffolds, contacts.py contacts of the pose
  presets.py     published objectives by name
  advice.py      advice in words, read as limits (groups.tsv)
  build.py       an objective from the table of a job file, and back
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
