"""What a command says where the packages of the extra `radiotherapy` are not installed."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import wraps

from tgsci.errors import UsageError

#: Packages that the extra brings.
PACKAGES = (
    "matplotlib", "mpl_toolkits", "numba", "numpy", "optuna", "platformdirs", "pydicom", "pymatreader", "pymedphys",
    "scipy", "skimage", "zarr",
)  # fmt: skip
Run = Callable[[argparse.Namespace], int]


def needs_extra(run: Run) -> Run:
    """A command that says how to install what it needs, instead of where an import failed.

    Args:
        run: The command's function.
    """

    @wraps(run)
    def guarded(arguments: argparse.Namespace) -> int:
        try:
            return run(arguments)
        except ModuleNotFoundError as error:
            missing = (error.name or "").partition(".")[0]
            if missing not in PACKAGES:
                raise
            raise UsageError(f"this needs the package {missing}: pip install 'tgsci[radiotherapy]'") from None

    return guarded
