"""How hard Vina searches."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tgsci.basics.settings import check, setting

#: Edges of a box that is searched, Angstrom.
SMALLEST_BOX, LARGEST_BOX = 10.0, 38.0
#: Between the seeds of a first and a second search: each conformer takes the next seed.
_OTHER_SEEDS = 1_000


@dataclass(frozen=True)
class Settings:
    """How hard Vina searches. The default is the fast setting: 1 to 4 CPU s a drug.

    Many short restarts beat few long ones, and two conformers beat twice the restarts: for 11 drugs, the
    score changes by 0.4 kcal/mol with the seed on average, by 0.9 with one conformer.

    Args:
        exhaustiveness: Restarts of the search.
        max_evals: Energy evaluations of each; 0 leaves it to Vina, which is 50 times slower.
        box: Smallest edge of the cubic search box, Angstrom; grows with the ligand, to the target's own box at most.
        conformers: Starting conformers, each docked; rings keep their starting shape. The best counts.
        seed: The seed of the conformer and the search.
        isomers: Stereoisomers that are docked, at most, where the SMILES leaves some open; the best counts. 1 docks
            the arbitrary ones that the conformers happen to have.
        tautomers: Tautomers that are docked, at most: 1 is the one that was written.
        states: States of protonation at pH 7.4 that are docked, at most, of those that 5% or more of the molecules
            are in: 1 is the most probable.
        ring_conformers: Starting conformers, at least, of a molecule with a ring of 8 or more atoms.
        whole_box: Search the target's own box, not `box`.

    Raises:
        UsageError: A setting is out of its range.
    """

    exhaustiveness: int = setting("restarts of the docking search", 8, low=1, high=256)
    max_evals: int = setting("energy evaluations of each restart", 20_000, low=0, high=100_000_000)
    box: float = setting("smallest edge of the search box", 22.0, low=SMALLEST_BOX, high=LARGEST_BOX, unit="Angstrom")
    conformers: int = setting("starting conformers, each docked", 2, low=1, high=10)
    seed: int = setting("of conformers and docking search", 1, low=1, high=2**31 - 1_000)
    isomers: int = setting(
        "stereoisomers that are docked where the SMILES leaves some open; the best counts", 2, low=1, high=16
    )
    tautomers: int = setting("tautomers that are docked; 1 is the one that was written", 1, low=1, high=8)
    states: int = setting("states of protonation at pH 7.4 that are docked; 1 is the most probable", 1, low=1, high=8)
    ring_conformers: int = setting(
        "starting conformers, at least, of a molecule with a ring of 8 or more atoms", 4, low=1, high=20
    )
    whole_box: bool = setting("search the target's own box", False)

    def __post_init__(self) -> None:
        check(self)

    @classmethod
    def full(cls, target: object = None, settings: Settings | None = None) -> Settings:
        """Vina's own: exhaustiveness 8 without a cap, in the target's whole box. Minutes of CPU for a drug.

        Args:
            target: Not needed: each target has its own box.
            settings: The settings to take the rest from, such as the seed; the default where None.
        """
        return replace(settings or cls(), exhaustiveness=8, max_evals=0, whole_box=True)

    @classmethod
    def careful(cls, settings: Settings | None = None, *, harder: bool = False) -> Settings:
        """A second search of one molecule: more restarts from more conformers, under other seeds.

        Args:
            settings: The settings of the first search; the default where None.
            harder: For an off-target, where a missed pose looks like success.
        """
        first, times = settings or cls(), 3 if harder else 2
        return replace(
            first,
            exhaustiveness=min(256, times * first.exhaustiveness),
            conformers=min(10, times * first.conformers),
            ring_conformers=min(20, 2 * first.ring_conformers),
            seed=first.seed + _OTHER_SEEDS if first.seed < 2**31 - 1_000 - _OTHER_SEEDS else first.seed - _OTHER_SEEDS,
        )

    @property
    def capped(self) -> bool:
        """True for a search that is cut short, as the fast setting is."""
        return self.max_evals > 0
