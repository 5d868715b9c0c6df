"""The streak engine: pure functions over windows, runs and instants. No Django, no clock.

windows       calendar periods in one zone
zoned         calendar periods of a participant whose zone changes
rolling       windows that a tick opens
runs          run-length lists of satisfied windows
counting      chains of satisfied windows, and the status of a streak at an instant
ticking       the effect of one tick
direct_ticks  ticks without an event
undoing       the state without one tick
excuses       windows that may be missed
care          the excuse that revives a broken run
carrying      counts that are carried over when rules change
milestones    lengths of a run that are reached and paid
calendar      the windows of a participant one by one

`gamify.facts.engine.conditions` decides whether a window is satisfied.
"""
