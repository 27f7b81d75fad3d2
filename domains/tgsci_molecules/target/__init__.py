"""Proteins to dock into: the 58 built-in targets, and directories that `tgsci molecules prepare` wrote.

What is where:
  targets.py    Target: a receptor and the box around its binding site
  names.py      what the built-in targets are called (proteins.tsv)
  numbering.py  which residue is which (numbering.tsv)
  site.py       whether a box lies in the protein
"""
