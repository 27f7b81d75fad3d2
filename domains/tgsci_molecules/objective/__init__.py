"""What is wanted of a molecule: terms with transforms, hard limits, and objectives by name."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
