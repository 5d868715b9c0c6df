"""Reading of large files by imports."""

import io
import itertools
import json
import re

import pytest

from participants.errors import InvalidInput
from participants.management.imports.bad_lines import SHOWN, BadLines
from participants.management.imports.columns import Columns
from participants.management.imports.command import instant_in, text_in
from participants.management.imports.reading import (
    BOM_PROBLEM,
    MAX_LINE_BYTES,
    FileRefused,
    Place,
    Source,
    open_source,
    records,
)
from participants.management.imports.warnings import MAX_UNREAD, Warnings

pytestmark = pytest.mark.engine

COLUMNS = Columns(("participant_id", "code"), optional=("idempotency_key",), ids=("participant_id",))


def read(text, kind="csv", *, after=None, columns=COLUMNS):
    data = text.encode() if isinstance(text, str) else text
    source = Source(io.BytesIO(data), kind, size=len(data), digest="d")
    found = records(source, columns=columns) if after is None else records(source, columns=columns, after=after)
    return [(each.place.line, each.problem or dict(each.fields)) for each in found]


def test_csv_is_read_by_the_names_of_its_columns_whatever_their_order():
    text = 'code,participant_id,more\nlogin,ada,1\n"a,b","quoted ""id""",2\n'

    assert read(text) == [
        (2, {"code": "login", "participant_id": "ada", "more": "1"}),
        (3, {"code": "a,b", "participant_id": 'quoted "id"', "more": "2"}),
    ]


def test_ndjson_is_an_object_on_each_line():
    text = '{"participant_id": "ada", "code": "login"}\n{"participant_id": "bo"}\n'

    assert read(text, "ndjson") == [(1, {"participant_id": "ada", "code": "login"}), (2, {"participant_id": "bo"})]


def test_a_byte_order_mark_blank_lines_and_windows_line_ends_are_ignored():
    text = b"\xef\xbb\xbfparticipant_id,code\r\n\r\nada,login\r\n   \nbo,login"

    assert [(line, fields["participant_id"]) for line, fields in read(text)] == [(3, "ada"), (5, "bo")]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("ada", "has 1 fields, and the header 2"),
        ("ada,login,more", "has 3 fields, and the header 2"),
        ('"ada,login', "is not CSV: unexpected end of data"),
        (b"\xff,login", "is not UTF-8"),
        ("\ufeffbo,login", BOM_PROBLEM),
        ("x" * (MAX_LINE_BYTES + 5) + ",login", f"is longer than {MAX_LINE_BYTES} bytes"),
    ],
)
def test_a_bad_line_of_csv_is_reported_and_affects_no_other(line, problem):
    raw = line if isinstance(line, bytes) else line.encode()

    found = read(b"participant_id,code\n" + raw + b"\nbo,login\n")

    assert found == [(2, problem), (3, {"participant_id": "bo", "code": "login"})]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("{", "is not valid JSON"),
        ("[]", "is not a JSON object"),
        ('"ada"', "is not a JSON object"),
        ('{"n": NaN}', "is not valid JSON: NaN is not a JSON number"),
        ("[" * 100_000, "is JSON nested too deep"),
        ('{"a": 1, "a": 2}', 'is not valid JSON: the key "a" appears more than once'),
        ('{"a": {"b": 1, "b": 1}}', 'is not valid JSON: the key "b" appears more than once'),
        ('{"Code": "b"}', 'has the column "Code", which must be called code'),
    ],
)
def test_a_bad_line_of_ndjson_is_reported_and_affects_no_other(line, problem):
    (first, found), second = read(f'{line}\n{{"code": "b"}}\n', "ndjson")

    assert (first, second) == (1, (2, {"code": "b"}))
    assert found.startswith(problem)


def test_a_byte_order_mark_is_refused_where_files_were_joined():
    assert read('\ufeff{"code": "a"}\n\ufeff{"code": "b"}\n', "ndjson") == [(1, {"code": "a"}), (2, BOM_PROBLEM)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "The file is empty"),
        ("participant_id\nada\n", "lacks code"),
        ("participant_id,code,code\n", "has code more than once"),
        ("participant_id,code,idempotency_key,idempotency_key\n", "has idempotency_key more than once"),
        ("participant_id;code\n", "separated by commas, not by semicolons"),
        ("\ufeff\ufeffparticipant_id,code\n", "begins with a byte order mark"),
        ('"participant_id,code\n', "is not CSV"),
    ],
)
def test_a_file_without_a_valid_header_is_refused(text, message):
    with pytest.raises(FileRefused, match=message):
        read(text)


NEARLY_RIGHT = [
    "Idempotency_Key",
    "IDEMPOTENCY_KEY",
    "Idempotency-Key",
    "idempotency-key",
    "idempotencyKey",
    "idempotency key",
    "idempotencykey",
    "idempotency_key_",
    "\u200bidempotency_key",
    "idempotency\u00a0key",
]


@pytest.mark.parametrize("name", NEARLY_RIGHT)
@pytest.mark.parametrize("also", ["", ",idempotency_key"])
def test_a_column_with_a_similar_name_is_refused_with_the_right_name(name, also):
    message = f"has the column {json.dumps(name)}, which must be called idempotency_key"

    with pytest.raises(FileRefused, match=re.escape(message)):
        read(f"participant_id,code,{name}{also}\n")
    assert read(json.dumps({"participant_id": "a", "code": "b", name: "k"}), "ndjson") == [(1, message)]


@pytest.mark.parametrize("name", ["Participant_Id", "participantId", "CODE"])
def test_a_required_column_with_a_similar_name_is_refused_too(name):
    with pytest.raises(FileRefused, match=r"must be called (participant_id|code)"):
        read(f"participant_id,code,{name}\n")


def test_unknown_columns_are_ignored_with_one_warning_each():
    said = []
    warnings = Warnings(COLUMNS, said.append)

    for line, fields in read('participant_id,code,no\u200bte,""\nada,login,1,2\nbo,login,3,4\n'):
        warnings.look_at_columns(fields)
        warnings.look_at_ids(line, fields)

    read_ones = "Columns that are read: participant_id, code, idempotency_key."
    assert said == [
        f'Warning: the column "no\\u200bte" is not read. {read_ones}',
        f'Warning: the column "" is not read. {read_ones}',
    ]
    assert (warnings.unread, warnings.suspicious) == (["no\u200bte", ""], 0)


def test_the_number_of_warnings_is_limited():
    said = []
    warnings = Warnings(COLUMNS, said.append)

    for number in range(SHOWN + 50):
        warnings.look_at_columns({f"column {number}": 1})
        warnings.look_at_ids(number, {"participant_id": " ada"})

    assert (len(warnings.unread), warnings.suspicious) == (MAX_UNREAD, SHOWN + 50)
    assert len(said) == MAX_UNREAD + SHOWN + 1
    assert said[-1] == "Further suspicious lines are counted and not shown."


@pytest.mark.parametrize(
    ("value", "oddity"),
    [
        (" ada", "begins or ends with white space"),
        ("ada ", "begins or ends with white space"),
        ("ada\u00a0", "begins or ends with white space"),
        ("\ufeffada", "holds the invisible character U+FEFF ZERO WIDTH NO-BREAK SPACE"),
        ("a\u00adda", "holds the invisible character U+00AD SOFT HYPHEN"),
    ],
)
def test_a_suspicious_id_is_reported_with_its_line(value, oddity):
    said = []

    Warnings(COLUMNS, said.append).look_at_ids(7, {"participant_id": value, "code": value})

    assert len(said) == 1
    assert said[0].startswith("Suspicious line 7: participant_id: ")
    assert oddity in said[0]
    assert said[0].isprintable()


@pytest.mark.parametrize("value", ["a da", "日本語", "Ünï", 5, None])
def test_other_ids_are_not(value):
    said = []

    Warnings(COLUMNS, said.append).look_at_ids(7, {"participant_id": value})

    assert said == []


def test_reading_continues_after_a_place():
    text = "participant_id,code\nada,a\nbo,b\ncy,c\n"
    places = [each.place for each in records(Source(io.BytesIO(text.encode()), "csv", 99, "d"), columns=COLUMNS)]

    assert [(line, fields["code"]) for line, fields in read(text, after=places[1])] == [(4, "c")]
    assert read(text, after=places[2]) == []
    assert read(text, after=Place()) == read(text)


def test_lines_appended_while_reading_are_not_read():
    source = Source(io.BytesIO(b"participant_id,code\nada,loginXY\nbo,more\n"), "csv", size=29, digest="d")

    assert [dict(each.fields) for each in records(source, columns=COLUMNS)] == [
        {"participant_id": "ada", "code": "login"}
    ]


def test_a_file_is_read_as_a_stream():
    class Endless(io.RawIOBase):
        def __init__(self):
            self.lines = itertools.chain([b"participant_id,code\n"], itertools.repeat(b"ada,login\n"))

        def readline(self, size=-1):
            return next(self.lines)

    found = records(Source(Endless(), "csv"), columns=COLUMNS)

    assert sum(1 for _ in itertools.islice(found, 200_000)) == 200_000


@pytest.mark.parametrize(
    ("name", "message"),
    [("missing.csv", "No such file"), ("ticks.txt", "--format"), (".", "--format")],
)
def test_a_file_that_cannot_be_opened_is_refused(tmp_path, monkeypatch, name, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ticks.txt").write_text("")

    with pytest.raises(FileRefused, match=message), open_source(name, format_name=None):
        pass


def test_the_same_content_under_another_name_has_the_same_digest(tmp_path):
    digests = set()
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text("participant_id,code\n")
        with open_source(str(tmp_path / name), format_name=None) as source:
            digests.add((source.digest, source.size, source.format))

    assert len(digests) == 1


@pytest.mark.parametrize("value", [None, "", 5, ["ada"]])
def test_a_value_that_is_no_text_is_refused(value):
    with pytest.raises(InvalidInput, match=r"code: (Is missing|Must be text)\."):
        text_in({"code": value}, "code")


@pytest.mark.parametrize("value", ["soon", "2026-02-30T00:00:00Z", "0001-01-01T00:00:00+14:00"])
def test_an_invalid_instant_is_refused(value):
    with pytest.raises(InvalidInput, match="at: Must be a date and a time as in RFC 3339"):
        instant_in({"at": value}, "at")


def test_an_instant_without_an_offset_is_in_utc():
    assert instant_in({"at": "2026-02-14T08:00:00"}, "at") == instant_in({"at": "2026-02-14T09:00:00+01:00"}, "at")


def test_the_first_bad_lines_are_shown_and_all_are_written_and_counted():
    shown, file = [], io.StringIO()
    bad = BadLines(shown.append, file)

    for number in range(SHOWN + 50):
        bad.add(number, "code: Is\x1b[2J missing.")

    assert bad.count == len(file.getvalue().splitlines()) == SHOWN + 50
    assert shown[:1] == [r"line 0: code: Is\x1b[2J missing."]
    assert shown[SHOWN:] == ["Further bad lines are counted and not shown; --bad FILE writes all of them."]
    assert json.dumps(shown[0])
