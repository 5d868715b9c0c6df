"""Events in the console, and the editor of grants that the definitions of other domains use."""

from gamify.facts.admin import events, grants

__all__ = ["events", "grants"]
