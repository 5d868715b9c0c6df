"""Console screens of challenges.

challenges   list and pages of definitions         forms        their form, validated by the bodies of the API
objectives   the editor of objectives              milestones   the editor of milestones
cards        the base of both editors              people       a participant's challenges, and enrolment by hand
words        texts for people
"""

from gamify.challenges.admin import challenges, people

__all__ = ["challenges", "people"]
