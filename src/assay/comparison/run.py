"""The story of a comparison: open both -> match by what they claim -> measure together -> match
again by what they hold -> look closer at what differs."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from assay.appraisal.appraise import appraise
from assay.appraisal.case import BuiltInRule
from assay.comparison.closer import Closer
from assay.comparison.files import compare_files
from assay.comparison.matching import Pair, match
from assay.comparison.measuring import Wanted, measure_together
from assay.comparison.parts import Part, blob_of, is_near
from assay.comparison.ranges import compare_streams
from assay.comparison.sides import Opened, open_sides
from assay.evidence.baseline_document import CHUNK_SIZE
from assay.model.comparison import (
    Comparison,
    ComponentDifference,
    Difference,
    FileComparison,
    Outcome,
)
from assay.model.files import FileIndex
from assay.model.finding import AssayError, Question, Severity
from assay.model.measurement import ChunkRequest, HashRequest
from assay.model.reading import Options
from assay.model.verdict import NotChecked
from assay.pipeline import Progress, VerifyOptions, judgeable
from assay.sources.model import OpenOptions
from assay.trust.anchors import Trust
from assay.version import __version__

LIMIT = 20
"""Ranges, values and files that are listed, unless asked for more."""

CONTENT_CHUNK = 64 * 1024
"""Resolution in bytes at which computed views, such as the content of layers, are compared."""


class CompareOptions(Struct):
    """What one call of `compare` asks for, beside the two names."""

    formats: Options = Options()
    open: OpenOptions = OpenOptions()
    limit: int = LIMIT
    progress: Progress | None = None


def compare(a: str, b: str, options: CompareOptions) -> Comparison:
    """Tell where two images differ. Raises UsageError; what cannot be read is in the answer."""
    from msgspec.structs import replace

    request = VerifyOptions(
        Trust(),
        rule=BuiltInRule(self_consistent=True),
        formats=replace(options.formats, files=True),
        open=options.open,
        progress=options.progress,
    )
    left, right = open_sides(a, b, request)
    unreadable = [
        NotChecked(side.name, side.unreadable.detail)
        for side in (left, right)
        if side.unreadable is not None
    ]
    if unreadable:
        return _answer(left, right, [], 0, [], unreadable)
    if _both_plain_and_near(left, right):
        return _compare_plain(left, right, options)
    _measure(left, right, request)
    parts = left.parts(), right.parts()
    pairs = [pair for pair in match(*parts) if not _is_view(pair)]
    closer = Closer((left, right), parts, options.limit)
    found = [closer.difference(pair) for pair in pairs]
    differences = [difference for difference in found if difference is not None]
    same = len(pairs) - len(differences) - len(closer.not_compared)
    files = _compare_files(left, right, pairs, parts, options.limit)
    return _answer(left, right, differences, max(same, 0), files, closer.not_compared)


# files without structure


def _both_plain_and_near(left: Opened, right: Opened) -> bool:
    """Whether both are mere bytes that can be read side by side, without any digest."""
    for side in (left, right):
        part = side.plain_part()
        if not part or side.gathered is None:
            return False
        blob = blob_of(side.gathered, part)
        if blob is None or (blob.seekable and not is_near(side.gathered, part)):
            return False
    return True


def _compare_plain(left: Opened, right: Opened, options: CompareOptions) -> Comparison:
    assert left.gathered is not None
    assert right.gathered is not None
    names = left.plain_part(), right.plain_part()
    blobs = [blob_of(left.gathered, names[0]), blob_of(right.gathered, names[1])]
    assert blobs[0] is not None
    assert blobs[1] is not None
    advance = None
    if options.progress is not None:
        options.progress.expect(right.name, (blobs[0].size or 0) + (blobs[1].size or 0))
        advance = options.progress.advance
    try:
        ranges, *sizes = compare_streams(blobs[0], blobs[1], options.limit, advance)
    except AssayError as error:
        return _answer(left, right, [], 0, [], [NotChecked(right.name, error.finding.detail)])
    if ranges is None:
        return _answer(left, right, [], 1, [], [])
    return _answer(
        left,
        right,
        [
            ComponentDifference(
                Difference.CONTENT,
                a=names[0],
                b=names[1],
                kind="file",
                size_a=sizes[0],
                size_b=sizes[1],
                bytes=ranges,
            )
        ],
        0,
        [],
        [],
    )


# measuring


def _measure(left: Opened, right: Opened, request: VerifyOptions) -> None:
    """Measure what is an image, and judge each on its own."""
    sides = [side for side in (left, right) if side.gathered is not None]
    if not sides:
        return
    wanted = _wanted(left, right)
    jobs = [
        (side.gathered, wanted[0 if side is left else 1])
        for side in sides
        if side.gathered is not None
    ]
    advance = None
    if request.progress is not None:
        total = sum(blob.size or 0 for gathered, _ in jobs for blob in gathered.blobs.values())
        request.progress.expect(right.name, total)
        advance = request.progress.advance
    for side, facts in zip(sides, measure_together(jobs, advance), strict=True):
        assert side.gathered is not None
        side.verdict = appraise(judgeable(side.gathered, facts, request))
        side.facts = facts


def _wanted(left: Opened, right: Opened) -> tuple[Wanted, Wanted]:
    """What to measure of each side: digests of everything, and chunk digests of what is known to
    differ and cannot be read again at little cost."""
    wanted: tuple[Wanted, Wanted] = ([], [])
    sides = (left, right)
    parts = left.parts(), right.parts()
    pairs = match(*parts)
    same_layers = _same_layers(pairs)
    for side, mine, asked, others in zip(sides, parts, wanted, reversed(parts), strict=True):
        if side.gathered is None:
            continue
        asked += side.gathered.requests(())
        if same_layers:
            from assay.formats.layer.files import record_request

            # where all layers are the same, so are the files
            recording = record_request()
            asked[:] = [(name, need) for name, need in asked if need != recording]
        algorithms = {"sha256"} | {d.algorithm for part in others.values() for d in part.digests}
        asked += [(name, HashRequest(algorithm)) for name in mine for algorithm in algorithms]
    for pair in pairs:
        if pair.a is None or pair.b is None:
            continue
        for need in _chunks_needed(pair.a, pair.b, sides):
            for side, asked, part in zip(sides, wanted, (pair.a, pair.b), strict=True):
                if side.gathered is not None:
                    asked.append((part.id, need))
    return wanted


def _chunks_needed(a: Part, b: Part, sides: Sequence[Opened]) -> list[ChunkRequest]:
    if a.chunks is not None or b.chunks is not None:
        return [part.chunks[0] for part in (a, b) if part.chunks is not None]
    if any(side.gathered is None for side in sides):
        return []
    if a.claimed is not None and a.claimed == b.claimed:
        return []
    if a.transform and b.transform:
        return [ChunkRequest("sha256", CONTENT_CHUNK)]
    near = all(
        side.gathered is not None and is_near(side.gathered, part.id)
        for side, part in zip(sides, (a, b), strict=True)
    )
    return [ChunkRequest("sha256", CHUNK_SIZE)] if a.stored and b.stored and not near else []


def _is_layer(pair: Pair) -> bool:
    part = pair.a or pair.b
    return part is not None and part.kind == "oci-layer"


def _is_view(pair: Pair) -> bool:
    """Whether it is the content of a compressed component, which is looked at with that."""
    part = pair.a or pair.b
    return part is not None and part.id.endswith("/content")


def _same_layers(pairs: Sequence[Pair]) -> bool:
    """Whether all layers are the same, and so all files: their content is then not recorded."""
    return all(_claimed_alike(pair) for pair in pairs if _is_layer(pair))


def _claimed_alike(pair: Pair) -> bool:
    if pair.a is None or pair.b is None or pair.moved:
        return False
    return pair.a.claimed is not None and pair.a.claimed == pair.b.claimed


# files within images


def _compare_files(
    left: Opened,
    right: Opened,
    pairs: Sequence[Pair],
    parts: tuple[dict[str, Part], dict[str, Part]],
    limit: int,
) -> list[FileComparison]:
    if _same_layers(match(*parts)):
        return []
    indexes = [_indexes(left), _indexes(right)]
    if not indexes[0] or not indexes[1]:
        return []

    def same_layer(a: str, b: str) -> bool:
        return bool(parts[0][a].same_as(parts[1][b]))

    matched = [
        (indexes[0][pair.a.id], indexes[1][pair.b.id])
        for pair in pairs
        if pair.a is not None
        and pair.b is not None
        and pair.a.id in indexes[0]
        and pair.b.id in indexes[1]
    ]
    if not matched and len(indexes[0]) == len(indexes[1]) == 1:
        # the one image of each, described in another way (an archive's manifest.json)
        matched = [(next(iter(indexes[0].values())), next(iter(indexes[1].values())))]
    return [compare_files(mine, theirs, limit, same_layer) for mine, theirs in matched]


def _indexes(side: Opened) -> dict[str, FileIndex]:
    if side.gathered is None or side.facts is None:
        return {}
    from assay.formats.oci.flatten import file_indexes

    return {index.image: index for index in file_indexes(side.gathered.reading, side.facts)}


# the answer


def _answer(
    left: Opened,
    right: Opened,
    differences: Sequence[ComponentDifference],
    same: int,
    files: Sequence[FileComparison],
    not_compared: Sequence[NotChecked],
) -> Comparison:
    left_out = [*not_compared, *_not_looked_at(left), *_not_looked_at(right)]
    if differences:
        outcome = Outcome.DIFFERENT
    elif left_out:
        outcome = Outcome.UNKNOWN
    else:
        outcome = Outcome.SAME
    return Comparison(
        outcome=outcome,
        a=left.report(),
        b=right.report(),
        same_components=same,
        components=tuple(differences),
        files=tuple(files),
        not_compared=tuple(dict.fromkeys(left_out)),
        tool=f"assay {__version__}",
    )


def _not_looked_at(side: Opened) -> list[NotChecked]:
    """What of an image was not read, unless that was asked for."""
    if side.verdict is None:
        return []
    found = [
        skipped
        for skipped in side.verdict.not_checked
        if not skipped.reason.startswith("outside --platform")
    ]
    found += [
        NotChecked(finding.component or side.name, finding.detail)
        for finding in side.verdict.findings
        if finding.question is Question.CHECKED and finding.severity is Severity.ERROR
    ]
    return found
