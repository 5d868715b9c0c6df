"""What would it do: plays the past days under the present definitions and under planned ones, and compares. Nothing is written.

drafting   the two sets of definitions, in memory            past      what happened, participant by participant, in batches
sources    where it is stored                                 acts      how it is done again
standing   how participants stood when the period began       playing   plays the past, in dry runs
report     the differences
"""

from gamify_project.programme.impact.playing import OnProgress, impact_of
from gamify_project.programme.impact.report import Impact

__all__ = ["Impact", "OnProgress", "impact_of"]
