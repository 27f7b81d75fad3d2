"""Hard limits: ranges, groups to keep or avoid, a core, alerts, ring sizes, contacts with the protein.

A limit says by how much a molecule breaks it, in its own unit, so that a search can go down that slope. Limits on
the structure (`structural`) may also be refused outright, which costs no docking; see `Objective`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from rdkit import Chem

from ..molecule.patterns import Pattern, alert_count
from ..molecule.properties import alerts
from ..molecule.smiles import atom_name
from ..pose.contacts import NO_GROUP, WRONG_DIRECTION
from .core import Core
from .metrics import Metric

Figures = Mapping[str, float]


class Limit(ABC):
    """Something that a molecule must not break."""

    #: True where it is about the structure alone and all or nothing: it may be refused before docking.
    structural = False
    #: True where only docking tells whether it is kept.
    simulated = False
    #: The unit of the excess.
    unit = ""

    @property
    @abstractmethod
    def key(self) -> str:
        """Its name in `Feedback.violations`."""

    @property
    @abstractmethod
    def requirement(self) -> str:
        """Write what it asks for, in words that follow "must"."""

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The metrics that it looks at."""
        return ()

    @abstractmethod
    def excess(self, mol: Chem.Mol, figures: Figures) -> float:
        """Measure by how much it is broken; 0.0 where it holds."""

    @abstractmethod
    def mend(self, mol: Chem.Mol, figures: Figures) -> str:
        """Say what is wrong and what would mend it, where it is broken."""


@dataclass(frozen=True)
class Bound(Limit):
    """The least or the most that a metric may be.

    Args:
        metric: The metric that it bounds.
        sign: "<=" or ">=".
        bound: The bound, in the metric's unit.
    """

    metric: Metric
    sign: str
    bound: float

    @property
    def simulated(self) -> bool:  # type: ignore[override]
        """True where only docking gives the metric."""
        return any(root.simulated for root in self.metric.roots)

    @property
    def unit(self) -> str:  # type: ignore[override]
        """The metric's unit."""
        return self.metric.unit

    @property
    def key(self) -> str:
        return f"{self.metric.name} {self.sign} {self.bound:g}"

    @property
    def requirement(self) -> str:
        return f"have {self.key} {self.metric.unit}".rstrip()

    @property
    def metrics(self) -> tuple[Metric, ...]:
        return (self.metric,)

    def excludes(self, other: Bound) -> bool:
        """Tell whether no value keeps both this upper and that lower bound."""
        same = self.metric.name == other.metric.name
        return same and (self.sign, other.sign) == ("<=", ">=") and self.bound < other.bound

    def excess(self, mol: Chem.Mol, figures: Figures) -> float:
        figure = figures[self.metric.name]
        return max(0.0, figure - self.bound if self.sign == "<=" else self.bound - figure)

    def mend(self, mol: Chem.Mol, figures: Figures) -> str:
        m, out = self.metric, self.excess(mol, figures)
        return (
            f"{m.name} is {m.write(figures[m.name])}, must be {self.sign} {self.bound:g}; out by {m.write(out)}"
            f"{_hint(m.kind, self.sign, out)}."
        )


#: What moves a property down, and what moves it up.
_HINTS = {
    "MW": ("take off or shrink a group", "add a group"),
    "heavy atoms": ("take off or shrink a group", "add a group"),
    "cLogP": (
        "a polar atom for a carbon, or less halogen and alkyl",
        "more carbon, fluorine or chlorine, or fewer polar atoms",
    ),
    "TPSA": ("fewer N and O, or methylate an N-H", "an N or O more"),
    "HBD": ("mask or take off an N-H or O-H", "an N-H or O-H more"),
    "HBA": ("fewer N and O", "an N or O more"),
    "rotatable bonds": ("close a ring or shorten a chain", "open a ring or lengthen a chain"),
    "aromatic rings": ("saturate or take off an aromatic ring", "an aromatic ring more"),
    "Fsp3": ("fewer saturated carbons", "more saturated carbons"),
    "SA": ("simpler rings and fewer stereocentres", ""),
    "largest ring": ("smaller rings", "a larger ring"),
    "rings": ("open or take off a ring", "a ring more"),
    "stereocentres": ("flatten or make symmetric what is chiral", ""),
    "similarity": ("move further from the reference", "go back towards the reference"),
}


def _hint(kind: str, sign: str, out: float) -> str:
    down, up = _HINTS.get(kind, ("", ""))
    hint = down if sign == "<=" else up
    if kind == "MW":
        hint += f", about {max(1, round(out / 13))} heavy atom{'s' if round(out / 13) > 1 else ''}"
    return f": {hint}" if hint else ""


@dataclass(frozen=True)
class Keep(Limit):
    """A group that must be there.

    Args:
        pattern: The group.
        count: How often it must be there, at least.
    """

    pattern: Pattern
    count: int = 1
    structural = True
    unit = "groups"

    @property
    def key(self) -> str:
        return f"keep {self.pattern}" + (f" x{self.count}" if self.count > 1 else "")

    @property
    def requirement(self) -> str:
        times = f" at least {self.count} times" if self.count > 1 else ""
        smarts = f" (SMARTS {self.pattern.smarts})" if self.pattern.name else ""
        return f"contain {self.pattern}{smarts}{times}"

    def excess(self, mol: Chem.Mol, figures: Figures) -> float:
        return float(max(0, self.count - self.pattern.count(mol)))

    def mend(self, mol: Chem.Mol, figures: Figures) -> str:
        matched = self.pattern.count(mol)
        has = f"has it {matched} time{'s' if matched != 1 else ''}" if matched else "does not have it"
        return f"must {self.requirement}, and {has}: put it back."


@dataclass(frozen=True)
class Avoid(Limit):
    """A group that must not be there.

    Args:
        pattern: The group.
        count: How often it may be there all the same.
    """

    pattern: Pattern
    count: int = 0
    structural = True
    unit = "groups"

    @property
    def key(self) -> str:
        return f"avoid {self.pattern}" + (f" beyond {self.count}" if self.count else "")

    @property
    def requirement(self) -> str:
        smarts = f" (SMARTS {self.pattern.smarts})" if self.pattern.name else ""
        most = f"contain at most {self.count} of" if self.count else "not contain"
        return f"{most} {self.pattern}{smarts}"

    def excess(self, mol: Chem.Mol, figures: Figures) -> float:
        return float(max(0, self.pattern.count(mol) - self.count))

    def mend(self, mol: Chem.Mol, figures: Figures) -> str:
        places = "; ".join(_named(mol, match) for match in self.pattern.matches(mol)[:3])
        return f"must {self.requirement}, and does at {places}: change these atoms."


@dataclass(frozen=True)
class CoreKept(Limit):
    """A core that stays as it is, growth only where it allows."""

    core: Core
    structural = True
    unit = "atoms"

    @property
    def key(self) -> str:
        return "core"

    @property
    def requirement(self) -> str:
        if not self.core.ends:
            return f"contain the core {self.core.text}"
        return f"keep the core {self.core.text} intact, with substituents only at its attachment points [*:n]"

    def excess(self, mol: Chem.Mol, figures: Figures) -> float:
        fit = self.core.fit(mol)
        return float(self.core.size if fit is None else len(fit.strays))

    def mend(self, mol: Chem.Mol, figures: Figures) -> str:
        fit = self.core.fit(mol)
        if fit is None:
            return f"must {self.requirement}, and does not contain it: put it back."
        where = ", ".join(atom_name(mol, i) for i in fit.ends) or "none"
        return (
            f"must {self.requirement}; grown elsewhere: {_named(mol, fit.strays)} on the core is not allowed: take off "
            f"what begins there. Allowed places in this molecule: {where}."
        )


@dataclass(frozen=True)
class NoAlerts(Limit):
    """No structural alert of some catalogues."""

    catalogs: tuple[str, ...]
    structural = True
    unit = "alerts"

    @property
    def key(self) -> str:
        return f"alerts of {', '.join(self.catalogs)}"

    @property
    def requirement(self) -> str:
        return f"have no structural alert of {', '.join(self.catalogs)}"

    def excess(self, mol: Chem.Mol, figures: Figures) -> float:
        return float(alert_count(mol, self.catalogs))

    def mend(self, mol: Chem.Mol, figures: Figures) -> str:
        matched = {(a.catalog, a.name): a for a in alerts(mol, self.catalogs)}
        named = "; ".join(f"{a.catalog} {a.name} at {_named(mol, a.atoms)}" for a in list(matched.values())[:4])
        return f"must {self.requirement}, and has {named}: replace these atoms."


@dataclass(frozen=True)
class RingSizes(Limit):
    """The least and the most atoms that any ring may have; molecules without rings keep it."""

    low: int
    high: int
    unit = "atoms"

    @property
    def key(self) -> str:
        return f"ring sizes {self.low} to {self.high}"

    @property
    def requirement(self) -> str:
        return f"have only rings of {self.low} to {self.high} atoms"

    def excess(self, mol: Chem.Mol, figures: Figures) -> float:
        return float(sum(max(0, self.low - n, n - self.high) for n in map(len, mol.GetRingInfo().AtomRings())))

    def mend(self, mol: Chem.Mol, figures: Figures) -> str:
        rings = [r for r in mol.GetRingInfo().AtomRings() if not self.low <= len(r) <= self.high]
        named = "; ".join(f"{len(ring)} atoms: {_named(mol, ring)}" for ring in rings[:3])
        return f"must {self.requirement}, and has a ring of {named}."


@dataclass(frozen=True)
class ContactMade(Limit):
    """A contact that the docked pose must make with a residue.

    Args:
        kind: "hbond", "salt bridge", "aromatic" or "contact".
        residue: Label, as in Met318.
        target: The target whose pose must make it.
        metric: Angstrom that are missing to the contact.
        role: What the ligand must be in a hydrogen bond: "donor", "acceptor", or "" for either.
        smarts: The group of the ligand that must make it; "" for any.
    """

    kind: str
    residue: str
    target: str
    metric: Metric
    role: str = ""
    smarts: str = ""
    simulated = True
    unit = "A"

    @property
    def key(self) -> str:
        return self.metric.name.removesuffix(" gap")

    @property
    def requirement(self) -> str:
        words = {"hbond": "a hydrogen bond to", "aromatic": "an aromatic contact with", "contact": "contact with"}
        role = f" as its {self.role}" if self.role else ""
        by = f" by {self.smarts}" if self.smarts else ""
        return f"make {words.get(self.kind, f'a {self.kind} to')} {self.residue} of {self.target}{role}{by}"

    @property
    def metrics(self) -> tuple[Metric, ...]:
        return (self.metric,)

    def excess(self, mol: Chem.Mol, figures: Figures) -> float:
        return max(0.0, figures[self.metric.name])

    def mend(self, mol: Chem.Mol, figures: Figures) -> str:
        short = figures[self.metric.name]
        state = f"it is {short:.1f} A short of it"
        if self.smarts and not Pattern(self.smarts).count(mol):
            state = "the molecule has no such group"
        elif 0 < short <= WRONG_DIRECTION:
            state = "the groups are near enough, but in the wrong direction"
        return f"must {self.requirement}; in the docked pose {state}."


def in_words(name: str, value: float) -> str:
    """Say of a contact that only its direction is wrong, or that its group is not there; "" where neither is so.

    Args:
        name: A limit's key, or the metric of a contact's gap (in fewer words: it stands in a column).
        value: What is missing, Angstrom.
    """
    if " by " in name and value == NO_GROUP:
        return "no such group"
    if 0 < value <= WRONG_DIRECTION and any(f"{kind} " in name for kind in ("hbond", "salt bridge", "aromatic")):
        return "wrong direction" if name.endswith(" gap") else "near enough, but in the wrong direction"
    return ""


def _named(mol: Chem.Mol, atoms: Iterable[int]) -> str:
    return ", ".join(atom_name(mol, i) for i in atoms)
