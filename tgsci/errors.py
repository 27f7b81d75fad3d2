"""Every exception that tgsci raises on purpose. Catch `TgsciError` to catch them all."""

from __future__ import annotations


class TgsciError(Exception):
    """Something a person can act on: the message says what was wrong and what to do."""


class UsageError(TgsciError):
    """Bad input, found before any work started. The command line exits with 2."""


class InvalidValue(TgsciError):
    """A proposed value that a loss cannot accept. The message is written for the proposer."""


class MeasurementError(TgsciError):
    """A simulator could not measure a value: a known failure, recorded as feedback, never a score.

    Args:
        message: What failed, for the person and for the optimizer.
        transient: True where the same value may well be measured on another try.
    """

    def __init__(self, message: str, *, transient: bool = False) -> None:
        super().__init__(message)
        self.transient = transient


class EngineError(TgsciError):
    """An engine gave no reply at all: no key, no network, or still failing after every retry."""


class GraphError(TgsciError):
    """A computation graph that cannot be walked, for example one with a cycle."""


class LedgerError(TgsciError):
    """A run directory that cannot be used: in use, of another version, or not a run at all."""


class RecordError(LedgerError):
    """A run under way could not be recorded any further: a full disk, say. What was recorded before is safe."""
