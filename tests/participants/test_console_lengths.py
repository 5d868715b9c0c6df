import pytest
from django import forms

from participants.admin.lengths import Length, LengthField, duration_in_words, length_of


@pytest.mark.parametrize(
    ("seconds", "number", "unit", "said"),
    [
        (86_400, "1", "days", "1 day"),
        (36 * 3600, "36", "hours", "36 hours"),
        (5_400, "90", "minutes", "90 minutes"),
        (1, "1", "seconds", "1 second"),
        (86_401, "86401", "seconds", "86401 seconds"),
    ],
)
def test_seconds_are_shown_in_the_largest_unit_that_fits(seconds, number, unit, said):
    length = length_of(seconds)

    assert (length.number, length.unit, length.seconds) == (number, unit, seconds)
    assert not length.has_changed
    assert duration_in_words(seconds) == said


def test_an_empty_length_shows_the_unit_of_the_field():
    length = length_of(None, unit="hours")

    assert (length.number, length.unit, length.seconds, length.has_changed) == ("", "hours", None, False)


@pytest.mark.parametrize("length", [Length("1.5"), Length("-1"), Length("many"), Length("²"), Length("1", "years")])
def test_an_invalid_length_is_refused(length):
    field = LengthField(unit="days")

    with pytest.raises(forms.ValidationError, match="Enter a whole number"):
        field.clean(length)
    assert field.has_changed(None, length)


@pytest.mark.parametrize(
    ("length", "has_changed"),
    [
        (Length("24", "hours", shown="86400"), False),
        (Length("25", "hours", shown="86400"), True),
        (Length("", "hours", shown="86400"), True),
        (Length("1", "seconds"), True),
    ],
)
def test_the_same_length_in_another_unit_is_no_change(length, has_changed):
    assert LengthField(unit="days").has_changed(None, length) is has_changed
