"""What several poses of a molecule say together: where it can grow in all targets, what holds it in a wrong one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from ..molecule.smiles import atom_name, molecule
from ..pose.substituents import SUBSTITUENTS
from ..target.targets import Target
from .limiting import Pull

if TYPE_CHECKING:
    from ..pose import PoseReport
    from ..pose.growth import Growth

#: Places to grow, fragments and bonds that are named, at most.
_PLACES, _PIECES = 6, 5
#: A group is worth naming from this on for each of its heavy atoms, kcal/mol.
_WORTH = -0.15


class Posed(Protocol):
    """A pose in a target, with its report."""

    @property
    def report(self) -> PoseReport:
        """The report about the pose."""
        ...

    target: Target


def several_lines(poses: Sequence[Posed], pulled: Sequence[Pull]) -> list[str]:
    """Write where there is room to grow in all targets that count, and what an off-target holds on to.

    Args:
        poses: In each target that the molecule fits into.
        pulled: What the loss wants of the targets that decide it; the others must not get worse.
    """
    avoided = {pull.target for pull in pulled if pull.off_target}
    bound = [posed for posed in poses if posed.target.name not in avoided]
    lines = []
    if len(bound) > 1:
        lines += _room_in_all(bound)
    for posed in poses:
        if posed.target.name in avoided and bound:
            lines += _held(posed, bound[0])
    return lines


def _room_in_all(bound: Sequence[Posed]) -> list[str]:
    names = ", ".join(str(posed.target) for posed in bound)
    tables = [_useful(posed.report) for posed in bound]
    places = []
    for atom in tables[0]:
        if all(atom in table for table in tables):
            found = _fitting([table[atom] for table in tables])
            if found:
                places.append((*found, atom))
    if not places:
        return [f"GROWTH with room in all of {names}: none."]
    mol = molecule(bound[0].report.smiles)
    words = [f"{atom_name(mol, atom)} {group} {worst:+.1f}" for worst, group, atom in sorted(places)[:_PLACES]]
    return [f"GROWTH with room in all of {names} (the smallest gain in any of them, kcal/mol): {', '.join(words)}."]


def _useful(report: PoseReport) -> Mapping[int, Growth]:
    return {growth.atom: growth for growth in report.growth if growth.character not in ("closed", "solvent")}


def _fitting(growths: Sequence[Growth]) -> tuple[float, str] | None:
    """Find the group that gains most where it gains least; None where no group is worth its atoms everywhere."""
    energies = [dict(growth.substituents) for growth in growths]
    common = [group for group in energies[0] if all(group in table for table in energies)]
    worst = [(round(max(table[group] for table in energies), 2), group) for group in common]
    return min((each for each in worst if each[0] <= _WORTH * len(SUBSTITUENTS[each[1]])), default=None)


def _held(posed: Posed, wanted: Posed) -> list[str]:
    """Say what holds the molecule in an off-target, against the target, and where growth would only harm there."""
    here, there, mol = posed.report, wanted.report, molecule(posed.report.smiles)
    energies = [{atom.index: atom.energy for atom in report.atoms} for report in (there, here)]
    pieces = []
    for piece in here.fragments[:_PIECES]:
        figures = [sum(table.get(i, 0.0) for i in piece.atoms) for table in energies]
        if len(piece.atoms) > 1:
            pieces.append((round(figures[1] - figures[0], 2), f"{piece.smiles} {figures[0]:.1f} / {figures[1]:.1f}"))
    lines = [
        f"TO BIND {posed.target} LESS, contacts by fragment, {wanted.target} / {posed.target} (kcal/mol): "
        f"{', '.join(words for _, words in sorted(pieces))}."
    ]
    bonds = [f"{atom_name(mol, bond.atom)} - {bond.residue} {bond.receptor_atom}" for bond in here.hbonds[:_PIECES]]
    if bonds:
        lines.append(f"  hydrogen bonds in {posed.target}: {', '.join(bonds)}")
    closed = {growth.atom for growth in here.growth if growth.character == "closed"}
    places = [
        f"{atom_name(mol, atom)} ({growth.substituents[0][0]} {growth.substituents[0][1]:+.1f})"
        for atom, growth in _useful(there).items()
        if atom in closed and growth.substituents[0][1] < 0
    ]
    if places:
        lines.append(f"  room in {wanted.target} and none in {posed.target}: {', '.join(places[:_PLACES])}")
    return lines
