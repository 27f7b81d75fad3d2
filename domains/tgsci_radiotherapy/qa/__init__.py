"""Quality assurance of a finished plan: gamma index and robustness."""
