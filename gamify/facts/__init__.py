"""Events that clients emit, and what comes of them: the facts that every other domain hears."""
