"""What an objective wants kept, as atoms that edits leave alone: no effort goes into products it would refuse."""

from __future__ import annotations

from dataclasses import dataclass

from rdkit import Chem

from tgsci.loss import LimitedLoss, Loss


@dataclass(frozen=True)
class Protection:
    """Atoms by index.

    Args:
        fixed: Neither removed nor changed.
        closed: Bear no further substituent either.
    """

    fixed: frozenset[int] = frozenset()
    closed: frozenset[int] = frozenset()


NOTHING = Protection()


def protection(loss: Loss | None, mol: Chem.Mol) -> Protection:
    """The atoms of a molecule that an objective's `keep` and `core` are about; none for any other loss.

    A group that is there more often than it must be is free: one of them may go.
    """
    from ..objective.limits import CoreKept, Keep

    while isinstance(loss, LimitedLoss):
        loss = loss.loss
    fixed: set[int] = set()
    closed: set[int] = set()
    for limit in getattr(loss, "limits", ()):
        if isinstance(limit, Keep):
            matches = limit.pattern.matches(mol)
            if len(matches) <= limit.count:
                fixed.update(*matches)
        elif isinstance(limit, CoreKept) and (fit := limit.core.fit(mol)) is not None:
            fixed.update(fit.atoms)
            if limit.core.ends:
                closed.update(set(fit.atoms) - set(fit.ends))
    return Protection(frozenset(fixed), frozenset(closed)) if fixed else NOTHING
