"""Challenges in the console: their definitions, and where a participant stands.

challenges   list and pages of definitions         forms        their form, judged by the bodies of the API
objectives   the editor of objectives              milestones   the editor of milestones
cards        what both editors are made of         people       a participant's challenges, and enrolling by hand
words        how all of this is said to people
"""

from gamify.challenges.admin import challenges, people

__all__ = ["challenges", "people"]
