"""What a job file's [molecules] table may hold; the options of `tgsci molecules design` are the same."""

from __future__ import annotations

from tgsci.errors import UsageError

#: Each key with what it means.
KEYS = {
    "target": "the protein, for example ABL1, or a directory that `tgsci molecules prepare` wrote",
    "off_targets": "a list of further targets: what the molecule should not bind, or what terms are about",
    "start": "a SMILES or a list of them",
    "start_file": "a file of molecules to start from: .smi, .csv or .sdf",
    "names": "a table of SMILES and name: what start molecules are called; a start_file brings its own",
    "objective": "a name from `tgsci molecules objectives`; dockstring where neither it nor terms are given",
    "qed_weight": "what one whole QED is worth in the objective dockstring, kcal/mol",
    "aggregate": "how terms are put together: sum, geometric_mean or arithmetic_mean",
    "terms": "tables [[molecules.terms]] of metric, transform, weight, target, over, smarts and name",
    "limits": "a table of hard limits: MW = [200, 500], cLogP = '<= 5', 'ring sizes' = [5, 7]",
    "keep": "SMARTS that must stay, a list; or tables of smarts, name and count",
    "avoid": "SMARTS that must not appear, a list; or tables of smarts, name and count",
    "core": "a scaffold with attachment points that stays intact and grows only there: Nc1nccc([*:1])n1",
    "reference": "a SMILES, or a list of them, that similarity is measured to",
    "contacts": "contacts that the docked pose must make, a list: 'hbond Met318'",
    "alerts": "catalogues of structural alerts that must not be raised, a list: PAINS, BRENK, NIH, CHEMBL",
    "advise": "advice in words, for the model; groups to keep or avoid that it names become limits",
    "finalists": "how many of the best are docked again at full effort after the run; 0 for none",
    "exhaustiveness": "restarts of the docking search",
    "max_evals": "energy evaluations of each restart",
    "box": "smallest edge of the search box, Angstrom",
    "conformers": "starting conformers, each docked",
    "docking_seed": "of conformers and docking search",
    "isomers": "stereoisomers that are docked where the SMILES leaves some open; the best counts",
    "tautomers": "tautomers that are docked; 1 is the one that was written",
    "states": "states of protonation near pH 7.4 that are docked; 1 is the most probable",
    "ring_conformers": "starting conformers, at least, of a molecule with a ring of 8 or more atoms",
}

#: The keys of one table [[molecules.terms]].
TERM_KEYS = {
    "metric": "what the term is about: vina, QED, MW, 'LCK vina', matches ...",
    "transform": "a name, or a table of type and its parameters: { type = 'sigmoid', low = 0.2, high = 0.6 }",
    "weight": "above 0, 1 unless given; in a sum it may be negative",
    "target": "the target or the targets that a docking metric is about",
    "over": "max, min or mean over several targets",
    "smarts": "what the metric matches counts",
    "name": "a text for tables and reports",
}

#: The keys that set how hard to dock, with the fields of `Settings` that they go to.
SETTINGS = {
    "exhaustiveness": "exhaustiveness",
    "max_evals": "max_evals",
    "box": "box",
    "conformers": "conformers",
    "docking_seed": "seed",
    "isomers": "isomers",
    "tautomers": "tautomers",
    "states": "states",
    "ring_conformers": "ring_conformers",
}

#: How many finalists a run docks again unless it says otherwise.
FINALISTS = 3

#: Longest name of a term or a group.
MAX_NAME = 60


def check_name(what: str, name: object) -> None:
    """Refuse a name that could not stand in a table or a report.

    Raises:
        UsageError: It is no text, too long, or has characters that cannot be printed.
    """
    if not isinstance(name, str) or len(name) > MAX_NAME or not name.isprintable() or name != name.strip():
        raise UsageError(
            f"the name of {what} must be one line of at most {MAX_NAME} printable characters, not {repr(name)[:80]}"
        )
