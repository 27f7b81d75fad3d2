"""Proposers without a model: the rule editor with its menu, and the baselines.

In the order in which to read it: `surrogate` has measured plans as points and what they predict, `moves` the edits of a
plan, `rules` the editor that chooses among them; `baselines` are random plans and Optuna's. `insight` is what a model
at its desk is told of plans.
"""
