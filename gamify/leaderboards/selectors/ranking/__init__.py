"""Reads of ranking: stored boards, folding in memory, pages and ranks. Start with engine/ranking/README.md."""
