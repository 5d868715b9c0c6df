"""The streak engine: pure functions over windows, runs and instants. No Django, no clock.

`windows` says which window an instant is in, `runs` keeps satisfied windows as a run-length list, `counting` says what the two
make of a participant's streak.
"""
