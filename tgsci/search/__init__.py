"""The search: who has ideas, the pool, the loop over rounds, how leaders are confirmed, and the ledger of it all."""
