"""Parses a programme file in YAML."""

from typing import Any

from gamify_project.programme.files import read_programme
from gamify_project.programme.items import Programme
from participants.api.parsers import Parser, body_of
from participants.api.schema import YAML

PROGRAMME = "programme"  # key of the parsed body
OTHER_NAMES = frozenset({"application/x-yaml", "text/yaml", "text/x-yaml"})


class ProgrammeParser(Parser):
    """Returns the programme in the body, as `{"programme": …}`. Raises: InvalidProgramme."""

    media_type = YAML

    def accepts(self, content_type: str | None) -> bool:
        named = (content_type or "").partition(";")[0].strip().lower()
        return super().accepts(content_type) or named in OTHER_NAMES

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> dict[str, Programme]:
        return {PROGRAMME: read_programme(body_of(stream))}
