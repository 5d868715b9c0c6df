"""What would it do: plays the past days under the present definitions and under planned ones, and compares. Nothing is written.

drafting   the two sets of definitions, in memory     past     what happened, participant by participant
playing    what it leads to, in dry runs              report   the differences
"""

from gamify_project.programme.impact.playing import OnProgress, impact_of
from gamify_project.programme.impact.report import Impact

__all__ = ["Impact", "OnProgress", "impact_of"]
