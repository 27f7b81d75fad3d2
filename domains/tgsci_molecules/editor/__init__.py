"""The rule editor: legal medicinal-chemistry edits, chosen by what was measured so far."""
