"""tgsci: text gradients for science. Simulators are loss functions; their reports are the gradients."""

import lazy_loader

from . import engines as engines  # the names that `get_engine` knows
from .basics.version import __version__ as __version__

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
