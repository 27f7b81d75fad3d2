"""Proteins in, poses out: a molecule made ready, docked with Vina, kept for the next time."""
