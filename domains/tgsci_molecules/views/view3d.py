"""A pose in its pocket, to turn with the mouse: py3Dmol writes the page, 3Dmol.js draws it in the browser.

Python asks for nothing over the network. The browser that shows the view loads one script, 3Dmol.js, from
cdn.jsdelivr.net, or from wherever `script` says; the molecule and the protein stand in the page and stay there.
Where the script does not load (no network, or a page that runs no scripts), the contacts stand there as text.
"""

from __future__ import annotations

import html
import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from rdkit import Chem

from tgsci.basics.files import write_atomically
from tgsci.basics.imports import needs
from tgsci.basics.texts import literal, quote
from tgsci.errors import UsageError

from ..preparation.repair import receptor_pdb
from ..target.targets import Target, as_target
from .poses import records
from .receptors import targets_of
from .table import checked

if TYPE_CHECKING:
    from tgsci.runs.result import Result

    from ..docking.vina import Docking

#: Residues with an atom this near to the ligand are drawn with their side chains, Angstrom.
_POCKET = 5.0
#: The chain is drawn this far around the ligand, Angstrom: a whole protein would make notebooks heavy.
_FOLD = 14.0
_BACKBONE = ("N", "CA", "C", "O")
_LIGAND, _POLYMER, _PROTEIN = "orangeCarbon", "#c3cad3", "whiteCarbon"
_KINDS = {"hbonds": ("hydrogen bond", "#1f6feb"), "salt_bridges": ("salt bridge", "#c2410c")}


@dataclass(frozen=True)
class _Atom:
    name: str
    residue: str
    line: str
    xyz: tuple[float, float, float]


@dataclass(frozen=True)
class Contact:
    """A contact between ligand and protein, as it is drawn.

    Args:
        kind: Hydrogen bond or salt bridge.
        residue: The residue's label, such as Met318.
        atom: Name of the protein's atom; "" where it is a group.
        distance: Angstrom.
        ends: The places of the ligand's atom and of the protein's, Angstrom.
        colour: The colour, as CSS writes it.
    """

    kind: str
    residue: str
    atom: str
    distance: float
    ends: tuple[tuple[float, float, float], tuple[float, float, float]]
    colour: str

    def __str__(self) -> str:
        return f"{self.kind} with {self.residue}{f' {self.atom}' if self.atom else ''}, {self.distance:.1f} Å"


class View:
    """A view that shows itself in Jupyter; `write` makes a page of it.

    Args:
        title: The line below the view.
        pose: The ligand as a mol block.
        fold: The chain that is drawn as a ribbon, PDB.
        pocket: The residues that are drawn with their side chains, PDB.
        labels: Residue and where its label stands.
        contacts: Drawn dashed, with their distances.
        script: The address where the browser finds 3Dmol.js; py3Dmol's own choice where "".
    """

    def __init__(
        self,
        title: str,
        pose: str,
        fold: str,
        pocket: str,
        labels: Mapping[str, Sequence[float]],
        contacts: Sequence[Contact],
        script: str = "",
    ) -> None:
        self.title = title
        self.contacts = list(contacts)
        self._parts = (pose, fold, pocket, dict(labels))
        self.script = _checked(script) if script else _usual_script()

    def py3dmol(self, width: int = 640, height: int = 440) -> Any:
        """Make a `py3Dmol.view` of it, for those who want to change it.

        Raises:
            UsageError: py3Dmol is not installed.
        """
        pose, fold, pocket, labels = self._parts
        view = _py3dmol().view(width=width, height=height, js=self.script)
        view.addModel(fold, "pdb")
        view.setStyle({"model": 0}, {"cartoon": {"color": _POLYMER, "opacity": 0.75}})
        view.addModel(pocket, "pdb")
        view.setStyle({"model": 1}, {"stick": {"radius": 0.09, "colorscheme": _PROTEIN}})
        view.addModel(pose, "sdf")
        view.setStyle({"model": 2}, {"stick": {"radius": 0.19, "colorscheme": _LIGAND}})
        for contact in self.contacts:
            begin, end = (_point(p) for p in contact.ends)
            middle = _point([(a + b) / 2 for a, b in zip(*contact.ends, strict=True)])
            view.addCylinder(
                {"start": begin, "end": end, "radius": 0.08, "dashed": True, "color": contact.colour, "fromCap": 1}
            )
            view.addLabel(f"{contact.distance:.1f} Å", _label(middle, contact.colour))
        for residue, place in labels.items():
            view.addLabel(_plain(residue), _label(_point(place), "#30363d"))
        view.zoomTo({"model": 2})
        view.zoom(0.75)
        return view

    def _repr_html_(self) -> str:
        # py3Dmol's own _repr_html_ would put the page into the notebook twice.
        drawn = self.py3dmol().write_html()
        return (
            "<div style='position:relative;max-width:640px'>"
            f"{drawn}"
            f"<div class='tgsci-without-3d' style='position:absolute;top:0;left:0;right:0;padding:8px;font:13px "
            f"sans-serif;color:#30363d;background:#fff'>The 3D view needs 3Dmol.js, which your browser loads from "
            f"<code>{html.escape(self.script)}</code>; it has not been loaded. Offline, give <code>script=</code> the "
            "address of a copy. No data is sent: the molecule is in this page."
            f"</div><p style='font:13px sans-serif;margin:4px 0'>{html.escape(self._caption())}</p>"
            "<script>{const note=document.currentScript?document.currentScript.parentNode.querySelector("
            "'.tgsci-without-3d'):null;const hide=()=>document.querySelectorAll('.tgsci-without-3d').forEach("
            "one=>one.remove());if(typeof $3Dmolpromise!=='undefined'&&$3Dmolpromise)$3Dmolpromise.then("
            "()=>note?note.remove():hide());}</script></div>"
        )

    def write(self, path: str | Path) -> Path:
        """Write the view as an HTML page.

        Args:
            path: The file; one that is there is replaced.

        Raises:
            OSError: The page cannot be written.
        """
        title = html.escape(self.title)
        write_atomically(
            Path(path),
            f"<!doctype html><html lang='en'><head><meta charset='utf-8'><title>{title}</title></head>"
            f"<body>{self._repr_html_()}</body></html>",
        )
        return Path(path)

    def _caption(self) -> str:
        contacts = "; ".join(map(str, self.contacts)) or "no hydrogen bond and no salt bridge"
        return f"{self.title}: {contacts}."

    def __repr__(self) -> str:
        return f"<View of {self._caption()}>"


def view(docking: Docking, target: Target | str | None = None, *, script: str = "") -> View:
    """Show a docked pose in its pocket.

    Args:
        docking: The result of `dock`.
        target: The target that it was docked into; found by its name where None.
        script: The address where the browser finds 3Dmol.js, for example of a copy on your own server or disk.

    Raises:
        UsageError: No docking, or another target than the one it was docked into.
    """
    from ..docking.vina import Docking
    from ..pose import explain

    if not isinstance(docking, Docking):
        raise UsageError(f"view() takes what dock() found, not {literal(docking)}; a run's: view_trial(result)")
    try:
        target = as_target(docking.target if target is None else target)
    except UsageError as error:
        raise UsageError(f"{error}; if it is a target of your own, pass it: view(docking, target)") from None
    if target.name != docking.target:
        raise UsageError(f"the molecule was docked into {docking.target}, not into {target.name}")
    title = f"{docking.ligand.smiles} in {target.name}, vina {docking.score:.2f} kcal/mol"
    return _scene(title, docking.pose, target, explain(docking, target).as_dict(), script)


def view_trial(result: Result, number: int | None = None, target: str = "", *, script: str = "") -> View:
    """Show the pose of a trial of a run in its pocket.

    Args:
        result: A molecules run's, with its problem: from `solve`, or `runs.load`.
        number: The trial's number; the best trial where None.
        target: The name of one of several targets; the first where "".
        script: The address where the browser finds 3Dmol.js.

    Raises:
        UsageError: No such trial, no pose of it, or no such target.
    """
    result = checked(result)
    trial = result.best if number is None else result.trial(number)
    if trial is None:
        raise UsageError("nothing could be measured in this run, so there is no pose to show")
    targets = {each.name: each for each in targets_of(result)}
    if not targets:
        raise UsageError("this run does not say what it was docked into; load it with its problem: tgsci.load(DIR)")
    poses = {name or next(iter(targets), ""): (name, record) for name, record in records(trial.feedback)}
    target = target or next(iter(poses), "")
    if target not in poses or target not in targets:
        there = f"there is one for {', '.join(poses)}" if poses else "it was not docked"
        raise UsageError(f"trial {trial.number} has no pose for {quote(target)}: {there}")
    name, record = poses[target]
    mol = Chem.MolFromMolBlock(record.block, removeHs=False)
    artifact = trial.feedback.artifacts.get(f"{name}.pose.json" if name else "pose.json") if trial.feedback else None
    report = json.loads(artifact) if artifact else {}
    title = f"trial {trial.number}, {trial.value} in {target}"
    return _scene(title, mol, targets[target], report, script)


def _scene(title: str, pose: Chem.Mol, target: Target, report: Mapping[str, Any], script: str) -> View:
    atoms = _protein(target)
    xyz = np.array([atom.xyz for atom in atoms])
    ligand = pose.GetConformer().GetPositions()
    near = np.min(np.linalg.norm(xyz[:, None, :] - ligand[None, :, :], axis=2), axis=1)
    pocket = dict.fromkeys(atom.residue for atom, distance in zip(atoms, near, strict=True) if distance < _POCKET)
    fold = dict.fromkeys(atom.residue for atom, distance in zip(atoms, near, strict=True) if distance < _FOLD)
    contacts = list(_contacts(report, pose, atoms))
    named = dict.fromkeys(contact.residue for contact in contacts)
    labels = {atom.residue: atom.xyz for atom in atoms if atom.residue in named and atom.name == "CA"}
    return View(
        title,
        _plain(_block(pose)),
        _pdb(atom for atom in atoms if atom.residue in fold and atom.name in _BACKBONE),
        _pdb(atom for atom in atoms if atom.residue in pocket),
        labels,
        contacts,
        script,
    )


def _block(pose: Chem.Mol) -> str:
    """Write the ligand without the hydrogens on its carbons, as a chemist looks at a pose."""
    mol = Chem.RWMol(pose)
    Chem.Kekulize(mol, clearAromaticFlags=True)
    hydrogens = [a.GetIdx() for a in mol.GetAtoms() if a.GetSymbol() == "H" and a.GetDegree() == 1]
    mol.BeginBatchEdit()
    for index in hydrogens:
        if mol.GetAtomWithIdx(index).GetNeighbors()[0].GetSymbol() == "C":
            mol.RemoveAtom(index)
    mol.CommitBatchEdit()
    mol.SetProp("_Name", "ligand")
    return str(Chem.MolToMolBlock(mol, kekulize=False))


def _protein(target: Target) -> list[_Atom]:
    """Read the heavy atoms of the receptor, in its own frame."""
    atoms = []
    for line in receptor_pdb(target).splitlines():
        if line.startswith(("ATOM", "HETATM")) and line[76:78].strip() != "H":
            residue = target.label(line[17:20].strip(), line[22:27].strip(), line[21].strip())
            x, y, z = (float(line[begin : begin + 8]) for begin in (30, 38, 46))
            atoms.append(_Atom(line[12:16].strip(), residue, line, (x, y, z)))
    return atoms


def _pdb(atoms: Iterable[_Atom]) -> str:
    """Write atoms as PDB; 3Dmol guesses bonds by distance."""
    return _plain("\n".join([*(atom.line.rstrip() for atom in atoms), "END", ""]))


def _contacts(report: Mapping[str, Any], pose: Chem.Mol, atoms: Sequence[_Atom]) -> Iterable[Contact]:
    """Find the contacts in the report about a pose, with the places of their ends."""
    symbols = {atom["index"]: atom["symbol"] for atom in report.get("atoms", ())}
    ligand = [
        (atom.GetSymbol(), place)
        for atom, place in zip(pose.GetAtoms(), pose.GetConformer().GetPositions().tolist(), strict=True)
    ]
    for key, (kind, colour) in _KINDS.items():
        for entry in report.get(key, ()):
            residue, name, distance = entry["residue"], entry.get("receptor_atom", ""), entry["distance"]
            pairs = [
                (abs(math.dist(place, atom.xyz) - distance), place, atom)
                for atom in atoms
                if atom.residue == residue and (not name or atom.name == name)
                for symbol, place in ligand
                if symbol == symbols.get(entry["atom"], symbol) and symbol != "H"
            ]
            if pairs:
                _, (x, y, z), atom = min(pairs, key=lambda pair: pair[0])
                yield Contact(kind, residue, atom.name, distance, ((x, y, z), atom.xyz), colour)


def _point(place: Sequence[float]) -> dict[str, float]:
    return {axis: round(float(figure), 3) for axis, figure in zip("xyz", place, strict=True)}


def _label(place: Mapping[str, float], colour: str) -> dict[str, Any]:
    return {
        "position": place,
        "fontSize": 12,
        "fontColor": colour,
        "backgroundColor": "white",
        "backgroundOpacity": 0.75,
        "inFront": True,
    }


def _plain(text: str) -> str:
    """Escape a text so that it cannot end the script it stands in."""
    return text.replace("<", "(")


def _py3dmol() -> Any:
    return needs("py3Dmol", "the 3D view", "notebooks")


def _checked(script: str) -> str:
    """Check an address that stands in the page's own script, so that it cannot end that script."""
    if not re.fullmatch(r"[\w\-./:?=&%@+~]{1,2000}", script):
        raise UsageError(f"script must be the address of 3Dmol.js, not {quote(script)}")
    return script


def _usual_script() -> str:
    """Find the address of 3Dmol.js that the installed py3Dmol was made for."""
    import inspect

    return str(inspect.signature(_py3dmol().view.__init__).parameters["js"].default)
