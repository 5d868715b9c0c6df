"""Parses codes from CSV, for clients that export them from a spreadsheet."""

from typing import Any

from participants.api.parsers import Parser, body_of
from participants.errors import DomainError, FieldError
from rewards.engine import BadLine, parse_code_lines

MAX_ERRORS = 100


class CodesCSVParser(Parser):
    """One code per line, in UTF-8, at most 1 MiB. Returns the same body as JSON. One invalid line refuses all codes."""

    media_type = "text/csv"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> dict[str, Any]:
        lines = parse_code_lines(body_of(stream))
        if lines.bad:
            raise _refusal(tuple(map(_error, lines.bad[:MAX_ERRORS])))
        return {"codes": lines.codes}


def _error(line: BadLine) -> FieldError:
    return FieldError(f"line {line.number}", line.problem)


def _refusal(errors: tuple[FieldError, ...]) -> DomainError:
    first = errors[0]
    return DomainError(f"{first.field}: {first.message}", code="validation_error", status=422, errors=errors)
