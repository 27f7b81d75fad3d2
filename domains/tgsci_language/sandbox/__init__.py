"""Where code that a model wrote runs: no network, no files, no environment, little time and memory."""
