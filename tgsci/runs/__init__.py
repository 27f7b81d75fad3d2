"""Runs: what a domain hands over, jobs, who proposes, a run from start to result, and runs side by side."""
