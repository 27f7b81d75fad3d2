"""What RDKit, meeko, Vina and OpenMM raise about a molecule is that molecule's failure, never the end of a run."""

from __future__ import annotations

import dis
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

from tgsci.basics.texts import quote
from tgsci.errors import MeasurementError, TgsciError

_HERE = Path(__file__).parent
#: The packages whose errors are about the molecule.
_LIBRARIES = ("rdkit", "meeko", "vina", "openmm", "Boost", "prody", "gemmi", "simtk")
#: What a mistake in our own lines raises, Boost's complaint about arguments (a TypeError) included.
_MISTAKES = (TypeError, NameError, AttributeError, LookupError, AssertionError, ImportError)


@contextmanager
def calling(stage: str) -> Iterator[None]:
    """Run calls into a library: whatever they raise becomes a failure of the molecule.

    Put nothing but such calls inside. A mistake in the lines themselves (a wrong name, a wrong argument) stays one.

    Args:
        stage: The stage that fails, for the message.

    Raises:
        MeasurementError: The library raised something; the message names the stage and gives its first line.
    """
    try:
        yield
    except TgsciError:
        raise
    except Exception as error:
        if isinstance(error, _MISTAKES) and _raised_in(error.__traceback__).is_relative_to(_HERE):
            raise
        raise _failure(stage, error) from error


@contextmanager
def measuring(stage: str) -> Iterator[None]:
    """Run code of ours that calls libraries here and there: what is surely theirs becomes a failure of the molecule.

    Args:
        stage: What is done, for the message.

    Raises:
        MeasurementError: A library raised something that `calling` did not stand around.
        Exception: A bug of ours, as it was raised.
    """
    try:
        yield
    except TgsciError:
        raise
    except Exception as error:
        if not _of_library(error):
            raise
        raise _failure(stage, error) from error


def _of_library(error: Exception) -> bool:
    """Tell whether an error is of a library's own kind, comes from its files, or was raised by compiled code."""
    kinds = {kind.__module__.partition(".")[0] for kind in type(error).__mro__}
    where = _raised_in(error.__traceback__).parts
    if isinstance(error, _MISTAKES) and kinds & {"Boost"}:
        return False
    return bool(kinds & set(_LIBRARIES) or set(where) & set(_LIBRARIES) or _by_compiled_code(error))


def _by_compiled_code(error: Exception) -> bool:
    """Tell whether RDKit's or another library's compiled code raised an error: there is no line that says raise."""
    trace = error.__traceback__
    if not isinstance(error, RuntimeError | ValueError) or trace is None:
        return False
    while trace.tb_next is not None:
        trace = trace.tb_next
    return trace.tb_frame.f_code.co_code[trace.tb_lasti] != dis.opmap["RAISE_VARARGS"]


def _raised_in(trace: TracebackType | None) -> Path:
    """Find the file of the innermost line that raised."""
    path = Path()
    while trace is not None:
        path, trace = Path(trace.tb_frame.f_code.co_filename), trace.tb_next
    return path


def _failure(stage: str, error: Exception) -> MeasurementError:
    line = next((line.strip() for line in str(error).splitlines() if line.strip()), "no reason given")
    return MeasurementError(f"{stage}: {type(error).__name__}: {quote(line).strip(chr(39))}")
