"""Proteins to dock into: the built-in targets, and your own."""
