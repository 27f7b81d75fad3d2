"""Versions of what a plan's figures come from."""

from __future__ import annotations


def versions() -> dict[str, str]:
    """Of tgsci, and of what compiles and calculates for it, by name."""
    from importlib.metadata import version

    from tgsci import __version__

    return {"tgsci": __version__, **{name: version(name) for name in ("numba", "numpy", "scipy")}}
