"""The search: proposers, trials, the loop over rounds, and the ledger that records it."""
