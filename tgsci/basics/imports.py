"""Optional packages, imported where they are needed.

Names that a package exports without importing their modules stand in an `__init__.pyi` beside its `__init__.py`, and
`lazy_loader` reads them there; type checkers read the same file:

    __getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
"""

from __future__ import annotations

import importlib
from typing import Any

from ..errors import UsageError


def needs(module: str, purpose: str, extra: str = "") -> Any:
    """Import a package that only one purpose needs.

    Args:
        module: Its dotted name.
        purpose: What needs it, as the message begins: "a plot".
        extra: The extra of tgsci that brings it; "" where the package is installed by itself.

    Returns:
        The module.

    Raises:
        UsageError: It is not installed, or cannot be imported; says how to install it.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        package = module.partition(".")[0]
        install = f"pip install 'tgsci[{extra}]'" if extra else f"pip install {package}"
        missing = isinstance(error, ModuleNotFoundError) and (error.name or "").partition(".")[0] == package
        why = "" if missing else f", which cannot be imported ({str(error)[:200]})"
        raise UsageError(f"{purpose} needs {package}{why}: {install}") from error
