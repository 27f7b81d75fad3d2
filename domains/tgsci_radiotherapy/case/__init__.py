"""Cases: the patient on a grid, with structures, beams and the dose that each beamlet gives to each voxel.

In the order in which to read it: `model` is a case, `regions` are structures made from its structures, `checks` says
whether it can be planned on, `build` makes one from masks and a matrix. `library` opens cases by name or path:
`phantoms` are the built-in patients, `beams` computes their dose influence. `store` saves and loads a case, `archive`
checks a file before it is trusted, `quantise` makes what is saved and what is read the same to the last bit.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
