"""The streak engine: pure functions over windows, runs and instants. No Django, no clock.

windows      periods of a calendar, in a zone; an instant is in exactly one        rolling    windows that a tick opens
zoned        the calendar of somebody who travels                                 runs       satisfied windows, run-length
counting     what satisfied windows make of a streak: chains, standing            ticking    one tick
excuses      windows whose miss is forgiven                                       milestones what a run has reached
carrying     what goes on when rules change                                        care       what revives a broken run
undoing      a tick is taken back                                                 vouched    ticks without an event
days         a calendar of windows

When a window is satisfied is told by `gamify.facts.engine.conditions`.
"""
