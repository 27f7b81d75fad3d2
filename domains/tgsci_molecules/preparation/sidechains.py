"""The side chains of the receptor as the person, the file and PROPKA want them: turned, protonated, and why."""

from __future__ import annotations

import gemmi

from tgsci.basics.texts import quote
from tgsci.errors import UsageError

from .choice import Choice, Options
from .flips import Polar, places_of, proposals, turned
from .repair import Residue, pdb_text, with_all_atoms
from .states import Place, State, by_propka, hydrogens_of, in_words, of_file, with_proton_on_second
from .structures import Group, number_of, point_of

#: Residues that a note names, at most.
_SHOWN = 12


def by_place(choice: Choice, letters: dict[str, str]) -> dict[Place, gemmi.Residue]:
    """Index the residues of the file as they are written: by chain letter and number."""
    return {
        (letters[name], number_of(residue)): residue for name, members in choice.residues.items() for residue in members
    }


def with_flips(residues: list[Residue], choice: Choice, options: Options, letters: dict[str, str]) -> list[Residue]:
    """Turn the side chains that were asked for, and say which others would fit better turned.

    Raises:
        UsageError: A residue that is asked for is not there, or is no Asn, Gln or His.
    """
    others = [*(Polar("both", point_of(g.heavy[0])) for g in choice.waters)]
    for group in [*choice.kept, *([choice.ligand_group] if choice.ligand_group else [])]:
        for atom in group.heavy:
            if atom.element.is_metal:
                others.append(Polar("metal", point_of(atom)))
            elif atom.element.name in ("N", "O"):
                others.append(Polar("both", point_of(atom)))
    proposed = {id(residue): why for residue, why in proposals(residues, others)}
    wanted: set[int] = set()
    places = places_of(residues)
    for name in options.flip:
        if name.lower() == "proposed":
            wanted |= set(proposed)
            continue
        chain, _, number = name.rpartition(":")
        found = [r for (c, n), r in places.items() if n == number and chain in ("", c, _original(c, letters))]
        if not found or any(r.name not in ("ASN", "GLN", "HIS") for r in found):
            raise UsageError(
                f"--flip {quote(name)}: no Asn, Gln or His of that number; write CHAIN:NUMBER, or proposed"
            )
        wanted |= set(map(id, found))
    label = {id(r): f"{r.name.capitalize()}{r.number.strip()} of chain {r.chain}" for r in residues}
    done = [label[id(r)] for r in residues if id(r) in wanted]
    left = [f"{label[id(r)]} ({proposed[id(r)]})" for r in residues if id(r) in proposed and id(r) not in wanted]
    if done:
        choice.notes.append(f"side chains turned: {', '.join(done)}")
    if left:
        more = f" and {len(left) - _SHOWN} more" if len(left) > _SHOWN else ""
        choice.notes.append(
            f"side chains that fit better turned: {', '.join(left[:_SHOWN])}{more}; --flip proposed turns them"
        )
    return [turned(residue) if id(residue) in wanted else residue for residue in residues]


def _original(letter: str, letters: dict[str, str]) -> str:
    return next((name for name, mine in letters.items() if mine == letter), letter)


def with_states(
    stretches: list[list[Residue]], choice: Choice, options: Options, letters: dict[str, str]
) -> tuple[list[list[Residue]], dict[Place, State]]:
    """Find the state of each residue: the file's, or with --protonate PROPKA's; say which are not the usual ones."""
    originals = by_place(choice, letters)
    in_file: dict[Place, State] = {}
    for residue in (residue for stretch in stretches for residue in stretch):
        original = originals.get((residue.chain, residue.number))
        state = of_file(original) if original and not _is_turned(residue, original) else None
        if state:
            in_file[residue.chain, residue.number] = state
    groups = [*choice.kept, *([choice.ligand_group] if choice.ligand_group else [])]
    states = in_file
    if options.protonate:
        stretches = with_all_atoms(stretches)
        protein = pdb_text(stretches, []).removesuffix("END\n")
        tautomers = {place: state for place, state in in_file.items() if state.variant in ("HID", "HIE")}
        states = tautomers | by_propka("".join([protein, *map(_hetero_lines, groups), "END\n"]), options.ph)
    names = {(residue.chain, residue.number): residue.name for stretch in stretches for residue in stretch}
    acceptors = [
        place
        for stretch in stretches
        for residue in stretch
        for name, place in residue.atoms.items()
        if name in ("O", "OD1", "OD2", "OE1", "OE2")
    ]
    acceptors += [point_of(atom) for group in groups for atom in group.heavy if atom.element.name in ("N", "O")]
    for stretch in stretches:
        for residue in stretch:
            place = residue.chain, residue.number
            state = states.get(place)
            if state and state.variant in ("ASH", "GLH"):
                own = hydrogens_of(originals[place]) if place in originals else []
                residue.atoms = with_proton_on_second(state.variant, residue.atoms, own, acceptors)
    if options.protonate:
        mine = {place: state for place, state in states.items() if "PROPKA" in state.reason}
        with_it = f" with {choice.ligand_group} there" if choice.ligand_group else ""
        choice.notes.append(
            f"states at pH {options.ph:g} by PROPKA{with_it}: {in_words(mine, names) or 'all as usual'}; other "
            "histidines are neutral"
        )
        changed = {
            place: state
            for place, state in in_file.items()
            if state.variant != states.get(place, State(names[place])).variant
        }
        if words := in_words(changed, names, usual=True):
            choice.notes.append(f"the file had it otherwise: {words}")
    elif words := in_words(states, names):
        choice.notes.append(f"states as in the file: {words}")
    return stretches, states


def _is_turned(residue: Residue, original: gemmi.Residue) -> bool:
    """Tell whether a histidine was turned: the file's word on its hydrogens then says nothing."""
    nitrogen = next((point_of(atom) for atom in original if atom.name == "ND1"), None)
    return residue.name == "HIS" and nitrogen is not None and residue.atoms.get("ND1") != nitrogen


def _hetero_lines(group: Group) -> str:
    """Write a group as PDB lines, for PROPKA."""
    lines = []
    for atom in group.heavy:
        name = atom.name if len(atom.name) >= 4 else f" {atom.name}"
        x, y, z = point_of(atom)
        lines.append(
            f"HETATM    0 {name[:4]:<4} {group.name[:3]:>3} Z{number_of(group.residue)}   {x:8.3f}{y:8.3f}{z:8.3f}"
            f"  1.00  0.00          {atom.element.name.upper():>2}\n"
        )
    return "".join(lines)
