"""The streak engine: pure functions over windows, runs and instants. No Django, no clock.

windows      periods of a calendar, in a zone; an instant is in exactly one        rolling    windows that a tick opens
zoned        the calendar of somebody who travels                                 runs       satisfied windows, run-length
conditions   when a window is satisfied                                            excuses    windows whose miss is forgiven
counting     what satisfied windows make of a streak: chains, standing            ticking    one tick
carrying     what goes on when rules change                                        milestones what a run has reached
days         a calendar of windows                                                  care       what revives a broken run
"""
