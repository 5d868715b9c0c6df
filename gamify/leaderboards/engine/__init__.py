"""Pure rules of leaderboards: measures, periods, and ranking (places, ranges, drafts)."""
