"""What the built-in targets are called: symbols, proteins, synonyms, and what somebody may have meant."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tgsci.basics.texts import nearest

from ..tables import read_table

#: Longest text that is compared with the names.
_LONGEST = 60
_GREEK = {"\N{GREEK SMALL LETTER ALPHA}": "alpha", "\N{GREEK SMALL LETTER BETA}": "beta"}
_GREEK |= {"\N{GREEK SMALL LETTER GAMMA}": "gamma", "\N{GREEK SMALL LETTER DELTA}": "delta"}


@dataclass(frozen=True)
class Protein:
    """A protein of the built-in targets.

    Args:
        symbol: The gene's, as in `target_names()`.
        uniprot: Accession of the protein in the receptor file.
        species: The species of the receptor file; empty where it is not certain.
        name: UniProt's recommended name.
        synonyms: Others that people use; each belongs to one target.
    """

    symbol: str
    uniprot: str
    species: str
    name: str
    synonyms: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Everything it may be found by."""
        return self.symbol, self.name, *self.synonyms


@cache
def proteins() -> dict[str, Protein]:
    """Read the proteins of the built-in targets, by symbol; `proteins.tsv` beside this file."""
    return {protein.symbol: protein for protein in read_table(Path(__file__).with_name("proteins.tsv"), _protein)}


def _protein(row: Mapping[str, str]) -> Protein:
    synonyms = tuple(filter(None, row["synonyms"].split(";")))
    return Protein(row["symbol"], row["uniprot"], row["species"], row["name"], synonyms)


def resolved(text: str) -> str | None:
    """Find the symbol that a name stands for: `thrombin` is F2, `COX-2` is PTGS2; None for an unknown name.

    Upper and lower case, spaces and hyphens make no difference.
    """
    return _index().get(_plain(text))


def suggestions(text: str, limit: int = 5) -> list[str]:
    """Suggest targets for a text that is no name, best first, with the synonym that was near: `F2 (thrombin)`."""
    wanted = _plain(text)
    if len(wanted) < 2:
        return []
    spelled = _spelled()
    near = nearest(wanted, spelled, 3 * limit, cutoff=0.7)
    if len(wanted) >= 3:
        near += [name for name in spelled if name.startswith(wanted[:4]) or wanted in name]
    by_symbol: dict[str, str] = {}
    for name in near:
        symbol = _index()[name]
        by_symbol.setdefault(symbol, symbol if name == _plain(symbol) else f"{symbol} ({spelled[name]})")
    return list(by_symbol.values())[:limit]


def matching(text: str) -> list[str]:
    """Find the symbols of all targets with a name that contains a text."""
    wanted = _plain(text)
    if not wanted:
        return list(proteins()) if not text.strip() else []
    return [
        protein.symbol
        for protein in proteins().values()
        if any(wanted in _plain(name) for name in (*protein.names, protein.uniprot))
    ]


def _plain(text: str) -> str:
    text = "".join(_GREEK.get(character, character) for character in text[:_LONGEST].casefold())
    text = unicodedata.normalize("NFKD", text)
    return re.sub(r"[^a-z0-9]", "", text)


@cache
def _spelled() -> dict[str, str]:
    """Map every name without its spaces and hyphens to how it is written."""
    return {_plain(name): name for protein in proteins().values() for name in protein.names}


@cache
def _index() -> dict[str, str]:
    index: dict[str, str] = {}
    for protein in proteins().values():
        for name in (*protein.names, protein.uniprot):
            index.setdefault(_plain(name), protein.symbol)
    return index
