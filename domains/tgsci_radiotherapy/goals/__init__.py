"""Clinical goals: dose-volume metrics, sheets of goals, and what a dose makes of them.

`read_sheet("tg119-easier").bind(case)` gives goals on a case, and `evaluate(bound, case, dose)` the table.

In the order in which to read it: `metrics` defines and reads what is measured, `values` computes it; `goal` is one
criterion, `sheet` a file of them, `reader` reads such a file; `bind` looks its names up in a case, adds what is meant
without being said (`implied`) and finds what the targets forbid (`overlap`); `table` holds goals with their values,
`evaluation` computes these from a dose; `start` writes class solutions, parameters to start a search from.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
