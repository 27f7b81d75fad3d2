"""Molecules as people, files and models write them."""
