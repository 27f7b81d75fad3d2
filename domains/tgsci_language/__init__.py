"""Language for tgsci: code, prompts and answers as values; tests, data sets and questions as losses.

The rooms, in the order in which a value travels; the `__init__` of each says what is where in it:
  commands/   the command line: `code`, `prompt` and `answer` build a problem, run it and show the result
  plugin.py   the problem that the domain hands to the core, by the kind of task
  datasets/   examples and questions: read from published files, split, or made from a seed
  sandbox/    where code that a model wrote runs
  scoring/    how right an answer is
  code/       a task with tests, the runner as the loss, and its page
  prompts/    an instruction, its error on a data set, and its page
  answers/    test-time refinement beside plain sampling at the same number of calls
Nothing heavy is imported before it is used.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
