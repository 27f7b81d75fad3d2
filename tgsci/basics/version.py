"""The version of tgsci: kept with every run, and alike in `pyproject.toml`."""

__version__ = "0.1.0"
