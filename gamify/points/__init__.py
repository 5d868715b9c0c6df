"""Points: an append-only ledger with running totals on the participant."""
