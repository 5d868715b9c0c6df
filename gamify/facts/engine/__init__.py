"""Pure rules of events and facts: no Django, no clock."""
