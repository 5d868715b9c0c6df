"""Reads and writes the YAML of programme files.

The reader takes the subset of YAML that JSON can express. It knows the line of every value, and collects all faults instead of
stopping at the first one. Anchors and aliases are refused, so a small file cannot expand to a large one.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from gamify_project.programme.faults import Fault, InvalidProgramme
from participants.engine import MAX_DEPTH, SHOWN_CHARACTERS, json_problems

LOADER: Any = getattr(
    yaml, "CSafeLoader", yaml.SafeLoader
)  # the C parser is ten times faster; both yield the same events

_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_FLAGS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_NUMBER = re.compile(r"[-+]?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
MAX_DIGITS = 100  # of a number; Python refuses to convert very long ones


@dataclass
class Document:
    """The content of a file, the line of each value by its dotted path, and the faults found so far."""

    content: Any = None
    lines: dict[str, int] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    def line_of(self, path: str) -> int:
        """Return the line of the value at `path`, or of the nearest value around it. 0 if the content is not from a file."""
        while path and path not in self.lines:
            path = path.rpartition(".")[0]
        return self.lines.get(path, 1 if self.lines else 0)

    def refuse(self, path: str, message: str, *, line: int = 0) -> None:
        self.faults.append(Fault(line or self.line_of(path), path, message))


def read_yaml(data: bytes) -> Document:
    """Read one YAML document. Its `faults` are about keys, anchors, tags and values that JSON does not have.

    Raises: InvalidProgramme if it is not UTF-8, not YAML, or nested too deep, because nothing more can be said about it then.
    """
    reader = _Reader()
    try:
        for event in yaml.parse(data.decode("utf-8-sig"), Loader=LOADER):
            reader.take(event)
    except UnicodeDecodeError as error:
        raise InvalidProgramme([Fault(data[: error.start].count(b"\n") + 1, "", "is not UTF-8")]) from None
    except yaml.YAMLError as error:
        raise InvalidProgramme([_syntax_fault(error)]) from None
    document = reader.document
    for problem in json_problems(document.content):
        document.refuse(problem.field, problem.message)
    return document


def _syntax_fault(error: yaml.YAMLError) -> Fault:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    reasons = (getattr(error, name, None) for name in ("context", "problem", "reason"))
    return Fault(mark.line + 1 if mark else 1, "", f"is not valid YAML: {', '.join(filter(None, reasons))}")


@dataclass
class _Open:
    """A mapping or a list that is being read. `key` is the key of a mapping whose value comes next."""

    value: Any
    path: str
    key: str | None = None


class _Reader:
    """Builds values from the events of the parser. It does not recurse, so that deep nesting cannot exhaust the stack."""

    def __init__(self) -> None:
        self.document = Document()
        self._open: list[_Open] = []
        self._is_read = False

    def take(self, event: Any) -> None:
        if isinstance(event, yaml.DocumentStartEvent):
            self._begin_document(event)
        elif isinstance(event, yaml.CollectionEndEvent):
            self._open.pop()
        elif isinstance(event, yaml.NodeEvent):
            mark: Any = event.start_mark
            self._take_node(event, mark.line + 1)

    def _begin_document(self, event: Any) -> None:
        if self._is_read:
            raise InvalidProgramme([Fault(event.start_mark.line + 1, "", "has a second document; a file has one")])
        self._is_read = True

    def _take_node(self, event: Any, line: int) -> None:
        inner = self._open[-1] if self._open else None
        if inner is not None and isinstance(inner.value, dict) and inner.key is None:
            self._take_key(inner, event, line)
        else:
            self._take_value(inner, event, line)

    def _take_key(self, inner: _Open, event: Any, line: int) -> None:
        if not isinstance(event, yaml.ScalarEvent):
            raise InvalidProgramme([Fault(line, inner.path, "must have plain texts as keys")])
        path = _join(inner.path, event.value)
        if event.value in inner.value:
            self.document.refuse(path, f"{event.value[:SHOWN_CHARACTERS]} is given twice", line=line)
        self.document.lines[path] = line
        self._check_features(event, path, line)
        inner.key = event.value

    def _take_value(self, inner: _Open | None, event: Any, line: int) -> None:
        path, value = self._path_in(inner), self._value_of(event)
        self.document.lines.setdefault(path, line)
        self._check_features(event, path, line)
        self._put(inner, value)
        if isinstance(value, dict | list):
            if len(self._open) >= MAX_DEPTH:
                raise InvalidProgramme([Fault(line, path, f"is nested deeper than {MAX_DEPTH} levels")])
            self._open.append(_Open(value, path))

    def _path_in(self, inner: _Open | None) -> str:
        if inner is None:
            return ""
        return _join(inner.path, str(len(inner.value)) if inner.key is None else inner.key)

    def _put(self, inner: _Open | None, value: Any) -> None:
        if inner is None:
            self.document.content = value
        elif inner.key is None:
            inner.value.append(value)
        else:
            inner.value[inner.key], inner.key = value, None

    def _value_of(self, event: Any) -> Any:
        if isinstance(event, yaml.MappingStartEvent):
            return {}
        if isinstance(event, yaml.SequenceStartEvent):
            return []
        if isinstance(event, yaml.AliasEvent):
            return None
        is_plain = event.implicit[0] and event.style in (None, "")
        return _plain_value(event.value) if is_plain else event.value

    def _check_features(self, event: Any, path: str, line: int) -> None:
        """Refuse what JSON does not have: anchors, aliases and tags."""
        if event.anchor is not None:
            what = "an alias" if isinstance(event, yaml.AliasEvent) else "an anchor"
            self.document.refuse(path, f"is {what}; repeat the value instead", line=line)
        elif getattr(event, "tag", None) is not None:
            self.document.refuse(path, "has a tag; leave it out", line=line)


def _plain_value(text: str) -> Any:
    """Return the value of an unquoted text: null, a flag, a number, or the text. Dates, `yes` and `010` are texts."""
    if text in _NULL:
        return None
    if text in _FLAGS:
        return _FLAGS[text]
    if len(text) > MAX_DIGITS:
        return text
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _NUMBER.fullmatch(text) else text


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


# --- writing ----------------------------------------------------------------------------------------------------------


class _Dumper(yaml.SafeDumper):
    """Indents lists, uses the literal style for texts of several lines, and never writes anchors."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: FBT001, FBT002 - PyYAML's signature
        super().increase_indent(flow, False)  # noqa: FBT003

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def represent_text(self, text: str) -> yaml.ScalarNode:
        """Quote every text that a reader could take for something else, by YAML 1.1 (PyYAML decides) or by our reader."""
        quoted = None if isinstance(_plain_value(text), str) else "'"
        return self.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else quoted)


_Dumper.add_representer(str, _Dumper.represent_text)


def write_yaml(content: Mapping[str, Any]) -> str:
    """Return `content` as YAML. The same content always gives the same text. Top-level lists are set apart by empty lines."""
    return "\n".join(_sections(content))


def _sections(content: Mapping[str, Any]) -> Iterator[str]:
    return (write_yaml_value({name: value}) for name, value in content.items())


def write_yaml_value(value: Any) -> str:
    """Return an object or a list as YAML, in block style, with long texts in one line."""
    text: str = yaml.dump(
        value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=float("inf"), default_flow_style=False
    )
    return text
