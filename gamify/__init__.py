"""Facts and rules: points, tiers, badges, challenges, each a Django app of its own."""
