"""The docking loss: DOCKSTRING's `vina + 10 (1 - QED)`, and the page behind the number."""

from __future__ import annotations

from collections.abc import Mapping

from rdkit import Chem

from tgsci.errors import UsageError
from tgsci.feedback import Feedback
from tgsci.loss import Loss

from .docking import Docking, Settings, dock, fingerprint
from .properties import PROPERTIES, alerts, out_of_range, properties_of, qed_parts
from .protein.targets import Target
from .smiles import atom_name, canonical, molecule

#: What a metric of docking is measured in; the properties bring their own.
_UNITS = {"vina": "kcal/mol", "LE": "kcal/mol per heavy atom"}
#: Parts of QED below this gain in the loss are not worth a line.
_WORTH_SAYING = 0.05


class DockingLoss(Loss):
    """How badly a molecule does as a ligand and as a drug: `vina + qed_weight * (1 - QED)`.

    Args:
        target: Where to dock: a `Target` or its name.
        settings: How hard to search; the fast setting where None.
        qed_weight: What one whole QED is worth, kcal/mol. 10 is DOCKSTRING's.

    Raises:
        UsageError: No such target, or a weight that is negative or no number.
    """

    units: Mapping[str, str] = {**_UNITS, **{name: p.unit for name, p in PROPERTIES.items()}}

    def __init__(self, target: Target | str, settings: Settings | None = None, qed_weight: float = 10.0) -> None:
        if isinstance(qed_weight, bool) or not isinstance(qed_weight, int | float) or not 0 <= qed_weight <= 1e6:
            raise UsageError(f"qed_weight must be a number from 0 to 1e6 kcal/mol, not {qed_weight!r}")
        self.target = Target(target) if isinstance(target, str) else target
        self.settings = settings or Settings()
        self.qed_weight = float(qed_weight)
        self.name = f"vina + {self.qed_weight:g} (1 - QED) in {self.target}"
        # A hundred times what a slow drug takes (11 us an evaluation): only a hang is ever stopped.
        evaluations = self.settings.conformers * self.settings.exhaustiveness * (self.settings.max_evals or 1e6)
        self.timeout = 300.0 + 1e-3 * evaluations

    @property
    def fingerprint(self) -> str:
        return f"vina + qed_weight (1 - QED): {fingerprint(self.target, self.settings)}; qed_weight={self.qed_weight!r}"

    def validate(self, value: str) -> str:
        """The canonical SMILES; see `tgsci_molecules.canonical`."""
        return canonical(value)

    def evaluate(self, value: str) -> Feedback:
        """Dock a canonical SMILES and measure its properties."""
        docking = dock(value, self.target, self.settings)
        mol = molecule(value)
        figures = properties_of(mol)
        penalty = self.qed_weight * (1.0 - figures["QED"])
        efficiency = docking.score / figures["heavy atoms"]
        loss = docking.score + penalty
        metrics = {"vina": docking.score, "LE": efficiency, **figures}
        lines = [
            f"LOSS {loss:.2f} = vina {docking.score:+.2f} kcal/mol + {self.qed_weight:g} x (1 - QED "
            f"{figures['QED']:.2f}) {penalty:+.2f}; lower is better.",
            *_docking_lines(docking, efficiency),
            *_qed_lines(mol, figures["QED"], self.qed_weight),
            *_property_lines(figures),
            *_alert_lines(mol),
        ]
        tags = {"loss": f"{loss:.3f}", "QED": f"{figures['QED']:.3f}"}
        return Feedback(
            loss,
            "\n".join(lines),
            metrics=metrics,
            artifacts={"pose.sdf": docking.sdf(tags)},
        )


def _docking_lines(docking: Docking, efficiency: float) -> list[str]:
    settings, ligand = docking.settings, docking.ligand
    bonds = f"{ligand.torsions} rotatable bond{'s' if ligand.torsions != 1 else ''}"
    lines = [
        f"DOCKING in {docking.target}: vina {docking.score:.2f} kcal/mol = {docking.inter:+.2f} from contacts with "
        f"the protein {docking.torsion_penalty:+.2f} for {bonds} that Vina turns; "
        f"{efficiency:.2f} kcal/mol per heavy atom."
    ]
    if ligand.torsions and docking.torsion_penalty > 0:
        lines.append(
            f"  One rotatable bond less at the same contacts: vina {_score_with_one_less(docking):.2f} kcal/mol."
        )
    if len(docking.scores) > 1:
        scores = ", ".join(f"{score:.2f}" for score in docking.scores)
        lines.append(f"  Best of {len(docking.scores)} starting conformers ({scores} kcal/mol).")
    lines.append(
        f"  Searched: box {docking.box:g} A, exhaustiveness {settings.exhaustiveness}, "
        f"max_evals {settings.max_evals}, seed {settings.seed}. Docked as {ligand.docked_smiles}"
    )
    if ligand.undefined:
        named = ", ".join(ligand.undefined[:6]) + (" and more" if len(ligand.undefined) > 6 else "")
        tried = len(docking.isomers)
        which = f"The best of {tried} arbitrary isomers" if tried > 1 else "One arbitrary isomer"
        lines.append(
            f"STEREO undefined: {named}. {which} is scored, the one above; others may bind better or worse. "
            "Write @ or @@ (/ or \\ at a double bond) to choose."
        )
    return lines


def _score_with_one_less(docking: Docking) -> float:
    """Vina divides the contacts by 1 + w * torsions; w follows from this very pose."""
    weight = (docking.inter / docking.score - 1.0) / docking.ligand.torsions
    return docking.inter / (1.0 + weight * (docking.ligand.torsions - 1))


def _qed_lines(mol: Chem.Mol, qed: float, weight: float) -> list[str]:
    lines = [f"QED {qed:.2f} (0 to 1, higher is more drug-like). What costs most:"]
    for part in qed_parts(mol)[:4]:
        if part.gain * max(weight, 1.0) < _WORTH_SAYING:
            continue
        lines.append(
            f"  {part.name} {part.figure:.4g}: {part.wish} would help; ideal, QED would be "
            f"{qed + part.gain:.2f} (loss {-weight * part.gain:+.2f})."
        )
    return lines if len(lines) > 1 else [lines[0].replace(" What costs most:", " Nothing costs much.")]


def _property_lines(figures: Mapping[str, float]) -> list[str]:
    shown = [f"{name} {figures[name]:.4g} {p.unit}".rstrip() for name, p in PROPERTIES.items() if name != "QED"]
    outside = out_of_range(figures)
    return [
        f"PROPERTIES {', '.join(shown)}.",
        f"  Outside the usual range for oral drugs: {'; '.join(outside) or 'none'}.",
    ]


def _alert_lines(mol: Chem.Mol) -> list[str]:
    found = alerts(mol)
    if not found:
        return ["ALERTS (PAINS, BRENK): none."]
    lines = ["ALERTS (atoms counted from 0 in the SMILES):"]
    for alert in found:
        atoms = ", ".join(atom_name(mol, i) for i in alert.atoms)
        lines.append(f"  {alert.catalog} {alert.name}: {alert.fragment} at {atoms}.")
    return lines
