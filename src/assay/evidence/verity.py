"""Evidence reader: hash trees of dm-verity (``--verity-root``).

The tree is read from its root down, and what it says of each level and of the data becomes a claim
of the root hash. The superblock decides nothing that the root hash does not confirm: it is left
out of the coverage as what belongs to the scheme.
"""

from __future__ import annotations

from pathlib import Path

from msgspec.structs import replace

from assay.evidence.model import Context, Evidence, EvidenceReader
from assay.formats.verity import superblock
from assay.formats.verity.fec import parity_roots
from assay.formats.verity.parameters import Given, Parameters
from assay.formats.verity.tree import walk
from assay.model.claim import Claim
from assay.model.codes import verity as codes
from assay.model.component import Component, Slice, Stored
from assay.model.finding import AssayError, Code, Finding, UsageError
from assay.model.reading import Blob
from assay.model.spans import Span
from assay.sources.files import open_path


class VerityReader:
    name = "verity"
    last = False

    def read(self, context: Context) -> Evidence:
        evidence = Evidence()
        for anchor, given in context.verity.items():
            try:
                _Tree(context, anchor, given, evidence).read()
            except AssayError as error:
                evidence.reading.findings.append(error.finding)
                evidence.targets = evidence.targets or [context.root]
        return evidence


class _Tree:
    def __init__(self, context: Context, anchor: str, given: Given, evidence: Evidence) -> None:
        self._context = context
        self._anchor = anchor
        self._given = given
        self._evidence = evidence
        self._image = context.image.root
        self._same = not given.tree or _is_same(given.tree, context.image.resolved)

    def read(self) -> None:
        image_size = self._image.size
        if image_size is None or not self._image.seekable:
            raise UsageError("--verity-root: the image has to be a file or a device, not a pipe")
        blob, holder = self._tree_file()
        start, made = self._parameters(blob, holder, image_size)
        if len(self._given.root) != made.digest_size:
            raise _refused(
                codes.VERITY_ROOT_LENGTH,
                holder,
                expected=f"{made.digest_size} bytes ({made.algorithm})",
                actual=f"{len(self._given.root)} bytes",
            )
        self._check_places(image_size, blob.size or 0, start, made, holder)
        data = self._part("data", self._context.root, (0, made.data_size), external=False)
        self._evidence.reading.components.append(data)
        self._evidence.targets.append(data.id)
        walked = walk(blob, start, made, self._given.root, holder)
        self._evidence.reading.findings += walked.findings
        for number, expected in walked.levels.items():
            level = made.levels[number]
            first = start + level.start * made.hash_block_size
            span = (first, first + level.blocks * made.hash_block_size)
            part = self._part(f"level[{number}]", holder, span, external=not self._same)
            field = "root hash" if number == len(made.levels) - 1 else f"level {number + 1}"
            self._evidence.reading.components.append(part)
            self._claim(Claim(part.id, self._anchor, expected, field))
        if walked.data is not None:
            field = "level 0" if made.levels else "root hash"
            self._claim(Claim(data.id, self._anchor, walked.data, field))
        self._look_behind(start + made.tree_size, blob.size or 0, made, holder)

    def _claim(self, claim: Claim) -> None:
        self._evidence.reading.claims.append(claim)

    def _tree_file(self) -> tuple[Blob, str]:
        """The bytes that the tree is in, and the component that they are."""
        if self._same:
            return self._image, self._context.root
        path = Path(self._given.tree)
        try:
            blob = open_path(path)
        except AssayError as error:
            raise UsageError(f"--verity-tree {path}: {error.finding.detail}") from error
        if not blob.seekable:
            raise UsageError(f"--verity-tree {path}: the tree has to be in a file, not a pipe")
        name = self._context.name(path.name)
        key = f"verity:{path.absolute()}"
        self._evidence.reading.components.append(
            Component(name, "verity-tree", Stored(key), size=blob.size, external=True)
        )
        self._evidence.reading.blobs[key] = blob
        return blob, name

    def _parameters(self, blob: Blob, holder: str, image_size: int) -> tuple[int, Parameters]:
        """Where the tree begins, and how it is made."""
        given, at = self._given, self._given.offset
        if not given.superblock:
            data_end = at if self._same else image_size
            base = given.over(Parameters())
            if "data_blocks" not in given.stated:
                size = base.data_block_size or 1
                base = given.over(Parameters(data_blocks=data_end // size))
            return at, base.check(holder)
        found = superblock.parse(blob.read_at(at, superblock.SIZE), holder, at).parameters
        for name, value in given.stated.items():
            actual = getattr(found, name)
            if actual != value:
                raise _refused(
                    codes.VERITY_PARAMETERS_DIFFER,
                    holder,
                    f"another {name.replace('_', ' ')} is in the superblock",
                    expected=_shown(value),
                    actual=_shown(actual),
                )
        step = found.hash_block_size
        start = -(-(at + superblock.SIZE) // step) * step
        end = at + superblock.SIZE
        if not any(blob.read_at(end, start - end)):
            end = start  # what fills the block is as much a part of the scheme
        part = self._part("superblock", holder, (at, end), external=not self._same)
        self._evidence.reading.components.append(replace(part, excluded=((0, end - at),)))
        return start, found

    def _check_places(
        self, image_size: int, tree_file: int, start: int, made: Parameters, holder: str
    ) -> None:
        if made.data_size > image_size:
            raise _refused(
                codes.VERITY_OUT_OF_BOUNDS,
                self._context.root,
                "the image ends before its last data block does",
                expected=f"at least {made.data_size} bytes",
                actual=f"{image_size} bytes",
            )
        if start + made.tree_size > tree_file:
            raise _refused(
                codes.VERITY_OUT_OF_BOUNDS,
                holder,
                "the hash tree ends too early",
                expected=f"{made.tree_size} bytes at {start}",
                actual=f"{max(tree_file - start, 0)} bytes",
            )
        if self._same and made.data_size > self._given.offset:
            raise _refused(
                codes.VERITY_OUT_OF_BOUNDS,
                holder,
                "data and hash tree overlap",
                expected=f"data that ends at or before {self._given.offset}",
                actual=f"data that ends at {made.data_size}",
            )

    def _part(self, name: str, of: str, span: Span, *, external: bool) -> Component:
        found = self._context.name(f"verity/{name}")
        kind = f"verity-{name.partition('[')[0]}"
        size = span[1] - span[0]
        return Component(found, kind, Slice(of, (span,)), of, size, external=external)

    def _look_behind(self, end: int, size: int, made: Parameters, holder: str) -> None:
        roots = parity_roots(made, size - end)
        if roots:
            self._evidence.reading.findings.append(
                Finding.of(
                    codes.VERITY_ERROR_CORRECTION,
                    holder,
                    f"{size - end} bytes follow the hash tree, as many as {roots} parity bytes in"
                    " each 255 take",
                    offset=end,
                )
            )


def _is_same(tree: str, image: str) -> bool:
    try:
        return Path(tree).samefile(image)
    except OSError:
        return False


def _shown(value: object) -> object:
    return value.hex() or "none" if isinstance(value, bytes) else value


def _refused(
    code: Code, component: str, detail: str = "", *, expected: object, actual: object
) -> AssayError:
    return AssayError(Finding.of(code, component, detail, expected=expected, actual=actual))


READER: EvidenceReader = VerityReader()
