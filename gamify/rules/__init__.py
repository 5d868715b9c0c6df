"""Rules: when this happens, and that holds, give so much; not more often than a limit allows."""
