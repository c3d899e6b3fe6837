"""What a comparison of two images found."""

from __future__ import annotations

from enum import Enum

from msgspec import Struct

from assay.model.files import FileEntry
from assay.model.finding import Finding
from assay.model.spans import Span
from assay.model.verdict import NotChecked

SCHEMA_VERSION = 1
"""Version of the JSON form of a comparison; raised when a reader of the old form would break."""


class Outcome(Enum):
    SAME = "same"
    DIFFERENT = "different"
    UNKNOWN = "unknown"
    """Something could not be read, and no difference was found in the rest. Never a yes."""


class Difference(Enum):
    ONLY_IN_A = "only-in-a"
    ONLY_IN_B = "only-in-b"
    CONTENT = "content"
    COMPRESSION = "compression"
    """The same content, compressed in another way."""

    ORDER = "order"
    """The same, in another place among its siblings."""

    VALUES = "values"
    """A document with other values in it."""


class ByteRanges(Struct, frozen=True):
    """Where two runs of bytes differ, offset by offset.

    ``ranges`` are the first ones, ``more`` counts those not listed. Ranges are exact where
    ``granularity`` is 1 (close ones are joined), and otherwise made of whole chunks of that many
    bytes. ``different`` counts the bytes that differ, those beyond the shorter end among them (an
    upper bound where the granularity is more than 1). ``note`` says more, such as that all but
    some inserted bytes is the same.
    """

    ranges: tuple[Span, ...]
    more: int
    different: int
    granularity: int = 1
    note: str = ""


class ValueChange(Struct, frozen=True):
    """One value of a JSON document: its path (``config.Env[2]``), and what it is on both sides, as
    JSON; None where it is not there."""

    path: str
    a: str | None
    b: str | None


class ComponentDifference(Struct, frozen=True):
    """A component that is not the same on both sides. ``a`` and ``b`` are its ids, empty on the
    side that does not have it."""

    difference: Difference
    a: str
    b: str
    kind: str
    detail: str = ""
    size_a: int | None = None
    size_b: int | None = None
    digest_a: str = ""
    digest_b: str = ""
    bytes: ByteRanges | None = None
    values: tuple[ValueChange, ...] = ()
    more_values: int = 0


class FileChange(Struct, frozen=True):
    """A file that is not the same on both sides; None where it is not there. ``changed`` names
    what differs: kind, content, mode, owner, link, device."""

    path: str
    changed: tuple[str, ...]
    a: FileEntry | None
    b: FileEntry | None


class FileComparison(Struct, frozen=True):
    """The files of two images, named by their manifests. ``changes`` are the first ones; the
    counts are of all. ``complete`` says that every layer could be read."""

    a: str
    b: str
    same: int
    added: int
    removed: int
    changed: int
    changes: tuple[FileChange, ...]
    complete: bool


class Side(Struct, frozen=True):
    """One of the two. ``size`` is of all bytes that it stores, ``findings`` say what is wrong with
    it on its own."""

    name: str
    resolved: str
    format: str
    baseline: bool
    digest: str = ""
    size: int | None = None
    findings: tuple[Finding, ...] = ()


class Comparison(Struct, frozen=True):
    """The whole answer. ``same_components`` counts those that are the same; ``not_compared`` lists
    what could not be compared, and why."""

    outcome: Outcome
    a: Side
    b: Side
    same_components: int
    components: tuple[ComponentDifference, ...]
    files: tuple[FileComparison, ...]
    not_compared: tuple[NotChecked, ...]
    tool: str
    schema_version: int = SCHEMA_VERSION

    @property
    def exit_status(self) -> int:
        """0 the same, 1 different, 3 not known."""
        return {Outcome.SAME: 0, Outcome.DIFFERENT: 1, Outcome.UNKNOWN: 3}[self.outcome]
