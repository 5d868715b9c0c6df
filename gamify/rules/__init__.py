"""Rules: when an event or a change happens and a condition holds, give something, within limits."""
