"""Codes as people keep them, a line each."""

import pytest

from rewards.engine import code_lines

pytestmark = pytest.mark.engine


def read(text):
    lines = code_lines(text if isinstance(text, bytes) else text.encode())
    return lines.codes, [(each.number, each.problem) for each in lines.bad]


@pytest.mark.parametrize(
    "text",
    [
        "A-1\nB 2\n",
        "A-1\r\nB 2",
        "A-1\rB 2\r",
        b"\xef\xbb\xbfA-1\nB 2",
        "code\nA-1\nB 2",
        b'\xef\xbb\xbf"Code"\r\n\r\n"A-1"\r\n   \r\n  B 2 \r\n',
        "code,\nA-1,\nB 2,\n,\n",
    ],
)
def test_whatever_program_wrote_them(text):
    assert read(text) == (["A-1", "B 2"], [])


def test_only_a_first_line_is_a_header():
    assert read("A\ncode\ncode\n") == (["A", "code", "code"], [])


def test_quotes_are_those_of_csv():
    assert read('"A ""1"""\n"B,2"\n') == (['A "1"', "B,2"], [])


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("A,B,C", "Has 3 fields; give one code in each line."),
        ('"A', "Is not CSV: unexpected end of data."),
        ('"A"B', "Is not CSV: ',' expected after '\"'."),
        (b"\xff", "Is not UTF-8."),
        ("x" * 256, "Must be 1 to 255 characters long."),
        ("x" * 200_000, "Is not CSV: field larger than field limit (131072)."),
        ("A\x00B", "Must not contain control characters."),
        ("A\x07", "Must not contain control characters."),
        ("A\u2028B", "Must not contain control characters."),
    ],
)
def test_a_bad_line_is_known_by_its_number_and_spoils_no_other(line, problem):
    raw = line if isinstance(line, bytes) else line.encode()

    assert read(b"code\nA\n\n" + raw + b"\nB\n") == (["A", "B"], [(4, problem)])


@pytest.mark.parametrize("text", ["", "\n\n", "code", b"\xef\xbb\xbf", ",,\n"])
def test_nothing_is_no_codes(text):
    assert read(text) == ([], [])
