"""Radiotherapy for tgsci: plan parameters as values, a dose-volume planner as a loss. Not for clinical use.

The rooms, in the order in which a plan travels; the `__init__` of each says what is where in it:
  commands/   the command line: `plan` builds a problem, runs it and shows the result
  plugin.py   the problem that the domain hands to the core; job.py has the keys of a job file
  case/       the patient, and the dose that each beamlet gives; importers/ reads cases of other programs
  plan/       the parameters that are tuned, and the file of a finished plan
  goals/      clinical goals, and what a dose makes of them
  planner/    from objectives to the best fluence, and how goals would move with the objectives
  loss/       solves and evaluates a plan, and writes the page about it
  editor/     proposers without a model
  qa/         gamma index and robustness of a finished plan
  views/      tables, plots and the files of a run
names.py cleans the names of structures; notice.py has the sentence that stands wherever a person meets a plan.
Nothing heavy is imported before it is used.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
