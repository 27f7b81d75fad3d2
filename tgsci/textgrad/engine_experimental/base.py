"""The engine of one's own, where the experimental engines have it."""

from ..engine.base import EngineLM

__all__ = ["EngineLM"]
