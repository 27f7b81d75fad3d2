"""Proposers without a model: the rule editor, and the baselines that it has to beat."""
