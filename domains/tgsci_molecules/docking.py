"""Docking with Vina: one molecule, one target, one protocol. Maps are kept in the process, never in files.

Vina holds the interpreter lock and its objects do not pickle, so docking runs in worker processes; each
computes the maps of a target once (1 to 4 s) and reuses them. Files of maps are not an option: their
scores differ, and docking with them crashes.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import Any

from rdkit import Chem, rdBase

from tgsci.errors import MeasurementError, UsageError

from .ligand import Ligand, prepare
from .protein.targets import Target
from .smiles import canonical, shown

#: The packages whose version changes a score.
PACKAGES = ("vina", "meeko", "rdkit", "dimorphite-dl")
#: Few sizes of boxes, so that maps are shared between ligands.
_BOX_STEP = 4.0
_MAX_BOX = 38.0
#: Maps held by one process: 400 MB each, beside 165 MB for the process itself.
_MAX_MAPS = 2
_SPACING = 0.375


@dataclass(frozen=True)
class Settings:
    """How hard Vina searches. The default is the fast setting: 1 to 4 CPU s a drug.

    Many short restarts beat few long ones, and two conformers beat twice the restarts: for 11 drugs, the
    score changes by 0.4 kcal/mol with the seed on average, by 0.9 with one conformer.

    Args:
        exhaustiveness: Restarts of the search.
        max_evals: Energy evaluations of each; 0 leaves it to Vina, which is 10 times slower.
        box: Smallest edge of the cubic search box, Angstrom; grows with the ligand.
        conformers: Starting conformers, each docked; rings keep their starting shape. The best counts.
        seed: Of the conformer and the search.

    Raises:
        UsageError: A setting out of its range.
    """

    exhaustiveness: int = 8
    max_evals: int = 20_000
    box: float = 22.0
    conformers: int = 2
    seed: int = 1

    def __post_init__(self) -> None:
        ranges = {
            "exhaustiveness": (1, 256),
            "max_evals": (0, 100_000_000),
            "box": (10.0, _MAX_BOX),
            "conformers": (1, 10),
            "seed": (1, 2**31 - 1_000),
        }
        for name, (low, high) in ranges.items():
            value = getattr(self, name)
            whole = isinstance(low, int)
            kind = int if whole else (int, float)
            if isinstance(value, bool) or not isinstance(value, kind) or not low <= value <= high:
                raise UsageError(
                    f"{name} must be a {'whole ' if whole else ''}number from {low} to {high}, not {value!r}"
                )


@dataclass(frozen=True)
class Docking:
    """What docking found.

    Args:
        score: Vina's score of the best pose, kcal/mol; lower is better.
        inter: Energy between ligand and receptor before the torsion factor, kcal/mol.
        torsion_penalty: What the rotatable bonds cost in the score, kcal/mol.
        ligand: As it was docked.
        pose: The best pose in the receptor's frame, with all hydrogens.
        isomers: As it was docked, every isomer that was tried: several only where stereo is undefined.
        box: Edge of the box that was searched, Angstrom.
        scores: The best score of each starting conformer, kcal/mol.
        seconds: Wall time, s, maps included where they were computed.
        settings: How it was searched.
        target: Where.
    """

    score: float
    inter: float
    torsion_penalty: float
    ligand: Ligand
    pose: Chem.Mol
    isomers: tuple[str, ...]
    box: float
    scores: tuple[float, ...]
    seconds: float
    settings: Settings
    target: str

    def sdf(self, properties: Mapping[str, object] | None = None) -> str:
        """The pose as an SDF record, with the score and `properties` as tags."""
        tags = {
            "target": self.target,
            "vina_kcal_per_mol": f"{self.score:.3f}",
            "smiles": self.ligand.smiles,
            "docked_smiles": self.ligand.docked_smiles,
            **(properties or {}),
        }
        mol = Chem.Mol(self.pose)
        mol.SetProp("_Name", self.ligand.smiles)
        lines = [Chem.MolToMolBlock(mol).rstrip("\n")]
        lines += [f">  <{key}>\n{value}\n" for key, value in tags.items()]
        return "\n".join([*lines, "$$$$\n"])


def dock(smiles: str, target: Target | str, settings: Settings | None = None) -> Docking:
    """Dock one molecule: canonicalise, protonate, embed, relax, type, search, verify.

    The same arguments give the same result, whatever this process docked before.

    Args:
        smiles: Any spelling of the molecule.
        target: Where to: a `Target` or its name.
        settings: How hard to search; the fast setting where None.

    Raises:
        InvalidValue: No SMILES of a molecule that can be docked.
        UsageError: No such target.
        MeasurementError: It could not be prepared or docked; never a made-up score.
    """
    started = time.perf_counter()
    smiles = canonical(smiles)
    target = Target(target) if isinstance(target, str) else target
    settings = settings or Settings()
    ligands = [prepare(smiles, settings.seed + n) for n in range(settings.conformers)]
    box = _box_edge(settings.box, max(ligand.extent for ligand in ligands))
    with _one_at_a_time:
        vina = _maps(target, box, settings.seed)
        found = [_search(vina, ligand, settings) for ligand in ligands]
    best = min(range(len(found)), key=lambda n: found[n][0])
    score, inter, torsion_penalty, poses = found[best]
    ligand = ligands[best]
    if score >= 0 or inter >= 0:
        raise MeasurementError(
            f"docking: {shown(smiles)} does not fit into {target} "
            f"(Vina {score:+.2f} kcal/mol, {inter:+.2f} with the receptor); that is no binding mode"
        )
    return Docking(
        score=score,
        inter=inter,
        torsion_penalty=torsion_penalty,
        ligand=ligand,
        pose=_pose(poses, ligand),
        isomers=tuple(dict.fromkeys(each.docked_smiles for each in ligands)),
        box=box,
        scores=tuple(f[0] for f in found),
        seconds=time.perf_counter() - started,
        settings=settings,
        target=target.name,
    )


def fingerprint(target: Target, settings: Settings) -> str:
    """Everything that changes a docking score: receptor, box, settings, versions."""
    versions = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    knobs = ", ".join(f"{key}={value}" for key, value in asdict(settings).items())
    return f"{target.name}[{target.sha256[:16]}] at {target.center}; {knobs}; {versions}"


def _box_edge(smallest: float, extent: float) -> float:
    """The edge of the box for a ligand of this length: the smallest, or some steps more.

    No room is added: at 20,000 evaluations a larger box costs more in missed poses (1 kcal/mol for
    nilotinib in ABL1 from 22 to 26 Angstrom) than the walls cost a long ligand, which fits slantwise.
    """
    edge = smallest
    while edge < extent and edge + _BOX_STEP <= _MAX_BOX:
        edge += _BOX_STEP
    return edge


_cache: OrderedDict[tuple[str, tuple[float, float, float], float, int], Any] = OrderedDict()
#: A Vina object holds one ligand: two threads must not take turns on it.
_one_at_a_time = threading.Lock()


def _maps(target: Target, box: float, seed: int) -> Any:
    """A Vina object with the maps of this target and box, from this process's own few."""
    key = (target.sha256, target.center, box, seed)
    if key in _cache:
        _cache.move_to_end(key)
        return _cache[key]
    from vina import Vina

    vina = Vina(sf_name="vina", cpu=1, seed=seed, verbosity=0)
    vina.set_receptor(str(target.receptor))
    vina.compute_vina_maps(center=list(target.center), box_size=[box] * 3, spacing=_SPACING)
    while len(_cache) >= _MAX_MAPS:
        _cache.popitem(last=False)
    _cache[key] = vina
    return vina


def _search(vina: Any, ligand: Ligand, settings: Settings) -> tuple[float, float, float, str]:
    """Score, intermolecular energy and torsion penalty (kcal/mol) of the best pose, and the pose as pdbqt."""
    try:
        vina.set_ligand_from_string(ligand.pdbqt)
        vina.dock(exhaustiveness=settings.exhaustiveness, n_poses=1, max_evals=settings.max_evals)
        energies = vina.energies(n_poses=1)
        poses = vina.poses(n_poses=1)
    except (RuntimeError, TypeError, ValueError) as error:
        raise MeasurementError(f"docking: Vina refuses {shown(ligand.smiles)} ({error})") from error
    if len(energies) == 0 or not poses:
        raise MeasurementError(f"docking: Vina found no pose of {shown(ligand.smiles)} inside the box")
    total, inter, _, torsions, _ = (float(e) for e in energies[0])
    return total, inter, torsions, str(poses)


def _pose(pdbqt: str, ligand: Ligand) -> Chem.Mol:
    """The pose as a molecule, proven to be the one that was docked."""
    from meeko import PDBQTMolecule, RDKitMolCreate

    with rdBase.BlockLogs():
        mol: Chem.Mol | None = RDKitMolCreate.from_pdbqt_mol(PDBQTMolecule(pdbqt, skip_typing=True))[0]
    if mol is None or not mol.GetNumConformers() or _flat(mol) != _flat(Chem.MolFromSmiles(ligand.docked_smiles)):
        raise MeasurementError(f"pose: Vina's result is not the molecule {shown(ligand.docked_smiles)} any more")
    return mol


def _flat(mol: Chem.Mol) -> str:
    parameters = Chem.RemoveHsParameters()
    parameters.removeDefiningBondStereo = True  # else the hydrogen of an N-H imine stays
    return str(Chem.MolToSmiles(Chem.RemoveHs(mol, parameters), isomericSmiles=False))
