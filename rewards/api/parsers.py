"""Parses codes from CSV, for clients that export them from a spreadsheet."""

from typing import Any

from participants.api.parsers import Parser, body_of
from participants.errors import FieldError, InvalidFields
from rewards.engine.code_lines import parse_code_lines

MAX_ERRORS = 100


class CodesCSVParser(Parser):
    """One code per line, in UTF-8, at most 1 MiB. Returns the same body as JSON. One invalid line refuses all codes."""

    media_type = "text/csv"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> dict[str, Any]:
        lines = parse_code_lines(body_of(stream))
        if lines.bad:
            errors = (FieldError(f"line {line.number}", line.problem) for line in lines.bad[:MAX_ERRORS])
            raise InvalidFields(*errors)
        return {"codes": lines.codes}
