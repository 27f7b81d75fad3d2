"""Clinical goals: dose-volume metrics, sheets of goals, and what a dose makes of them.

`read_sheet("tg119-easier").bind(case)` gives goals on a case, and `evaluate(bound, case, dose)` the table. How metrics
are defined is in `metrics`, how sheets are written in `sheet`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
