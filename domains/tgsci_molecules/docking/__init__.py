"""From a canonical SMILES and a target to a docked pose.

What is where:
  vina.py      dock(): begin here; it reads as the protocol does
  settings.py  how hard Vina searches
  ligand.py    a molecule made ready for Vina: embed, relax, type
  cache.py     results of this machine, docked once
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
