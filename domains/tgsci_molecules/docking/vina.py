"""Docking with Vina: one molecule, one target, one protocol. Maps are kept in the process, never in files.

Vina holds the interpreter lock and its objects do not pickle, so docking runs in worker processes; each
computes the maps of a target once (1 to 4 s) and reuses them. Files of maps are not an option: their
scores differ, and docking with them crashes.
"""

from __future__ import annotations

import itertools
import os
import sys
import tempfile
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from functools import cache, cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from rdkit import Chem, rdBase

from tgsci.basics.texts import literal, quote
from tgsci.errors import MeasurementError, UsageError

from ..failures import calling, measuring
from ..molecule.isomers import Form, forms, has_shape, possible_stereoisomers, stereoisomers
from ..molecule.smiles import Molecule, as_molecule, canonical, molecule
from ..target.site import check_site
from ..target.targets import Target, as_target
from . import cache as results
from .ligand import Clock, Ligand, large_ring, prepare_all
from .settings import LARGEST_BOX
from .settings import Settings as Settings

#: The packages whose version changes a score.
PACKAGES = ("vina", "meeko", "rdkit")
#: Raise it with every change of the code that changes a score: cached results are then not used any more.
PROTOCOL = 3
#: How far two scores of one molecule lie apart from seed to seed at the fast setting, kcal/mol (11 drugs, ABL1).
NOISE = 0.4
#: Few sizes of boxes, so that maps are shared between ligands.
_BOX_STEP = 4.0
_SPACING = 0.375
#: A set of maps takes 180 to 260 MB, beside 170 MB for the process itself.
_MAP_BYTES = 250e6
#: Less energy than this with the receptor is no contact, kcal/mol: methane has -1.
_LEAST_CONTACT = 0.5
#: How far an atom of a pose may lie outside the box: Vina bends walls a little, Angstrom.
_WALL = 0.5
#: Vina warns on the terminal of boxes larger than this, whatever its verbosity, Angstrom^3.
_LOUD_VOLUME = 27_000.0
#: The steps of a local optimisation, each time it is taken up again; 0 leaves their number to Vina.
_RELAX_STEPS = (0, 0, 20, 300, 0, 0)
#: Stereoisomers that are looked at for each that is docked: some have no shape in space.
_LOOKED_AT = 16

Edges = tuple[float, float, float]


class DoesNotFit(MeasurementError):
    """The best pose is no binding mode. A failure; but good news about an off-target."""


@dataclass(frozen=True)
class FormScore:
    """The scores of one form of a molecule.

    Args:
        smiles: The SMILES that was docked.
        label: What sets it apart from the others, such as "(S)"; empty where there is one form only.
        scores: The best score of each of its starting conformers, kcal/mol.
        isomer: Which stereoisomer it is, such as "S"; empty where none was open, or the conformer chose.
    """

    smiles: str
    label: str
    scores: tuple[float, ...]
    isomer: str = ""

    @property
    def score(self) -> float:
        """The best, kcal/mol."""
        return min(self.scores)


@dataclass(frozen=True)
class Docking:
    """The result of docking a molecule into a target.

    Args:
        score: Vina's score of the best pose, kcal/mol; lower is better.
        inter: Energy between ligand and receptor before the torsion factor, kcal/mol.
        torsion_penalty: The price of the rotatable bonds in the score, kcal/mol.
        ligand: The ligand that was docked.
        pose_pdbqt: The best pose as Vina wrote it, with meeko's remarks.
        forms: Every stereoisomer, tautomer and state that was docked, with its scores.
        possible: How many stereoisomers the SMILES leaves open, at most; 1 where none is.
        edges: The edges of the box that was searched, Angstrom.
        seconds: Wall time when it was docked, s, maps included where they were computed.
        settings: The settings of the search.
        target: The name of the target.
        known: True where it was docked before and comes from the cache.
        relaxed_from: The pose that this one was relaxed from, such as "the pose of its parent"; empty where the search
            found it.
    """

    score: float
    inter: float
    torsion_penalty: float
    ligand: Ligand
    pose_pdbqt: str
    forms: tuple[FormScore, ...]
    possible: int
    edges: Edges
    seconds: float
    settings: Settings
    target: str
    known: bool = False
    relaxed_from: str = ""

    @cached_property
    def pose(self) -> Chem.Mol:
        """The best pose in the receptor's frame, with all hydrogens."""
        return _pose(self.pose_pdbqt, self.ligand)

    @property
    def box(self) -> float:
        """The longest edge of the box that was searched, Angstrom."""
        return max(self.edges)

    @property
    def scores(self) -> tuple[float, ...]:
        """The best score of each starting conformer of each form, kcal/mol."""
        return tuple(itertools.chain.from_iterable(form.scores for form in self.forms))

    @property
    def isomers(self) -> tuple[str, ...]:
        """Every form that was tried, as it was docked."""
        return tuple(dict.fromkeys(form.smiles for form in self.forms))

    @property
    def isomer(self) -> Molecule:
        """The molecule as it was written, with the stereochemistry of the pose where that was left open."""
        best = min(self.forms, key=lambda form: form.score)
        if not best.isomer:
            return as_molecule(self.ligand.smiles)
        listed = itertools.islice(stereoisomers(self.ligand.smiles), _LOOKED_AT * self.settings.isomers)
        return next((spelled for spelled, label in listed if label == best.isomer), as_molecule(self.ligand.smiles))

    @property
    def search(self) -> str:
        """What was searched, and how hard, in a sentence."""
        settings, ligand = self.settings, self.ligand
        form = " as written" if ligand.docked_smiles == ligand.smiles else ""
        box = " x ".join(f"{edge:g}" for edge in self.edges)
        effort = f"{settings.max_evals} evaluations each" if settings.capped else "no cap on evaluations"
        kind = "ring shapes" if large_ring(molecule(ligand.smiles)) else "starting conformers"
        of = f" of {len(self.forms)} forms" if len(self.forms) > 1 else ""
        if self.relaxed_from:
            return (
                f"The search in a box of {box} A missed this pose: it was found from {self.relaxed_from}, relaxed by "
                "Vina's local optimiser."
            )
        return (
            f"Docked{form} in a box of {box} A, exhaustiveness {settings.exhaustiveness}, {effort}, "
            f"seed {settings.seed}, best of {len(self.scores)} {kind}{of}."
        )

    @property
    def remarks(self) -> list[str]:
        """What a reader of the score has to know about the forms of the molecule, in sentences."""
        best = min(self.forms, key=lambda form: form.score)
        others = [form for form in self.forms if form is not best]
        sentences = []
        if others:
            rest = ", ".join(f"{form.label or 'as written'} {form.score:.2f}" for form in others)
            sentences.append(f"The best form counts: {best.label or 'as written'} {best.score:.2f} kcal/mol; {rest}.")
            if min(form.score for form in others) - best.score < NOISE and self.settings.capped:
                sentences.append(f"Forms less than {NOISE:g} kcal/mol apart cannot be told apart by this search.")
        if self.ligand.undefined:
            named = ", ".join(self.ligand.undefined[:6]) + (" and more" if len(self.ligand.undefined) > 6 else "")
            tried, most = len({form.isomer for form in self.forms}), self.possible
            count = f"{tried} of up to {most}" if tried < most else "both" if most == 2 else f"all {most}"
            sentences.append(
                f"Stereo undefined: {named}. Docked: {count} isomers; write @ or @@ (/ or \\ at a double bond) to "
                "choose one."
            )
        return sentences

    def sdf(self, properties: Mapping[str, object] | None = None) -> str:
        """Write the pose as an SDF record, with the score and `properties` as tags."""
        tags = {
            "target": self.target,
            "vina_kcal_per_mol": f"{self.score:.3f}",
            "smiles": self.ligand.smiles,
            "docked_smiles": self.ligand.docked_smiles,
            **({"isomer": self.isomer} if self.isomer != self.ligand.smiles else {}),
            **(properties or {}),
        }
        mol = Chem.Mol(self.pose)
        mol.SetProp("_Name", self.ligand.smiles)
        lines = [Chem.MolToMolBlock(mol).rstrip("\n")]
        lines += [f">  <{key}>\n{value}\n" for key, value in tags.items()]
        return "\n".join([*lines, "$$$$\n"])


def dock(smiles: str, target: Target | str, settings: Settings | None = None) -> Docking:
    """Dock one molecule: canonicalise, enumerate its forms, embed, relax, type, search, verify.

    The same arguments give the same result, whatever this process docked before; what was docked before on
    this machine comes from the cache.

    Args:
        smiles: Any spelling of the molecule.
        target: The target to dock into, or its name.
        settings: How hard to search; the fast setting where None.

    Raises:
        InvalidValue: No SMILES of a molecule that can be docked.
        UsageError: No such target, its box lies in solvent, or an argument is of another kind.
        MeasurementError: The molecule could not be prepared or docked; never a made-up score.
    """
    smiles, target = canonical(smiles), as_target(target)
    settings = Settings() if settings is None else settings
    if not isinstance(settings, Settings):
        raise UsageError(f"settings must be Settings(...), not {literal(settings)}")
    key = _key(smiles, target, settings)
    kept = results.get("docking", key)
    if kept is not None and (docking := _from_cache(kept, smiles, target, settings)) is not None:
        return docking
    docking = _latest[key] if key in _latest else _dock(smiles, target, settings)
    results.put("docking", key, _for_cache(docking))
    _latest[key] = docking
    while len(_latest) > _MOST_LATEST:
        _latest.pop(next(iter(_latest)), None)
    return docking


#: What this process docked last, where no cache keeps it: a search looks at a docking again right after it.
_latest: dict[str, Docking] = {}
_MOST_LATEST = 8


def relax(ligand: Ligand, form: Form, target: Target, settings: Settings, edges: Edges | None = None) -> Docking:
    """Relax a ligand where it lies by Vina's local optimiser, in the maps that docking searches; nothing is searched.

    Args:
        ligand: Prepared from a conformer in the receptor's frame.
        form: The form of the molecule that it is.
        target: The target whose binding site it lies in.
        settings: The settings of the docking that it is compared with.
        edges: The box of that docking; the one that fits the ligand where None.

    Raises:
        MeasurementError: Vina refuses it, or the relaxed pose is no binding mode.
    """
    started = time.perf_counter()
    edges = edges or _edges(settings, target, ligand.extent)
    with _one_at_a_time:
        score, inter, torsion_penalty, pose = _optimise(_maps(target, edges, settings.seed), ligand)
    if score >= 0 or inter > -_LEAST_CONTACT:
        raise DoesNotFit(f"docking: {quote(ligand.smiles)} does not fit into {target} where it was placed")
    docking = Docking(
        score=score,
        inter=inter,
        torsion_penalty=torsion_penalty,
        ligand=ligand,
        pose_pdbqt=pose,
        forms=(FormScore(ligand.docked_smiles, form.label, (score,), form.isomer),),
        possible=possible_stereoisomers(ligand.smiles),
        edges=edges,
        seconds=time.perf_counter() - started,
        settings=settings,
        target=target.name,
    )
    _check_inside(docking, target)
    return docking


def known(smiles: str, target: Target, settings: Settings) -> bool:
    """Tell whether a canonical SMILES was docked before: `dock` then takes no time."""
    return results.has("docking", _key(smiles, target, settings))


def _dock(smiles: str, target: Target, settings: Settings) -> Docking:
    started = time.perf_counter()
    with measuring("preparation"):
        prepared = _prepare_forms(smiles, settings)
    edges = _edges(settings, target, max(ligand.extent for _, ligands in prepared for ligand in ligands))
    with _one_at_a_time:
        vina = _maps(target, edges, settings.seed)
        outcomes = [[_search(vina, ligand, settings) for ligand in ligands] for _, ligands in prepared]
    number, conformer = min(
        ((n, m) for n, each in enumerate(outcomes) for m in range(len(each))),
        key=lambda nm: outcomes[nm[0]][nm[1]][0],
    )
    score, inter, torsion_penalty, pose = outcomes[number][conformer]
    if score >= 0 or inter > -_LEAST_CONTACT:
        raise DoesNotFit(
            f"docking: {quote(smiles)} does not fit into {target} (Vina {score:+.2f} kcal/mol, {inter:+.2f} with the "
            "receptor); that is no binding mode. A smaller molecule may fit"
        )
    docking = Docking(
        score=score,
        inter=inter,
        torsion_penalty=torsion_penalty,
        ligand=prepared[number][1][conformer],
        pose_pdbqt=pose,
        forms=tuple(
            FormScore(ligands[0].docked_smiles, form.label, tuple(each[0] for each in searched), form.isomer)
            for (form, ligands), searched in zip(prepared, outcomes, strict=True)
        ),
        possible=possible_stereoisomers(smiles),
        edges=edges,
        seconds=time.perf_counter() - started,
        settings=settings,
        target=target.name,
    )
    _check_inside(docking, target)
    return docking


def _prepare_forms(smiles: str, settings: Settings) -> list[tuple[Form, list[Ligand]]]:
    """Prepare each form to dock, with its starting conformers."""
    prepared: list[tuple[Form, list[Ligand]]] = []
    clock = Clock()
    isomers = 0
    offered = itertools.islice(
        forms(smiles, settings.isomers, settings.tautomers, settings.states), _LOOKED_AT * settings.isomers
    )
    failure: MeasurementError | None = None
    shapes = settings.seed, settings.conformers, settings.ring_conformers
    for isomer in offered:
        if isomers == settings.isomers:
            break
        if clock.up and prepared:  # the remarks say how many isomers were docked
            break
        clock.left(smiles)
        if isomer[0].isomer and not has_shape(isomer[0].smiles, settings.seed):
            continue
        shaped = False
        for form in isomer:
            try:
                ligands = prepare_all(smiles, form.smiles, *shapes, clock)
            except MeasurementError as error:
                failure = failure or error
                continue
            shaped = True
            prepared += _by_isomer(form, ligands)
        isomers += shaped
    if not prepared and failure is None:  # no isomer has a shape that is found quickly: the conformer may choose
        form = Form(next(forms(smiles, 1, 1, 1))[0].smiles)
        ligands = prepare_all(smiles, form.smiles, *shapes, clock)
        prepared += _by_isomer(form, ligands)
    if not prepared:
        assert failure is not None
        raise failure
    return prepared


def _by_isomer(form: Form, ligands: list[Ligand]) -> list[tuple[Form, list[Ligand]]]:
    """Group the conformers of a form by isomer: where stereo is open, they may be different ones."""
    groups: dict[str, list[Ligand]] = {}
    for ligand in ligands:
        groups.setdefault(ligand.docked_smiles, []).append(ligand)
    if len(groups) == 1:
        return [(form, ligands)]
    return [(replace(form, isomer=form.isomer or spelled), group) for spelled, group in groups.items()]


def _check_inside(docking: Docking, target: Target) -> None:
    """Refuse a pose with an atom beyond the walls of the box: that is no binding mode."""
    positions = docking.pose.GetConformer().GetPositions()
    heavy = [atom.GetIdx() for atom in docking.pose.GetAtoms() if atom.GetAtomicNum() > 1]
    beyond = float((np.abs(positions[heavy] - target.center) - np.asarray(docking.edges) / 2).max())
    if beyond > _WALL:
        raise MeasurementError(
            f"docking: the pose of {quote(docking.ligand.smiles)} sticks out of the box by {beyond:.1f} Angstrom; "
            "try a larger box, or a smaller molecule"
        )


def fingerprint(target: Target, settings: Settings) -> str:
    """Name everything that changes a docking score: receptor, box, settings, versions."""
    knobs = ", ".join(f"{key}={value}" for key, value in asdict(settings).items())
    return (
        f"{target.name}[{target.sha256[:16]}] at {target.center} in {target.box}; {knobs}; protocol {PROTOCOL}, "
        f"{_versions()}"
    )


@cache
def _versions() -> str:
    return ", ".join(f"{name} {version(name)}" for name in PACKAGES)


def _key(smiles: str, target: Target, settings: Settings) -> str:
    """Name a result in the cache: by all that changes it, but not by the target's name."""
    return f"{smiles} in {fingerprint(target, settings).removeprefix(target.name)} {target.sha256}"


def _for_cache(docking: Docking) -> dict[str, Any]:
    """Write a result as JSON, without what its key says."""
    kept = {
        name: getattr(docking, name)
        for name in ("score", "inter", "torsion_penalty", "pose_pdbqt", "possible", "edges", "seconds")
    }
    return {**kept, "ligand": asdict(docking.ligand), "forms": [asdict(form) for form in docking.forms]}


def _from_cache(kept: Mapping[str, Any], smiles: str, target: Target, settings: Settings) -> Docking | None:
    """Read a result from the cache; None where it has another shape, for whatever reason."""
    try:
        if kept["ligand"]["smiles"] != smiles:
            return None
        ligand = {**kept["ligand"], "smiles": smiles, "undefined": tuple(kept["ligand"]["undefined"])}
        x, y, z = kept["edges"]
        docking = Docking(
            score=kept["score"],
            inter=kept["inter"],
            torsion_penalty=kept["torsion_penalty"],
            ligand=Ligand(**ligand),
            pose_pdbqt=kept["pose_pdbqt"],
            forms=tuple(FormScore(f["smiles"], f["label"], tuple(f["scores"]), f["isomer"]) for f in kept["forms"]),
            possible=kept["possible"],
            edges=(x, y, z),
            seconds=kept["seconds"],
            settings=settings,
            target=target.name,
            known=True,
        )
    except (AttributeError, KeyError, TypeError, ValueError):
        return None
    return docking if docking.forms else None


def _edges(settings: Settings, target: Target, extent: float) -> Edges:
    """Choose the box to search: the target's own, or a cube that is no larger."""
    if settings.whole_box:
        return target.box
    edge = _box_edge(settings.box, extent)
    x, y, z = (min(edge, own) for own in target.box)
    return x, y, z


def _box_edge(smallest: float, extent: float) -> float:
    """Choose the edge of the box for a ligand of this length: the smallest, or some steps more.

    No room is added: at 20,000 evaluations a larger box costs more in missed poses (1 kcal/mol for
    nilotinib in ABL1 from 22 to 26 Angstrom) than the walls cost a long ligand, which fits slantwise.
    """
    edge = smallest
    while edge < extent and edge + _BOX_STEP <= LARGEST_BOX:
        edge += _BOX_STEP
    return edge


#: Everything that the maps depend on: receptor, centre, edges, seed.
_MapKey = tuple[str, tuple[float, float, float], Edges, int]
_held: OrderedDict[_MapKey, Any] = OrderedDict()
#: A Vina object holds one ligand: two threads must not take turns on it.
_one_at_a_time = threading.Lock()


def _maps(target: Target, edges: Edges, seed: int) -> Any:
    """Get a Vina object with the maps of this target and box; a process keeps a few."""
    key = (target.sha256, target.center, edges, seed)
    if key in _held:
        _held.move_to_end(key)
        return _held[key]
    check_site(target.receptor, target.name, target.center, edges)
    from vina import Vina

    with (
        calling(f"docking: Vina cannot compute the maps of {target}"),
        _quiet(edges[0] * edges[1] * edges[2] > _LOUD_VOLUME),
    ):
        vina = Vina(sf_name="vina", cpu=1, seed=seed, verbosity=0)
        vina.set_receptor(str(target.receptor))
        vina.compute_vina_maps(center=list(target.center), box_size=list(edges), spacing=_SPACING)
    while len(_held) >= _most_maps():
        _held.popitem(last=False)
    _held[key] = vina
    return vina


@cache
def _most_maps() -> int:
    """Count the sets of maps that one process may hold: half of the memory, shared by one process a core.

    At least 3, for an objective of three targets, at most 8.
    """
    try:
        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return 4
    return max(3, min(8, int(memory / 2 / (os.cpu_count() or 1) / _MAP_BYTES)))


@contextmanager
def _quiet(needed: bool) -> Iterator[None]:
    """Close standard error while Vina writes to it past Python."""
    if not needed:
        yield
        return
    sys.stderr.flush()
    held, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(held, 2)
        for handle in (held, nowhere):
            with suppress(OSError):
                os.close(handle)


def _search(vina: Any, ligand: Ligand, settings: Settings) -> tuple[float, float, float, str]:
    """Dock: score, intermolecular energy, torsion penalty (kcal/mol) of the best pose, and the pose as pdbqt."""
    with calling(f"docking: Vina refuses {quote(ligand.smiles)}"):
        vina.set_ligand_from_string(ligand.pdbqt)
        vina.dock(exhaustiveness=settings.exhaustiveness, n_poses=1, max_evals=settings.max_evals)
        energies = vina.energies(n_poses=1)
        poses = vina.poses(n_poses=1)
    if len(energies) == 0 or not poses:
        raise MeasurementError(
            f"docking: Vina found no pose of {quote(ligand.smiles)} inside the box; try a larger box, or a smaller "
            "molecule"
        )
    total, inter, _, torsions, _ = (float(e) for e in energies[0])
    return total, inter, torsions, str(poses)


def _optimise(vina: Any, ligand: Ligand) -> tuple[float, float, float, str]:
    """Relax in place: score, intermolecular energy, torsion penalty (kcal/mol), and the pose as pdbqt.

    Vina optimises on a grid and scores without: the best that it passes counts, so that no pose gets worse.
    """
    best: tuple[float, float, float] | None = None
    with calling(f"docking: Vina refuses {quote(ligand.smiles)}"):
        vina.set_ligand_from_string(ligand.pdbqt)
        with tempfile.TemporaryDirectory() as directory:
            path = Path(directory, "pose.pdbqt")
            for steps in (None, *_RELAX_STEPS):
                energies = vina.score() if steps is None else vina.optimize(steps)
                total, inter, torsions = (float(energies[i]) for i in (0, 1, 6))
                if best is None or total < best[0]:
                    best = total, inter, torsions
                    vina.write_pose(str(path), overwrite=True)
            pose = path.read_text()
    assert best is not None
    return *best, pose


def _pose(pdbqt: str, ligand: Ligand) -> Chem.Mol:
    """Read the pose as a molecule, and check that it is the one that was docked."""
    from meeko import PDBQTMolecule, RDKitMolCreate

    with rdBase.BlockLogs(), calling("pose: Vina's result cannot be read"):
        mol: Chem.Mol | None = RDKitMolCreate.from_pdbqt_mol(PDBQTMolecule(pdbqt, skip_typing=True))[0]
    if mol is None or not mol.GetNumConformers() or _flat(mol) != _flat(molecule(ligand.docked_smiles)):
        raise MeasurementError(f"pose: Vina's result is not the molecule {quote(ligand.docked_smiles)} any more")
    return mol


def _flat(mol: Chem.Mol) -> str:
    parameters = Chem.RemoveHsParameters()
    parameters.removeDefiningBondStereo = True  # else the hydrogen of an N-H imine stays
    return str(Chem.MolToSmiles(Chem.RemoveHs(mol, parameters), isomericSmiles=False))
