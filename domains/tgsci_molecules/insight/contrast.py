"""What a change of a molecule did to its pose: a child against its parent, in a line or two."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import numpy as np
from rdkit import Chem, rdBase

from tgsci.errors import TgsciError
from tgsci.feedback import Feedback
from tgsci.search.trial import Trial, Trials

from ..editor.grow import FRAGMENTS
from ..molecule.common import Pairs, common_part, connected
from ..molecule.smiles import MAX_LENGTH, molecule
from ..objective import Objective
from ..objective.limiting import deciding, pulls
from ..objective.revisit import BETTER, Placed, artifact, placed_of, poses_of
from ..pose.ligand import numbers_in
from ..pose.subpockets import nearest, subpockets
from ..pose.terms import Floats
from ..target.targets import Target

#: A pose is kept where the common part moved by less, Angstrom; and turned or flipped from these angles on, degrees.
_KEPT, _TURNED, _FLIPPED = 1.5, 45.0, 120.0
#: An atom that moved by less makes the contacts that it made, Angstrom.
_STILL = 0.5
#: A gain of less is one of relaxing, not of a pose that the search missed, kcal/mol.
_MISSED = 0.1
#: A report of more characters than this is none of a small molecule.
_LONGEST = 1_000_000
#: Groups and contacts of each kind that are named, and characters of a group, at most.
_MOST, _GROUP = 3, 24
#: Advice to grow came true where the new part earns this share of what was promised, and the pose is kept.
_TRUE = 0.5
#: What became of advice to grow that was followed, as a contrast says it.
_CAME_TRUE, _FELL_SHORT, _POSE_LEFT = "it came true", "it did not come true", "the pose did not stay for it"
#: The kinds of contacts in a pose's report, and what they are called.
_CONTACTS = {
    "hbonds": "hydrogen bond",
    "salt_bridges": "salt bridge",
    "metals": "metal bond",
    "halogen_bonds": "halogen bond",
    "aromatic": "aromatic contact",
}


def contrast(objective: Objective, parent: Trial, child: Trial) -> str:
    """Say what became of the pose, where its groups lie now, and which contacts were gained and lost.

    In several targets: of the one that decides the child's loss, and in a few words of the others.

    Args:
        objective: The run's.
        parent: A trial.
        child: One that was made from it.

    Returns:
        "" where one of them has no pose.
    """
    before, after = parent.feedback, child.feedback
    if before is None or after is None or not (before.measured and after.measured):
        return ""
    try:
        with rdBase.BlockLogs():
            return _contrast(objective, before, after, child.first or after)
    except (TgsciError, ArithmeticError, LookupError, TypeError, ValueError, RuntimeError):
        return ""  # artifacts of another shape, or what RDKit raises: a contrast is no reason to stop


def _contrast(objective: Objective, before: Feedback, after: Feedback, first: Feedback) -> str:
    decided = [pull.target for pull in deciding(pulls(objective.aggregated, objective.metrics, after.metrics))]
    names = [name for name in decided if name in {t.name for t in objective.targets}]
    ordered = sorted(objective.targets, key=lambda t: names.index(t.name) if t.name in names else len(names))
    seen = [move for target in ordered if (move := _moved(objective.targets, target, before, after)) is not None]
    if not seen:
        return ""
    placed = placed_of(first)
    main, *others = seen
    several = len(objective.targets) > 1
    isomer = _tag(main.child.block, "isomer")
    lines = [
        [
            f"docked as {isomer}" if isomer else "",
            f"{main.target}: {main.words}" if several else main.words,
            main.in_parents_pose(placed),
            main.advice,
        ],
        [
            main.groups,
            main.energies,
            main.contacts,
            *(
                "; ".join(filter(None, [f"{other.target}: {other.words}", other.in_parents_pose(placed)]))
                for other in others
                if other.pairs
            ),
        ],
    ]
    return "\n".join(filter(None, ("; ".join(filter(None, line)) for line in lines)))


@dataclass(frozen=True)
class _Pose:
    """A pose as a measurement keeps it.

    Args:
        smiles: Canonical.
        block: The SDF record.
        table: Its report.
    """

    smiles: str
    block: str
    table: Mapping[str, Any]

    @cached_property
    def mol(self) -> Chem.Mol:
        return molecule(self.smiles)

    @cached_property
    def xyz(self) -> Floats:
        """The positions of the atoms of `smiles`, Angstrom."""
        pose = Chem.RemoveHs(Chem.MolFromMolBlock(self.block, removeHs=False))
        positions = np.zeros((self.mol.GetNumAtoms(), 3))
        positions[list(numbers_in(self.smiles, pose))] = pose.GetConformer().GetPositions()
        return positions

    def rows(self, kind: str) -> Iterator[Mapping[str, Any]]:
        entries = self.table.get(kind)
        return (row for row in (entries if isinstance(entries, list) else []) if isinstance(row, Mapping))

    @cached_property
    def energies(self) -> dict[int, float]:
        """What each atom's contacts earn, kcal/mol."""
        return {int(row["index"]): float(row["energy"]) for row in self.rows("atoms")}

    @cached_property
    def fragments(self) -> list[tuple[tuple[int, ...], str]]:
        """The stiff pieces: their atoms and SMILES."""
        count = self.mol.GetNumAtoms()
        pieces = [(tuple(int(i) for i in row["atoms"]), str(row["smiles"])) for row in self.rows("fragments")]
        return [(atoms, text) for atoms, text in pieces if atoms and all(0 <= i < count for i in atoms)]

    def group_of(self, atom: int) -> str:
        """Name the piece that an atom is in."""
        return next((_short(text) for atoms, text in self.fragments if atom in atoms), "")

    @cached_property
    def contacts(self) -> dict[tuple[str, str], int]:
        """The contacts of direction: kind and residue, with the atom that makes it."""
        found: dict[tuple[str, str], int] = {}
        for key, kind in _CONTACTS.items():
            for row in self.rows(key):
                atom = int(row["atoms"][0] if key == "aromatic" else row["atom"])
                found.setdefault((kind, str(row["residue"])[:20]), atom)
        return found

    def held(self, contacts: Iterable[tuple[str, str]]) -> list[str]:
        """Write some of its contacts, each with the group that makes it."""
        return [_written(contact, self.group_of(self.contacts[contact])) for contact in contacts]


@dataclass(frozen=True)
class _Move:
    """What a change did in one target."""

    target: Target
    parent: _Pose
    child: _Pose
    pairs: Pairs
    rmsd: float
    angle: float

    @property
    def words(self) -> str:
        """What became of the pose, in a few words."""
        if not self.pairs:
            return "little in common with its parent"
        if self.rmsd < _KEPT:
            return f"pose kept ({self.rmsd:.1f} A)"
        if self.angle >= _FLIPPED:
            return f"pose flipped ({self.rmsd:.1f} A, turned by {self.angle:.0f} degrees)"
        turned = f", turned by {self.angle:.0f} degrees" if self.angle >= _TURNED else ""
        return f"pose shifted {self.rmsd:.1f} A{turned}"

    @cached_property
    def new(self) -> set[int]:
        """The child's atoms that its parent has not."""
        return set(range(self.child.mol.GetNumAtoms())) - {there for _, there in self.pairs}

    @cached_property
    def gone(self) -> set[int]:
        """The parent's atoms that the child has not."""
        return set(range(self.parent.mol.GetNumAtoms())) - {here for here, _ in self.pairs}

    @property
    def groups(self) -> str:
        """Which groups lie in another sub-pocket now, and where the new ones lie."""
        parts, back = subpockets(self.target), {there: here for here, there in self.pairs}
        words = []
        for piece in map(sorted, connected(self.child.mol, self.new)) if self.pairs else ():
            place = nearest(parts, self.child.xyz[piece].mean(axis=0)) or "no sub-pocket"
            words.append(f"new {_short(Chem.MolFragmentToSmiles(self.child.mol, piece))} in {place}")
        moved = []
        for atoms, text in self.child.fragments:
            common = [(back[i], i) for i in atoms if i in back]
            if len(common) < 2 or 2 * len(common) < len(atoms):
                continue
            before = nearest(parts, self.parent.xyz[[here for here, _ in common]].mean(axis=0))
            after = nearest(parts, self.child.xyz[[there for _, there in common]].mean(axis=0))
            if before != after:
                moved.append(f"{_short(text)} from {before or 'outside'} to {after or 'outside'}")
        return "; ".join([*words[:_MOST], *moved[:_MOST]])

    @property
    def energies(self) -> str:
        """What the common part earned and earns, and the parts that came and went, kcal/mol."""
        if not self.pairs:
            return ""
        common = [
            sum(pose.energies[pair[n]] for pair in self.pairs) for n, pose in enumerate((self.parent, self.child))
        ]
        words = [f"contacts of the common part {common[0]:.1f} to {common[1]:.1f}"]
        words += [f"new part {sum(self.child.energies[i] for i in self.new):.1f}"] if self.new else []
        words += [f"part lost {sum(self.parent.energies[i] for i in self.gone):.1f}"] if self.gone else []
        return f"{', '.join(words)} kcal/mol"

    @property
    def contacts(self) -> str:
        """The contacts of direction that were gained and lost."""
        here, there = self.parent.contacts, self.child.contacts
        if not self.pairs:  # another molecule in the pocket: what it holds, not what it has not of the other
            return _listed("with", self.child.held(there)) if there else ""
        after, before = dict(self.pairs), {child: parent for parent, child in self.pairs}
        gained = self.child.held(
            key for key, atom in there.items() if key not in here and not self._stayed(before.get(atom), atom)
        )
        lost = self.parent.held(
            key for key, atom in here.items() if key not in there and not self._stayed(atom, after.get(atom))
        )
        return "; ".join(_listed(word, each) for word, each in (("gained", gained), ("lost", lost)) if each)

    def _stayed(self, here: int | None, there: int | None) -> bool:
        """Tell whether an atom is the same and where it was: then only the limit of a distance came between."""
        if here is None or there is None:
            return False
        a, b = self.parent.mol.GetAtomWithIdx(here), self.child.mol.GetAtomWithIdx(there)
        same = all(
            of(a) == of(b)
            for of in (
                Chem.Atom.GetAtomicNum,
                Chem.Atom.GetTotalNumHs,
                Chem.Atom.GetFormalCharge,
                Chem.Atom.GetHybridization,  # an amide's nitrogen is none of an amine
            )
        )
        return same and float(np.linalg.norm(self.parent.xyz[here] - self.child.xyz[there])) < _STILL

    def in_parents_pose(self, placed: Mapping[str, Placed]) -> str:
        """Say what the child scores in its parent's pose, kcal/mol; nothing where docking found that pose itself."""
        found = placed.get(self.target.name)
        if found is None or found.same or math.isnan(found.placed):
            return ""
        if math.isnan(found.docked):
            return f"the search had missed its parent's pose: {found.placed:.1f} there (it does not fit by docking)"
        gain = found.docked - found.placed
        if gain > _MISSED:
            return f"the search had missed its parent's pose: {found.placed:.1f} there (docked {found.docked:.1f})"
        if gain > BETTER:
            return f"in its parent's pose {found.placed:.2f}, which counts (docked {found.docked:.2f})"
        kept = bool(self.pairs) and self.rmsd < _KEPT
        return "" if kept else f"in its parent's pose {found.placed:.1f} (docked {found.docked:.1f})"

    @property
    def advice(self) -> str:
        """Whether the parent's report advised to grow where the child has grown, and whether that came true."""
        bonds = [
            (here, there)
            for here, there in self.pairs
            if any(n.GetIdx() in self.new for n in self.child.mol.GetAtomWithIdx(there).GetNeighbors())
        ]
        if self.gone or len(bonds) != 1:
            return ""
        atom = bonds[0][0]
        name = f"{self.parent.mol.GetAtomWithIdx(atom).GetSymbol()}{atom + 1}"
        came = sum(self.child.energies[i] for i in self.new)
        row = next((row for row in self.parent.rows("growth") if row.get("atom") == atom), None)
        if row is None:
            return ""
        if row.get("character") == "closed":
            return f"grown at {name}, where the report saw no room"
        listed = {str(group): float(energy) for group, energy in row["substituents"]}
        group = _grown(self.child.mol, bonds[0][1], self.new)
        promised = listed.get(group, min(listed.values(), default=0.0))
        if promised >= 0:
            return f"grown at {name}, where the report saw no gain"
        what = f"{group} {promised:.1f}" if group in listed else f"the best group {promised:.1f}"
        verdict = _CAME_TRUE if came <= _TRUE * promised else _FELL_SHORT
        verdict = _POSE_LEFT if self.rmsd >= _KEPT else verdict
        return f"grown at {name} as the report advised ({what} promised, {came:.1f} came: {verdict})"


def advice(trials: Trials) -> str:
    """Count how often the reports' advice to grow came true, by the run's contrasts; "" where nobody followed it."""
    contrasts = [trial.contrast for trial in trials if trial.contrast]
    true, short, left = (sum(what in text for text in contrasts) for what in (_CAME_TRUE, _FELL_SHORT, _POSE_LEFT))
    followed = true + short + left
    if not followed:
        return ""
    return (
        f"The reports' advice to grow (GROWTH) was followed {followed} time{'s' * (followed != 1)}: it came true "
        f"{true} time{'s' * (true != 1)}, earned less than promised {short}, and the pose did not stay {left}."
    )


def _moved(targets: Sequence[Target], target: Target, before: Feedback, after: Feedback) -> _Move | None:
    """Compare the poses in one target; None where one is missing."""
    prefix = "" if target is targets[0] else f"{target.name}."
    parent, child = (_pose(feedback, target, targets, prefix) for feedback in (before, after))
    if parent is None or child is None:
        return None
    best = min(
        ((*_distance(parent.xyz, child.xyz, pairs), pairs) for pairs in common_part(parent.mol, child.mol)),
        default=(0.0, 0.0, ()),
    )
    rmsd, angle, pairs = best
    return _Move(target, parent, child, pairs, rmsd, angle)


def _pose(feedback: Feedback, target: Target, targets: Sequence[Target], prefix: str) -> _Pose | None:
    block, text = poses_of(feedback, targets).get(target.name, ""), artifact(feedback, f"{prefix}pose.json")
    if not block or not 0 < len(text) <= _LONGEST:
        return None
    table = json.loads(text)
    smiles = table["smiles"]
    return _Pose(smiles, block, table) if isinstance(smiles, str) and len(smiles) <= MAX_LENGTH else None


def _distance(here: Floats, there: Floats, pairs: Pairs) -> tuple[float, float]:
    """Compute how far common atoms moved (root mean square, Angstrom) and turned (degrees)."""
    a, b = here[[pair[0] for pair in pairs]], there[[pair[1] for pair in pairs]]
    rmsd = float(np.sqrt(((a - b) ** 2).sum(axis=1).mean()))
    # Kabsch 1976: the rotation that lays one onto the other.
    u, _, vt = np.linalg.svd((a - a.mean(axis=0)).T @ (b - b.mean(axis=0)))
    u[:, -1] *= np.sign(np.linalg.det(u @ vt))
    cosine = (float(np.trace(u @ vt)) - 1.0) / 2.0
    return round(rmsd, 3), round(math.degrees(math.acos(max(-1.0, min(1.0, cosine)))), 1)


def _grown(mol: Chem.Mol, atom: int, new: set[int]) -> str:
    """Name the group that was put in place of a hydrogen; "" where it has no name."""
    bonds = [mol.GetBondBetweenAtoms(atom, n.GetIdx()) for n in mol.GetAtomWithIdx(atom).GetNeighbors()]
    out = [bond.GetIdx() for bond in bonds if new & {bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()}]
    if len(out) != 1 or mol.GetBondWithIdx(out[0]).IsInRing():
        return ""
    cut = Chem.FragmentOnBonds(mol, out, dummyLabels=[(0, 0)])
    pieces = Chem.GetMolFrags(cut, asMols=True, sanitizeFrags=False)
    indices = Chem.GetMolFrags(cut)
    gone = (piece for piece, place in zip(pieces, indices, strict=True) if atom not in place)
    return next((_named().get(Chem.MolToSmiles(piece), "") for piece in gone), "")


@cache
def _named() -> dict[str, str]:
    """List the groups that reports promise, by SMILES with the bond cut."""
    return {Chem.MolToSmiles(Chem.MolFromSmiles(f"*-{each.smiles}")): each.name for each in FRAGMENTS}


def _tag(block: str, name: str) -> str:
    """Get a tag of an SDF record; "" where it has none."""
    return block.partition(f"\n>  <{name}>\n")[2].partition("\n")[0][:MAX_LENGTH]


def _written(contact: tuple[str, str], group: str) -> str:
    kind, residue = contact
    return f"{kind} {residue}" + (f" ({group})" if group else "")


def _listed(word: str, each: Sequence[str]) -> str:
    more = f" and {len(each) - _MOST} more" if len(each) > _MOST else ""
    return f"{word} {', '.join(each[:_MOST])}{more}"


def _short(text: str) -> str:
    return text if len(text) <= _GROUP else f"{text[: _GROUP - 3]}..."
