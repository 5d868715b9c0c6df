"""Events in the console, and the editor of grants that the domains above have on their definitions."""

from gamify.facts.admin import events, grants

__all__ = ["events", "grants"]
