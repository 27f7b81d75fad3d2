"""What is expected of molecules before they are docked: the rule editor's surrogate, for any SMILES."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rdkit import rdBase

from tgsci.search.trial import Outlook, Trials

from ..editor.candidates import molecule_of
from ..editor.descriptors import Descriptors, descriptors
from ..editor.predictor import Predictor
from ..molecule.smiles import MAX_LENGTH

#: What breaking hard limits adds to the expected loss, in kcal/mol of docking: any molecule that keeps them is better.
_INFEASIBLE = 1e6


def predict(trials: Trials, values: Sequence[str]) -> list[Outlook | None]:
    """Predict the loss of molecules from what was measured so far.

    The expected loss is an honest one, to be compared with what comes: nothing is added for a molecule that is hard to
    make, as the rule editor adds it when it chooses. Only hard limits count: one that is broken for certain costs 10^6
    kcal/mol and more, one about the pose as far as it is expected to be broken.

    Args:
        trials: Everything that happened so far.
        values: SMILES, canonical or not.

    Returns:
        What is expected of each; None for what is no molecule, and for all of them while nothing was measured.
    """
    with rdBase.BlockLogs():
        predictor = Predictor(trials)
        readable = {value: found for value in values if (found := _read(value)) is not None}
        if not predictor.measured or not readable:
            return [None] * len(values)
        molecules = list(dict.fromkeys(readable.values()))
        outlook = predictor.predict(molecules)
        expected: dict[str, Outlook] = {}
        for molecule, loss, sd in zip(molecules, outlook.loss.tolist(), outlook.sd.tolist(), strict=True):
            loss += predictor.lacking(molecule) + _INFEASIBLE * predictor.violation(molecule) * predictor.unit
            if math.isfinite(loss) and math.isfinite(sd):
                expected[molecule.smiles] = Outlook(loss, sd)
    return [expected.get(readable[value].smiles) if value in readable else None for value in values]


def _read(value: str) -> Descriptors | None:
    """Calculate what the surrogate needs of a value; None where it is no molecule."""
    if len(value) > MAX_LENGTH:
        return None
    try:
        smiles = molecule_of(value)
        return descriptors(smiles) if smiles else None
    except ValueError:  # RDKit's own are of this kind
        return None
