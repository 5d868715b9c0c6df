"""The streak engine: pure functions over windows, runs and instants. No Django, no clock.

`gamify.facts.engine.conditions` decides whether a window is satisfied.
"""
