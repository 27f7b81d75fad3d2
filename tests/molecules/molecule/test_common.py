"""The common part of two molecules: elements may differ, rings are whole, symmetry gives several ways."""

from __future__ import annotations

from rdkit import Chem

from tgsci_molecules.molecule.common import common_part


def part(first: str, second: str) -> tuple[list[str], int]:
    """The common atoms as the second molecule spells them, sorted; and in how many ways."""
    one, other = Chem.MolFromSmiles(first), Chem.MolFromSmiles(second)
    ways = common_part(one, other)
    symbols = sorted(other.GetAtomWithIdx(there).GetSymbol() for _, there in ways[0]) if ways else []
    return symbols, len(ways)


def test_an_atom_of_a_ring_may_change_and_both_faces_of_a_ring_are_ways() -> None:
    symbols, ways = part("Cc1ccc(NC(C)=O)cc1", "Cc1ccc(NC(C)=O)cn1")
    assert symbols == ["C"] * 8 + ["N", "N", "O"]
    assert ways == 1 + 1


def test_a_ring_of_another_size_is_not_common() -> None:
    symbols, _ = part("O=C(NC1CCCC1)c1ccccc1", "O=C(NC1CCCCC1)c1ccccc1")
    assert symbols == ["C"] * 7 + ["N", "O"]


def test_the_common_part_is_in_one_piece() -> None:
    symbols, _ = part("c1ccccc1CCCc1ccccc1", "c1ccccc1C1CC1c1ccccc1")
    assert symbols == ["C"] * 6


def test_where_little_is_common_nothing_is() -> None:
    assert part("CC(N)=O", "CC(=O)NC") == ([], 0)
    assert part("c1ccccc1", "CCCCCCCC") == ([], 0)


def test_atoms_are_numbered_as_in_the_molecules_given_however_they_are_written() -> None:
    one, other = Chem.MolFromSmiles("OCCc1ccccc1F"), Chem.MolFromSmiles("Fc1c(CCO)cccc1")
    for pairs in common_part(one, other):
        assert len(pairs) == 10
        for here, there in pairs:
            assert one.GetAtomWithIdx(here).GetSymbol() == other.GetAtomWithIdx(there).GetSymbol()
