"""Evidence reader: checksum files (``--checksums``)."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import PurePosixPath

from assay.evidence import checksum_file
from assay.evidence.checksum_file import ChecksumFile, Entry
from assay.evidence.document import Opened, open_document
from assay.evidence.model import Context, Evidence, EvidenceReader, GivenFile
from assay.model.claim import Claim, DigestIs
from assay.model.codes import checksums as codes
from assay.model.finding import AssayError, Finding
from assay.printable import printable
from assay.sources.model import OpenedImage


class ChecksumReader:
    """Each entry about the image is a claim; the file itself is what vouches, or is signed."""

    name = "checksums"
    last = False

    def read(self, context: Context) -> Evidence:
        evidence = Evidence()
        for file in context.given_for("checksums"):
            opened = open_document(context, file, "checksums")
            if opened.readable:
                try:
                    _read_one(context, file, opened)
                except AssayError as error:
                    opened.evidence.reading.findings.append(error.finding)
            evidence.absorb(opened.evidence)
        return evidence


def _read_one(context: Context, file: GivenFile, opened: Opened) -> None:
    reading, name = opened.evidence.reading, opened.component
    sums = checksum_file.opened(opened.content, name, file.path.name)
    if sums.first_bad is not None:
        reading.findings.append(_malformed(sums, name))
    mine = _closest(sums.about(context.image.label), context.image, file)
    if not mine:
        reading.findings.append(_missing(sums, name, context.image.label))
    seen: dict[str, list[Entry]] = {}
    for entry in mine:
        same = seen.setdefault(entry.digest.algorithm, [])
        if all(entry.digest != other.digest for other in same):
            reading.claims.append(
                Claim(context.root, name, DigestIs(entry.digest), f"line {entry.line}")
            )
        same.append(entry)
    for algorithm, entries in seen.items():
        if len(entries) > 1:
            reading.findings.append(_repeated(entries, algorithm, name))


def _closest(entries: Sequence[Entry], image: OpenedImage, file: GivenFile) -> list[Entry]:
    """Of the entries about files of the image's name, those whose path fits best: the path from
    the checksum file's folder to the image, else the longest one that the image's path ends in,
    else all (and they had better agree)."""
    here = _parts(_path_of(image))
    if image.folder:
        relative = os.path.relpath(
            os.path.join(image.folder, image.label),  # noqa: PTH118 - bytes that are no path stay
            file.path.parent,
        )
        beside = [entry for entry in entries if _parts(entry.name) == _parts(relative)]
        if beside:
            return beside
    lengths = {
        entry: len(parts) if here[-len(parts) :] == parts else 0
        for entry in entries
        if (parts := _parts(entry.name))
    }
    longest = max(lengths.values(), default=0)
    if not longest:
        return list(entries)
    return [entry for entry in entries if lengths.get(entry) == longest]


def _path_of(image: OpenedImage) -> str:
    if image.folder:
        return os.path.abspath(os.path.join(image.folder, image.label))  # noqa: PTH100, PTH118
    path = image.resolved.partition("://")[2].partition("?")[0].partition("#")[0]
    return f"{path.rpartition('/')[0]}/{image.label}"


def _parts(path: str) -> tuple[str, ...]:
    return PurePosixPath(path).parts


def _malformed(sums: ChecksumFile, component: str) -> Finding:
    assert sums.first_bad is not None
    number, text = sums.first_bad
    others = {1: "", 2: ", nor is one more line"}.get(
        sums.bad, f", nor are {sums.bad - 1} more lines"
    )
    return Finding.of(
        codes.CHECKSUM_LINE_MALFORMED,
        component,
        f"line {number} is not a checksum{others}",
        expected="DIGEST  NAME, or ALGORITHM (NAME) = DIGEST",
        actual=printable(text, 100),
        cause="" if sums.entries else "another kind of file, such as a web page saved as one",
    )


def _missing(sums: ChecksumFile, component: str, label: str) -> Finding:
    return Finding.of(
        codes.CHECKSUM_ENTRY_MISSING,
        component,
        f"no entry is about {printable(label)!r}; there are {sums.entries}",
        expected=printable(label) or "an entry without a name, for standard input",
        actual=", ".join(printable(name, 80) for name in sums.some_names) or "no entry",
    )


def _repeated(entries: Sequence[Entry], algorithm: str, component: str) -> Finding:
    lines = ", ".join(str(entry.line) for entry in entries[:10])
    different = {entry.digest for entry in entries}
    if len(different) == 1:
        return Finding.of(
            codes.CHECKSUM_ENTRY_REPEATED,
            component,
            f"lines {lines} say the same",
        )
    return Finding.of(
        codes.CHECKSUM_ENTRY_DUPLICATE,
        component,
        f"lines {lines} hold {len(different)} different {algorithm} digests",
        actual=", ".join(
            f"{printable(entry.name, 80)} {entry.digest}".strip() for entry in entries[:4]
        ),
    )


READER: EvidenceReader = ChecksumReader()
