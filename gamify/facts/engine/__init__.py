"""The engine of events and facts: no Django, no clock."""
