"""Proposers without a model: the rule editor, and the baselines that it has to beat.

What is where:
  rules.py            RuleEditor: begin here
  transformations.py  legal edits and how they are applied (transformations.tsv, unstable.tsv)
  assemble.py         molecules from building blocks (blocks.tsv)
  grow.py             edits that the docked pose asks for (fragments.tsv)
  candidates.py       molecules that may be proposed, and recombination of two trials
  predictor.py        predicts losses and ranks candidates: surrogate.py learns, descriptors.py calculates
  reasons.py          a candidate in words
  ga.py               a graph genetic algorithm; random_edits.py is the baseline without judgement
"""
