"""What a job file's [molecules] table may hold; the options of `tgsci molecules design` are the same."""

#: Each key with what it means.
KEYS = {
    "target": "the protein, for example ABL1",
    "start": "a SMILES or a list of them",
    "qed_weight": "what one whole QED is worth, kcal/mol",
    "exhaustiveness": "restarts of the docking search",
    "max_evals": "energy evaluations of each restart",
    "box": "smallest edge of the search box, Angstrom",
    "conformers": "starting conformers, each docked",
    "docking_seed": "of conformers and docking search",
}

#: The keys that set how hard to dock, with the fields of `Settings` that they go to.
SETTINGS = {
    "exhaustiveness": "exhaustiveness",
    "max_evals": "max_evals",
    "box": "box",
    "conformers": "conformers",
    "docking_seed": "seed",
}
