"""Streaks in the console.

streaks     the list and the pages of definitions
forms       their form, which the bodies of the API validate
milestones  the editor of milestones
switching   pause, resume, activate, archive
amnesties   days on which no period can be missed
people      the streaks of a participant, freeze and restore
calendars   the windows of a participant as boxes
words       descriptions in words
"""

from streaks.admin import amnesties, people, streaks

__all__ = ["amnesties", "people", "streaks"]
