"""Python functions of variables."""

from ...functions import StringBasedFunction

__all__ = ["StringBasedFunction"]
