"""Pure rules for values that clients choose: ids, codes, addresses, JSON, instants, tenant slugs, idempotency keys, signatures."""

import hmac
import json
import math
import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from difflib import SequenceMatcher
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID
from zoneinfo import ZoneInfo

from participants.errors import FieldError

MAX_EXTERNAL_ID = 255
MAX_KEY = 255
MAX_BIGINT = 2**63 - 1
MIN_BIGINT = -MAX_BIGINT - 1
MAX_DEPTH = 32
MAX_OBJECT_BYTES = 16 * 1024

RESERVED_SLUGS = frozenset({"user", "users", "definitions"})
_SLUG = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_UUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_INSTANT = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ]([01][0-9]|2[0-3])(:[0-5][0-9]:[0-5][0-9](?:\.[0-9]+)?)"
    r"([Zz]|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])?"
)
NOT_AN_INSTANT = "Must be a date and a time as in RFC 3339, such as 2026-02-14T10:00:00Z."
NOT_A_DAY = "Must be a date, such as 2026-02-14."
# Control characters, lone surrogates, and the two separators that would break a line of the log.
_REFUSED_CATEGORIES = frozenset({"Cc", "Cs", "Zl", "Zp"})
_PADDING = " \t\r\n"


def external_id_problem(value: str) -> str | None:
    """Return why `value` cannot be a participant id (1–255 characters of printable Unicode), or None if it can."""
    if not 1 <= len(value) <= MAX_EXTERNAL_ID:
        return f"Must be 1 to {MAX_EXTERNAL_ID} characters long."
    return control_character_problem(value)


def control_character_problem(value: str) -> str | None:
    """Return why `value` cannot be a text of one line, or None if it can."""
    if any(unicodedata.category(character) in _REFUSED_CATEGORIES for character in value):
        return "Must not contain control characters."
    return None


def invisible_character_problem(value: str) -> str | None:
    """Return why `value` cannot be a code, or None if it can. A code holds no control characters and no format characters.

    A format character (category Cf, such as a byte order mark or a soft hyphen) is invisible. A code that holds one looks like another
    code but differs from it.
    """
    problem = control_character_problem(value)
    if problem is not None or value.isascii():
        return problem
    found = next((place for place, character in enumerate(value) if unicodedata.category(character) == "Cf"), None)
    if found is None:
        return None
    return f"Must not contain invisible characters; {character_name(value[found])} is character number {found + 1}."


def character_name(character: str) -> str:
    """Return the number and the name of a character, such as `U+200B ZERO WIDTH SPACE`."""
    return f"U+{ord(character):04X} {unicodedata.name(character, '')}".rstrip()


def trim_code(text: str) -> str:
    """Return the code in `text` without the white space around it.

    Line and paragraph separators and control characters other than tab, CR and LF stay, so that they are refused and not dropped.
    """
    code = text.strip(_PADDING)
    return code if invisible_character_problem(code) else code.strip()


def web_address_problem(value: str) -> str | None:
    """Return why `value` is not an http or https URL with a host, or None if it is."""
    try:
        parts = urlsplit(value)
        host = parts.hostname
    except ValueError:
        host = None
    if not host or parts.scheme.lower() not in {"http", "https"} or any(map(_cannot_be_in_an_address, value)):
        return "Must be an http or https URL."
    return None


def _cannot_be_in_an_address(character: str) -> bool:
    return character.isspace() or unicodedata.category(character) in _REFUSED_CATEGORIES


def object_problem(value: Mapping[str, Any]) -> str | None:
    """Return why `value` is too large for attributes, properties or metadata, or None if it is not."""
    if len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()) > MAX_OBJECT_BYTES:
        return f"Must not exceed {MAX_OBJECT_BYTES} bytes as JSON."
    return None


# --- instants and days ------------------------------------------------------------------------------------------------


def instant_of(text: str) -> datetime | None:
    """Parse an instant in the format of RFC 3339, in UTC. Returns None for any other text.

    Date and time are separated by `T`, `t` or one space. The time ends with `Z`, `z`, an offset, or nothing, which means UTC. A leap
    second (`:60`) is refused, because a datetime cannot hold it.

    All parts of the product parse instants here, so that a text means the same instant everywhere. Python's own parsers also accept
    dates without a time, weeks, and digits of other scripts.
    """
    match = _INSTANT.fullmatch(text)
    if match is None:
        return None
    day, hour, rest, offset = match.groups()
    try:
        return datetime.fromisoformat(f"{day}T{hour}{rest}{(offset or 'Z').upper()}").astimezone(UTC)
    except (ValueError, OverflowError):
        # A day that does not exist, such as 30 February, or an offset that moves the instant out of the calendar.
        return None


def instant_text(at: datetime) -> str:
    """Format an instant for JSON: in UTC, with a `Z`."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def day_of(text: str) -> date | None:
    """Parse a date in the format `YYYY-MM-DD`. Returns None for any other text."""
    try:
        return date.fromisoformat(text) if _DAY.fullmatch(text) else None
    except ValueError:
        return None


@lru_cache(maxsize=4096)
def start_of_day(day: date, zone: ZoneInfo) -> datetime:
    """The first instant of a local day, in UTC.

    Where clocks skip midnight, this is the instant of the skip. Where midnight occurs twice, it is the first one.
    """
    return datetime.combine(day, time.min, zone).astimezone(UTC)


# --- JSON from outside ------------------------------------------------------------------------------------------------


class RepeatedNames(dict[str, Any]):
    """A decoded JSON object whose text has at least one name twice. `repeated` lists these names.

    Such an object must be refused, because JSON parsers differ in which of the values they return.
    """

    def __init__(self, pairs: Sequence[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        counts = Counter(name for name, _ in pairs)
        self.repeated = [name for name, count in counts.items() if count > 1]


def decode_json(text: str) -> Any:
    """Decode JSON. An object that has a name twice is returned as `RepeatedNames`. Raises ValueError or RecursionError."""
    return json.loads(text, object_pairs_hook=_object, parse_constant=refuse_constant)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = dict(pairs)
    return names if len(names) == len(pairs) else RepeatedNames(pairs)


def refuse_constant(name: str) -> Any:
    """Refuse `NaN` and `Infinity`, which Python's parser accepts."""
    raise ValueError(f"{name} is not a JSON number")


class NestedTooDeep(ValueError):
    def __init__(self) -> None:
        super().__init__(f"JSON is nested deeper than {MAX_DEPTH} levels")


def json_problems(value: Any) -> Iterator[FieldError]:
    """Yield what the database or another JSON parser could not store in decoded JSON, by dotted path. Raises NestedTooDeep.

    It does not recurse, so that deep nesting cannot exhaust the stack.
    """
    pending: list[tuple[str, Any, int]] = [("", value, 1)]
    while pending:
        path, item, depth = pending.pop()
        if isinstance(item, dict | list):
            if depth > MAX_DEPTH:
                raise NestedTooDeep
            yield from (FieldError(_join(path, name), problem) for name, problem in _key_problems(item))
            pending += [(_join(path, str(key)), child, depth + 1) for key, child in _children(item)]
        elif problem := _scalar_problem(item):
            yield FieldError(path, problem)


def _children(item: Any) -> Any:
    return reversed(item.items()) if isinstance(item, dict) else reversed(list(enumerate(item)))


def _key_problems(item: Any) -> Iterator[tuple[str, str]]:
    """Yield the names that an object must not have, each with the reason. A name with a bad character is shown as `?`."""
    if isinstance(item, dict):
        yield from (("?", problem) for problem in map(_text_problem, item) if problem)
    if isinstance(item, RepeatedNames):
        yield from ((name, f"Must be given once; the object has {json.dumps(name)} twice.") for name in item.repeated)


def _scalar_problem(item: Any) -> str | None:
    if isinstance(item, str):
        return _text_problem(item)
    if isinstance(item, float) and not math.isfinite(item):
        return "Must be a finite number."
    if isinstance(item, int) and not MIN_BIGINT <= item <= MAX_BIGINT:
        return "Must fit into 64 bits."
    return None


def _text_problem(text: str) -> str | None:
    if "\x00" in text:
        return "Must not contain NUL characters."
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        return "Must not contain lone surrogates."
    return None


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


# --- suggestions for typos -------------------------------------------------------------------------------------------

SIMILAR_ENOUGH = 0.6  # a ratio from 0 to 1; names with a lower similarity are not typos of each other
SHOWN_CHARACTERS = 40  # how much of a client's name a message shows


def unknown_key_problem(key: str, known: Collection[str]) -> str:
    """Return why `key` is refused where only `known` keys are allowed. The text ends a sentence that begins with the key."""
    return f"is not a known key; {suggestion(key, known)}"


def suggestion(name: str, known: Collection[str]) -> str:
    """Suggest the name of `known` that is most similar to `name`, or list all of `known` if none is similar."""
    nearest = nearest_name(name, known)
    return f"known here: {', '.join(known)}" if nearest is None else f"did you mean {nearest}?"


def nearest_name(name: str, known: Collection[str]) -> str | None:
    """Return the name of `known` that is most similar to `name` (the first, if several are), or None if none is similar.

    Letter case and the characters `-`, `_` and space are ignored. A dotted path also matches by its last part alone.
    """
    plain = _plain(name[:SHOWN_CHARACTERS])
    scores = {each: _similarity(plain, each) for each in known}
    nearest = max(scores, key=lambda each: scores[each], default=None)
    return nearest if nearest is not None and scores[nearest] > SIMILAR_ENOUGH else None


def _similarity(plain: str, known: str) -> float:
    spellings = {_plain(known), _plain(known.rpartition(".")[2])}
    return max(SequenceMatcher(None, plain, spelling).ratio() for spelling in spellings)


def _plain(name: str) -> str:
    return re.sub(r"[-_ ]", "", name).lower()


# --- tenants and keys -------------------------------------------------------------------------------------------------


def slug_problem(value: str) -> str | None:
    """Return why `value` cannot be a tenant's public slug, or None if it can."""
    if not _SLUG.fullmatch(value):
        return "Must be 1 to 64 of a-z, 0-9, '-' and '_', and begin with a letter or a digit."
    if value in RESERVED_SLUGS:
        return f"'{value}' is reserved."
    if uuid_of(value):
        return "Must not look like a UUID, because paths may also name a tenant by its id."
    return None


def uuid_of(value: str) -> UUID | None:
    """Parse a UUID in its usual form, with hyphens. Returns None for any other text."""
    return UUID(value) if _UUID.fullmatch(value) else None


def signing_text(method: str, path: bytes, timestamp: str, body: bytes) -> bytes:
    """Return the bytes that a partner signs (docs/contract.md §1): method, path, timestamp and body, joined by line feeds.

    `path` is percent-encoded as it was sent, without host and query. `timestamp` is the text of the header.
    """
    return b"\n".join((method.upper().encode(), path, timestamp.encode(), body))


def signature_of(secret: str, signed: bytes) -> str:
    """Return the HMAC-SHA256 of `signed` in lower-case hex. The key is the UTF-8 text of `secret`."""
    return hmac.new(secret.encode(), signed, "sha256").hexdigest()


# --- numbers and periods ----------------------------------------------------------------------------------------------


def decimal_text(value: Decimal) -> str:
    """Return the digits of `value` without trailing zeros: `1.5`, `100`."""
    return f"{value.normalize():f}"


def plain_number(value: Decimal) -> int | float:
    """Return `value` for JSON: an int if it is whole, otherwise a float."""
    return int(value) if value == value.to_integral_value() else float(value)


def exact_number(value: Decimal) -> int | float | Decimal:
    """`value` for a JSON answer, without losing a digit.

    Whole numbers become int, and numbers that a float shows digit by digit become float. All others stay a Decimal: the JSON
    renderer writes its digits.
    """
    plain = plain_number(value)
    return value if isinstance(plain, float) and Decimal(str(plain)) != value else plain


def is_in_period(at: datetime, starts_at: datetime | None, ends_at: datetime | None) -> bool:
    """Whether `at` is in the half-open period [starts_at, ends_at). None means no limit on that side."""
    return (starts_at is None or starts_at <= at) and (ends_at is None or at < ends_at)


def is_empty_period(starts_at: datetime | None, ends_at: datetime | None) -> bool:
    """Whether the half-open period [starts_at, ends_at) contains no instant."""
    return starts_at is not None and ends_at is not None and starts_at >= ends_at
