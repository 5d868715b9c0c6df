"""Tables of challenges: definitions, and enrolments of participants."""

from gamify.challenges.models.definitions import ALL, Challenge, DurationChoice, EnrolmentChoice
from gamify.challenges.models.enrolments import Enrolment

__all__ = ["ALL", "Challenge", "DurationChoice", "Enrolment", "EnrolmentChoice"]
