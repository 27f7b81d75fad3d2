"""Proposers without a model: the rule editor with its menu, lexicographic plans, and the baselines.

In the order in which to read it: `surrogate` has measured plans as points and what they predict, `moves` the edits of a
plan, `rules` the editor that chooses among them; `levers` are penalties that are turned until goals are just met, which
`priority` does level by level; `baselines` are random plans and Optuna's. `insight` is what a model at its desk is told
of plans.
"""
