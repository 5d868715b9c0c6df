"""Pure rules of leaderboards: periods, places, what an event adds, ranges of scores."""
