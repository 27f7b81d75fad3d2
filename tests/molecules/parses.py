"""Counts how often this package has RDKit parse a SMILES."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from rdkit import Chem


@contextmanager
def counted() -> Iterator[list[str]]:
    """The texts that `tgsci_molecules` has parsed meanwhile; what its libraries parse does not count."""
    texts: list[str] = []
    parse = Chem.MolFromSmiles

    def counting(smiles: Any, *arguments: Any, **keywords: Any) -> Any:
        if sys._getframe(1).f_globals["__name__"].startswith("tgsci_molecules"):
            texts.append(str(smiles))
        return parse(smiles, *arguments, **keywords)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Chem, "MolFromSmiles", counting)
        yield texts
