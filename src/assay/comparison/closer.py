"""Looks closer at a pair of components that is not the same."""

from __future__ import annotations

from collections.abc import Mapping

from assay import limits
from assay.comparison.documents import Changes, compare_documents
from assay.comparison.matching import Pair
from assay.comparison.parts import Part, blob_of, is_near
from assay.comparison.ranges import compare_chunks, compare_streams
from assay.comparison.sides import Opened
from assay.model.comparison import ByteRanges, ComponentDifference, Difference
from assay.model.digest import ALGORITHMS
from assay.model.finding import AssayError
from assay.model.measurement import ChunkRequest
from assay.model.verdict import NotChecked
from assay.sources.blobs import read_document


class Closer:
    """Says of pairs how they differ; collects what could not be compared."""

    def __init__(
        self,
        sides: tuple[Opened, Opened],
        parts: tuple[Mapping[str, Part], Mapping[str, Part]],
        limit: int,
    ) -> None:
        self._sides = sides
        self._parts = parts
        self._limit = limit
        self.not_compared: list[NotChecked] = []

    def difference(self, pair: Pair) -> ComponentDifference | None:
        """How the two differ; None when they are the same, or nothing can be said."""
        a, b = pair.a, pair.b
        if a is None or b is None:
            which = Difference.ONLY_IN_A if b is None else Difference.ONLY_IN_B
            return _difference(which, a, b)
        same = a.same_as(b)
        if same is None and a.size is not None and b.size is not None and a.size != b.size:
            same = False
        if same is None:
            self.not_compared.append(NotChecked(b.id, self._why(a, b), b.size))
            return None
        if same:
            return _difference(Difference.ORDER, a, b) if pair.moved else None
        content_a = self._parts[0].get(f"{a.id}/content", a)
        content_b = self._parts[1].get(f"{b.id}/content", b)
        views = content_a is not a or content_b is not b
        if views and content_a.same_as(content_b):
            forms = f"{content_a.transform or 'none'} in a, {content_b.transform or 'none'} in b"
            moved = "; in another place" if pair.moved else ""
            return _difference(Difference.COMPRESSION, a, b, f"{forms}{moved}")
        changes = self._document(a, b)
        if changes is not None:
            return _with_values(a, b, changes)
        if views and a.claimed is not None and a.claimed == b.claimed:
            # both should be the same, and one is damaged: where, is seen in the stored bytes
            content_a, content_b = a, b
        try:
            ranges = self._ranges(content_a, content_b)
        except AssayError as error:
            self.not_compared.append(NotChecked(b.id, error.finding.detail, b.size))
            ranges = None
        return _difference(Difference.CONTENT, content_a, content_b, ranges=ranges)

    def _why(self, a: Part, b: Part) -> str:
        """Why nothing is known of the bytes of one of them."""
        for mark, side, part in (("a", self._sides[0], a), ("b", self._sides[1], b)):
            faults = side.facts.faults.get(part.id) if side.facts is not None else None
            if faults:
                return f"{mark} could not be read: {faults[0].detail}"
        return "a and b have no digest in common"

    # documents

    def _document(self, a: Part, b: Part) -> Changes | None:
        """What differs in two JSON documents; None where they are none, or not at hand."""
        if any(part.size is None or part.size > limits.MANIFEST_SIZE for part in (a, b)):
            return None
        contents: list[bytes] = []
        consequences: set[str] = set()
        for side, part in zip(self._sides, (a, b), strict=True):
            if side.gathered is None or not is_near(side.gathered, part.id):
                return None
            blob = blob_of(side.gathered, part.id)
            if blob is None:
                return None
            try:
                contents.append(read_document(blob, limits.MANIFEST_SIZE, part.id))
            except AssayError:
                return None
            claims = side.gathered.reading.claims
            consequences |= {claim.field for claim in claims if claim.origin == part.id}
        return compare_documents(contents[0], contents[1], self._limit, consequences)

    # bytes

    def _ranges(self, a: Part, b: Part) -> ByteRanges | None:
        if a.size is None or b.size is None:
            return None
        sizes = (a.size, b.size)
        left, right = self._sides
        blobs = None
        if left.gathered is not None and right.gathered is not None:
            mine, theirs = blob_of(left.gathered, a.id), blob_of(right.gathered, b.id)
            blobs = (mine, theirs) if mine is not None and theirs is not None else None
            near = is_near(left.gathered, a.id) and is_near(right.gathered, b.id)
            if blobs is not None and near:
                return compare_streams(*blobs, self._limit)[0]
        for request, values_a, values_b in self._common_chunks(a, b):
            if request.chunk_size >= max(sizes) and blobs is None:
                return None  # a single chunk says no more than the digest
            width = ALGORITHMS[request.algorithm].size
            return compare_chunks(
                values_a, values_b, width, request.chunk_size, sizes, self._limit, blobs
            )
        if blobs is not None and all(blob.seekable for blob in blobs):
            return compare_streams(*blobs, self._limit)[0]
        return None

    def _common_chunks(self, a: Part, b: Part) -> list[tuple[ChunkRequest, bytes, bytes]]:
        known = [self._chunks(side, part) for side, part in zip(self._sides, (a, b), strict=True)]
        return [
            (request, values, known[1][request])
            for request, values in known[0].items()
            if request in known[1]
        ]

    def _chunks(self, side: Opened, part: Part) -> dict[ChunkRequest, bytes]:
        found: dict[ChunkRequest, bytes] = {}
        if part.chunks is not None:
            found[part.chunks[0]] = part.chunks[1]
        if side.facts is not None:
            found |= {
                request: values
                for (component, request), values in side.facts.answers.items()
                if component == part.id and isinstance(request, ChunkRequest)
            }
        return found


def _difference(
    difference: Difference,
    a: Part | None,
    b: Part | None,
    detail: str = "",
    ranges: ByteRanges | None = None,
) -> ComponentDifference:
    part = b if b is not None else a
    assert part is not None
    return ComponentDifference(
        difference,
        a=a.id if a is not None else "",
        b=b.id if b is not None else "",
        kind=part.kind,
        detail=detail,
        size_a=a.size if a is not None else None,
        size_b=b.size if b is not None else None,
        digest_a=_shown_digest(a),
        digest_b=_shown_digest(b),
        bytes=ranges,
    )


def _with_values(a: Part, b: Part, changes: Changes) -> ComponentDifference:
    from msgspec.structs import replace

    if changes.values:
        detail = ""
    elif changes.consequences:
        detail = "only what it says of other components"
    else:
        detail = "the same values, written in another way"
    return replace(
        _difference(Difference.VALUES, a, b, detail),
        values=changes.values,
        more_values=changes.more,
    )


def _shown_digest(part: Part | None) -> str:
    if part is None or not part.digests:
        return ""
    by_name = {digest.algorithm: digest for digest in part.digests}
    return str(by_name.get("sha256", part.digests[0]))
