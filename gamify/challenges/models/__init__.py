"""Tables of challenges: what ops define, and who takes part."""

from gamify.challenges.models.definitions import ALL, Challenge, DurationChoice, EnrolmentChoice
from gamify.challenges.models.enrolments import Enrolment

__all__ = ["ALL", "Challenge", "DurationChoice", "Enrolment", "EnrolmentChoice"]
