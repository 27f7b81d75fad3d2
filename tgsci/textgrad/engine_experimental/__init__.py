"""TextGrad's second set of engines."""
