"""Streaks in the console: definitions and what switches them, amnesties, and where a participant stands.

streaks     lists and pages of definitions      forms       their form, judged by the bodies of the API
milestones  the editor of milestones            switching   pause, resume, activate, archive
amnesties   days on which nobody can miss       people      a participant's streaks, freeze and restore
calendars   a participant's windows, drawn      words       how all of this is said to people
"""

from streaks.admin import amnesties, people, streaks

__all__ = ["amnesties", "people", "streaks"]
