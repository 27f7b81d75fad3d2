"""What people look at: a run's files (`export`), tables, plots, and views of plans in Jupyter.

`tables` are goals and trials as text, CSV and JSON; `conflicts` the account of goals that were not met together;
`dvh_plot` and `wash` are the plots, `style` how they look; `summary` describes a case, and `notebook` shows plans in
Jupyter.
"""
