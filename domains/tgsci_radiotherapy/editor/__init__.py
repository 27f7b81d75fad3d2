"""Proposers without a model: the rule editor with its menu, and the baselines."""
