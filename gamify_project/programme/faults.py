"""What is wrong with a programme."""

from collections.abc import Sequence
from dataclasses import dataclass

from participants.errors import DomainError, FieldError, InvalidFields

MAX_FAULTS = 1_000
WHOLE = "file"  # what a fault without a path is about


@dataclass(frozen=True)
class Fault:
    """`path` is the dotted path of the value, such as `badges.0.criteria.min`. `line` begins at 1; 0 if there is no file."""

    line: int
    path: str
    message: str

    def __str__(self) -> str:
        place = f"Line {self.line}: " if self.line else ""
        return f"{place}{self.message}"


class InvalidProgramme(InvalidFields):
    """A programme is refused. It carries every fault, in the order of lines, and nothing was changed."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = sorted(faults, key=lambda fault: (fault.line, fault.path))
        shown = [FieldError(fault.path or WHOLE, str(fault)) for fault in self.faults[:MAX_FAULTS]]
        if len(faults) > MAX_FAULTS:
            shown.append(FieldError(WHOLE, f"There are {len(faults) - MAX_FAULTS:,} further faults."))
        super().__init__(*shown)


class ProgrammeChanged(DomainError):
    """Another import, or a change of a definition, was first. Nothing was changed."""

    code = "programme_changed"
    status = 409

    def __init__(self) -> None:
        super().__init__(
            "Definitions of this tenant were changed meanwhile. Look at the differences again, and repeat the import."
        )
