"""How the core's tests start other processes."""

from __future__ import annotations

import os
from pathlib import Path

import tgsci


def child_environment(**env: str) -> dict[str, str]:
    """This interpreter's environment, with the package that is being tested on its path."""
    paths = [str(Path(tgsci.__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths)), **env}
