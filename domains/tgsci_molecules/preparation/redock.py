"""Does docking find the pose of the crystal? The ligand goes back in from scratch, and the distance is measured."""

from __future__ import annotations

from dataclasses import dataclass

from rdkit import Chem

from ..docking.ligand import write_pdbqt
from ..docking.vina import Settings, dock
from ..molecule.protonation import protonate
from ..molecule.smiles import canonical
from ..target.targets import Target
from .crystal_ligand import rmsd

#: An RMSD up to this counts as the same pose by convention, Angstrom.
GOOD_RMSD = 2.0
#: Scores that differ by less say nothing, kcal/mol.
NOISE = 0.5
#: More thorough than the fast setting: a check of the target should not fail for want of search.
SETTINGS = Settings(exhaustiveness=16, max_evals=25_000)


@dataclass(frozen=True)
class Redocking:
    """The crystal's ligand, docked back.

    Args:
        smiles: The canonical SMILES that was docked.
        rmsd: RMSD of the heavy atoms to the crystal, in place and symmetry-aware, Angstrom.
        score: Vina's, kcal/mol.
        crystal_score: Vina's for the crystal's pose, minimised where it is, kcal/mol; when it is much lower than
            `score`, the search missed it; when it is higher, Vina prefers another pose.
        reproduced: RMSD at most 2 Angstrom.
    """

    smiles: str
    rmsd: float
    score: float
    crystal_score: float
    reproduced: bool

    @property
    def advice(self) -> str:
        """What a high RMSD means here."""
        difference = self.score - self.crystal_score
        if difference > NOISE:
            why = "the crystal's pose scores better than what the search found: search harder (--exhaustiveness 32)"
        elif difference < -NOISE:
            why = "Vina prefers another pose to the crystal's: a water, cofactor or protonation state may be missing"
        else:
            why = "both poses score the same within Vina's noise: do not trust one pose alone here"
        return why


def redock(target: Target, crystal: Chem.Mol, settings: Settings = SETTINGS) -> Redocking:
    """Dock a ligand whose pose is known, starting from its SMILES alone, and compare.

    Args:
        target: The target to dock into.
        crystal: The ligand at its place: heavy atoms, bond orders, stereo.
        settings: How hard to search.

    Raises:
        InvalidValue: No molecule that can be docked (metals, too large).
        MeasurementError: Docking failed.
    """
    smiles = canonical(Chem.MolToSmiles(Chem.RemoveHs(crystal)))
    docking = dock(smiles, target, settings)
    distance = rmsd(docking.pose, crystal)
    return Redocking(
        smiles=smiles,
        rmsd=round(distance, 3),
        score=round(docking.score, 3),
        crystal_score=round(_minimise(target, crystal, smiles, docking.box, settings), 3),
        reproduced=distance <= GOOD_RMSD,
    )


def _minimise(target: Target, crystal: Chem.Mol, smiles: str, box: float, settings: Settings) -> float:
    """Score the crystal's pose after a local minimisation, kcal/mol."""
    from vina import Vina

    vina = Vina(sf_name="vina", cpu=1, seed=settings.seed, verbosity=0)
    vina.set_receptor(str(target.receptor))
    vina.set_ligand_from_string(write_pdbqt(_protonate(crystal, smiles)))
    # Larger than the ligand: an atom of the crystal outside the box cannot be scored.
    vina.compute_vina_maps(center=list(target.center), box_size=[max(box, *target.box)] * 3)
    return float(vina.optimize()[0])


def _protonate(crystal: Chem.Mol, smiles: str) -> Chem.Mol:
    """Give the crystal's pose the protonation state that is docked, with hydrogens."""
    from .crystal_ligand import skeleton

    state = Chem.MolFromSmiles(protonate(smiles))
    match = skeleton(crystal).GetSubstructMatch(skeleton(state))
    conformer = Chem.Conformer(state.GetNumAtoms())
    positions = crystal.GetConformer()
    for index, source in enumerate(match):
        conformer.SetAtomPosition(index, positions.GetAtomPosition(source))
    state.AddConformer(conformer)
    return Chem.AddHs(state, addCoords=True)
