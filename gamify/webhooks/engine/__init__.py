"""Pure rules of delivery: event type globs, target addresses, signatures, and the retry schedule."""
