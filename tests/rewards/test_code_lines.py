"""Texts with one code per line."""

import sys
import unicodedata

import pytest

from rewards.engine.code_lines import SEPARATOR_LINE, code_problem, parse_code_lines

pytestmark = pytest.mark.engine


def read(text):
    lines = parse_code_lines(text if isinstance(text, bytes) else text.encode())
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
        "code\nA-1,\nB 2,\n,\n",
        "\ufeffcode\n\tA-1\t\nB 2\u00a0\n",
    ],
)
def test_texts_of_all_programs_are_parsed(text):
    assert read(text) == (["A-1", "B 2"], [])


def test_only_the_first_line_can_be_a_header():
    assert read("A\ncode\ncode\n") == (["A", "code", "code"], [])


def test_quotes_follow_csv():
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
        ("A\u2028", "Must not contain control characters."),
        (
            "A\u200b-1",
            "Must not contain invisible characters; U+200B ZERO WIDTH SPACE is character number 2.",
        ),
        (
            "\ufeffA-1",
            "Must not contain invisible characters; U+FEFF ZERO WIDTH NO-BREAK SPACE is character number 1.",
        ),
    ],
)
def test_an_invalid_line_is_reported_by_number_and_does_not_affect_others(line, problem):
    raw = line if isinstance(line, bytes) else line.encode()

    assert read(b"code\nA\n\n" + raw + b"\nB\n") == (["A", "B"], [(4, problem)])


@pytest.mark.parametrize("text", ["", "\n\n", "code", b"\xef\xbb\xbf", ",,\n"])
def test_blank_texts_have_no_codes(text):
    assert read(text) == ([], [])


def test_a_code_contains_no_invisible_character():
    refused = {each for each in map(chr, range(sys.maxunicode + 1)) if code_problem(f"A{each}1")}

    assert refused == {
        each
        for each in map(chr, range(sys.maxunicode + 1))
        if unicodedata.category(each) in {"Cc", "Cf", "Cs", "Zl", "Zp"}
    }


COLUMNS = "Contains {}, as all lines do. Give one code in each line and no other columns; put codes that contain a separator in double quotes."
TABLES = {
    "a semicolon": [
        "code;value\nA1;10\nA2;20\n",
        "code;\nA1;\nA2;\n",
        "A1;10",
        "\ufeffcode;value\r\nA1;\r\n\r\n;;\r\n",
    ],
    "a comma": ["code,\nA1,\nA2,\n", "A1,\n"],
    "a tab": ["code\t\nA1\t\nA2\t\n"],
}


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, texts in TABLES.items() for text in texts])
def test_a_table_is_refused_line_by_line(name, text):
    codes, bad = read(text)

    assert list(codes) == []
    numbers = [number for number, line in enumerate(text.splitlines(), 1) if line.strip("\ufeff;,\t ")]
    assert [each for each in bad if each[0] in numbers] == [(number, COLUMNS.format(name)) for number in numbers]


def test_a_table_whose_other_columns_are_filled_is_refused_line_by_line():
    assert read("code,value\nA1,10\n") == ((), [(1, TWO_FIELDS), (2, TWO_FIELDS)])


TWO_FIELDS = "Has 2 fields; give one code in each line."


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ('"A;1"\n"B;2"\n', ["A;1", "B;2"]),
        ('"A,1"\n', ["A,1"]),
        ("code\nA;1\n", ["A;1"]),
        ("A;1\nB2\n", ["A;1", "B2"]),
    ],
)
def test_a_separator_may_be_part_of_a_code(text, codes):
    assert read(text) == (codes, [])


@pytest.mark.parametrize("line", ["sep=,", "sep=;", "SEP=\t", "sep=", '"sep=,"', "sep=|"])
def test_a_line_that_names_a_separator_makes_the_text_invalid(line):
    assert read(f"\ufeff{line}\r\ncode\r\nA1\r\n") == ((), [(1, SEPARATOR_LINE)])
    assert read(f"A1\n{line}\n") == ((), [(2, SEPARATOR_LINE)])


def test_a_code_can_start_like_a_separator_line():
    assert read("sep=A\nSEP=10\n") == (["sep=A", "SEP=10"], [])
