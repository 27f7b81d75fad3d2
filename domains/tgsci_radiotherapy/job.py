"""What a job file's [radiotherapy] table may hold; the options of `tgsci radiotherapy plan` are the same."""

#: Each key with what it means.
KEYS = {
    "case": "a built-in case (see: tgsci radiotherapy cases) or a .zarr file that tgsci radiotherapy import wrote",
    "goals": "a sheet of clinical goals by name (see: tgsci radiotherapy goals) or a .toml file of your own",
    "start": "parameters to start from: JSON text, a .json file of them, or another run's plan.json; a list "
    "for several. Left out, the goals give a start",
    "objectives": "the start written as tables [[radiotherapy.objectives]] of structure, type, dose_gy, weight, "
    "volume_percent and exponent",
    "prescription": "a table of target and total Gy, in place of the case's: prescription = { PTV = 50 }",
    "protocol": "free, or textgrad-paper: weights only, all 100 at the start, D95% scaled to the prescription",
    "gap": "relative optimality gap that every plan is solved to; 0.001 unless given",
    "seconds": "longest that one plan may take, s; 300 unless given",
}

#: How many plans a run of the command line makes unless it says otherwise.
EVALUATIONS = 30
