"""Questions: refinement at test time beside plain sampling at the same number of calls."""
