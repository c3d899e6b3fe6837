"""What an evidence reader is: it finds claims and signatures from outside the image's own bytes.

Readers are plugged in under the entry point group ``assay.evidence``, one module each. They look
into files that the user gave, beside the image, or into the place that the image came from
(`Context.image.store`), and believe nothing of what they find.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from msgspec import Struct, field

from assay.formats.verity.parameters import Given as VerityGiven
from assay.model.anchor import Voucher
from assay.model.component import Component
from assay.model.digest import Digest
from assay.model.finding import UsageError
from assay.model.measurement import FsVerityRequest
from assay.model.reading import Blob, BlobStore, Options, Reading
from assay.model.signature import Key
from assay.model.verdict import NotChecked
from assay.sources.model import OpenedImage, OpenOptions


class GivenFile(Struct, dict=True):
    """A file that the user named. ``option`` is the command line option without the dashes, which
    says what the file is for; ``anchor`` is the anchor that the user made of it, empty when it
    has to be signed to count."""

    option: str
    path: Path
    anchor: str = ""

    @classmethod
    def holding(cls, option: str, path: Path, data: bytes, anchor: str = "") -> GivenFile:
        """One whose content is at hand; ``path`` is a name for it."""
        file = cls(option, path, anchor)
        file.__dict__["_data"] = data
        return file

    def read(self, limit: int) -> bytes:
        """The content, read once. Raises UsageError, naming the option, when it cannot be read
        or has more than ``limit`` bytes."""
        data: bytes | None = self.__dict__.get("_data")
        if data is not None and len(data) > limit:
            raise UsageError(f"--{self.option} {self.path}: larger than {limit} bytes")
        if data is None:
            data = self.__dict__["_data"] = read_bounded(self.path, limit, f"--{self.option}")
        return data

    @property
    def was_read(self) -> bool:
        """Whether anything has asked for the content."""
        return "_data" in self.__dict__


class Document(Struct, frozen=True):
    """An outside document that was found: its component, and where it is stored (None where that
    is no file). Detached signatures may be over it."""

    component: str
    path: Path | None


class Evidence(Struct):
    """What a reader found. ``vouchers`` are the user's own word (a document given to be trusted);
    those of signatures come of checking them. ``targets`` are components that stand for the image
    as a whole in place of those that its format names: all that a hash tree is over, without what
    lies around it."""

    reading: Reading = field(default_factory=Reading)
    vouchers: list[Voucher] = field(default_factory=list)
    documents: list[Document] = field(default_factory=list)
    targets: list[str] = field(default_factory=list)

    def absorb(self, other: Evidence) -> None:
        self.reading.absorb(other.reading)
        self.vouchers += other.vouchers
        self.documents += other.documents
        self.targets += other.targets


class PcrValue(Struct, frozen=True):
    """What a PCR is known to hold, in one bank."""

    number: int
    digest: Digest


class Context(Struct, frozen=True):
    """What a reader works on.

    ``components`` are those that the image's formats found, by id, and ``blobs`` their bytes, by
    the key of `Stored` extents; ``root`` is the one that a
    digest of the image means, and ``targets`` stand for the image as a whole; ``digests`` are
    those of them, and of what they are in, that are named by one, in a registry or in the image
    itself. ``skipped`` are the
    parts that were not looked at. ``keys`` is all verification material, ``given`` every file that
    the user named. ``look_around`` says whether to look for signatures that nobody named (beside
    the image, in its registry); where ``companions`` is given, what is attached to the image is
    looked for there, and no connection is made. ``verity`` are root hashes of hash trees that are
    trusted, by anchor; ``fs_verity`` is how the fs-verity digest is made that is signed. ``pcrs``
    are values of PCRs that are known, by anchor.
    ``earlier`` is what was found by the readers before
    (see `EvidenceReader.last`).
    """

    image: OpenedImage
    root: str
    targets: Sequence[str]
    components: Mapping[str, Component]
    skipped: Sequence[NotChecked]
    digests: Mapping[str, Digest]
    formats: Options
    open: OpenOptions
    keys: Sequence[Key]
    given: Sequence[GivenFile]
    look_around: bool
    blobs: Mapping[str, Blob] = {}
    companions: BlobStore | None = None
    verity: Mapping[str, VerityGiven] = field(default_factory=dict)
    fs_verity: FsVerityRequest = FsVerityRequest()
    pcrs: Mapping[str, PcrValue] = field(default_factory=dict)
    earlier: Evidence = field(default_factory=Evidence)
    taken: set[str] = field(default_factory=set)

    def given_for(self, option: str) -> list[GivenFile]:
        """The files given with this option."""
        return [file for file in self.given if file.option == option]

    def name(self, wanted: str) -> str:
        """An id for a component or signature: the one wanted, or like it if that is taken."""
        found, number = wanted, 1
        while found in self.taken or found in self.components:
            number += 1
            found = f"{wanted}[{number}]"
        self.taken.add(found)
        return found


class EvidenceReader(Protocol):
    """Finds one kind of evidence."""

    @property
    def name(self) -> str: ...

    @property
    def last(self) -> bool:
        """Whether it needs to know what the others found, and so is asked after them."""
        ...

    def read(self, context: Context) -> Evidence:
        """Report claims, signatures and documents, and what is odd (as findings). Evidence that is
        there and cannot be read is a finding, never passed over. Raises UsageError for a file
        that the user named and that cannot be read; AssayError counts as a finding."""
        ...


def is_beside(place: str, suffix: str) -> Path | None:
    """The file whose name is that of ``place`` with a suffix, if there is one."""
    # dozens of names are tried for every image: paths are made for those that exist
    name = place + suffix
    return Path(name) if os.path.isfile(name) else None  # noqa: PTH113


def read_bounded(path: Path, limit: int, option: str) -> bytes:
    """A small file that an option names. Raises UsageError, naming the option."""
    try:
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except OSError as error:
        raise UsageError(f"{option} {path}: {error.strerror or error}") from error
    except ValueError as error:  # a zero byte, in a path that a policy names
        raise UsageError(f"{option} {str(path)!r}: {error}") from error
    if len(data) > limit:
        raise UsageError(f"{option} {path}: larger than {limit} bytes")
    return data
