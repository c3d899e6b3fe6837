"""Takes the baseline of an image: the reference values that `assay verify --baseline` checks."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from assay import limits
from assay.evidence.baseline_document import Baseline, Chunks, Part, encode
from assay.model.component import Component, Stored
from assay.model.digest import Digest
from assay.model.finding import UsageError
from assay.model.measurement import ChunkRequest, Facts, HashRequest, Request
from assay.model.verdict import Decision, Verdict
from assay.pipeline import Gathered, VerifyOptions, examine


class Taken(Struct, frozen=True):
    """The baseline of one image, and the document that holds it. Both are None where the image is
    not worth one: the verdict says why."""

    verdict: Verdict
    baseline: Baseline | None = None
    document: bytes | None = None


def take_baseline(
    name: str, request: VerifyOptions, algorithms: Sequence[str], chunk_size: int
) -> list[Taken]:
    """The baseline of the image, or images, of a name.

    The image is verified first, as ``request`` says: reference values of a damaged image would
    make the damage the reference. ``algorithms`` are those of the components' digests, the first
    one is also that of the chunks; ``chunk_size`` is in bytes. Raises UsageError.
    """
    request = replace(
        request, also_measure=lambda gathered: _measurements(gathered, algorithms, chunk_size)
    )
    found: list[Taken] = []
    for examined in examine(name, request):
        gathered, facts = examined.gathered, examined.facts
        if gathered is None or facts is None or examined.verdict.decision is not Decision.ALLOWED:
            found.append(Taken(examined.verdict))
            continue
        baseline = _baseline(gathered, facts, algorithms, chunk_size)
        found.append(Taken(examined.verdict, baseline, _document(baseline, name)))
    return found


def _document(baseline: Baseline, name: str) -> bytes:
    try:
        document = encode(baseline)
    except ValueError as error:
        raise UsageError(f"{name}: a name in the image cannot be written down: {error}") from error
    if len(document) > limits.DOCUMENT_SIZE:
        raise UsageError(
            f"{name}: its baseline has {len(document)} bytes, and one of more than"
            f" {limits.DOCUMENT_SIZE} is not read again; take larger chunks (--chunk-size)"
        )
    return document


def _measurements(
    gathered: Gathered, algorithms: Sequence[str], chunk_size: int
) -> list[tuple[str, Request]]:
    wanted: list[tuple[str, Request]] = []
    for component in _parts(gathered):
        wanted += [(component.id, HashRequest(algorithm)) for algorithm in algorithms]
        if isinstance(component.extent, Stored):
            wanted.append((component.id, ChunkRequest(algorithms[0], chunk_size)))
    return wanted


def _parts(gathered: Gathered) -> list[Component]:
    return [component for component in gathered.components.values() if not component.external]


def _baseline(
    gathered: Gathered, facts: Facts, algorithms: Sequence[str], chunk_size: int
) -> Baseline:
    parts: list[Part] = []
    told: set[str] = set()  # blobs whose chunks another component has already
    for component in sorted(_parts(gathered), key=lambda component: component.id):
        digests = {name: facts.hash(component.id, name) for name in algorithms}
        size = facts.sizes[component.id]
        chunks: bytes | None = facts.answers.get(
            (component.id, ChunkRequest(algorithms[0], chunk_size))
        )
        blob = component.extent.blob if isinstance(component.extent, Stored) else ""
        own = chunks is not None and size > chunk_size and blob not in told
        told.add(blob)
        parts.append(
            Part(
                id=component.id,
                kind=component.kind,
                size=size,
                digests=tuple(Digest(name, value) for name, value in digests.items() if value),
                chunks=Chunks(algorithms[0], chunk_size, chunks) if own and chunks else None,
            )
        )
    subjects = dict.fromkeys([gathered.root, *gathered.targets])
    return Baseline(gathered.format, tuple(subjects), tuple(parts))
