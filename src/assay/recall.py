"""Measurements of blobs that a digest names, recalled from an earlier run.

A record holds what one reading of a blob answered: of the blob itself, of its parts and of what is
derived from it. It is made only where the blob's measured digest was the one that names it, and
serves only where it answers all that is asked; else the blob is read, once, for everything.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from assay import limits
from assay.formats.layer.files import LayerFiles, Recording, is_recording
from assay.formats.layer.scanner import LayerScan
from assay.formats.polyglot import Look
from assay.kept.flight import alone
from assay.kept.record import HEAD, Answer, Record, keep_record, record_of
from assay.kept.store import FactStore
from assay.measure.engine import Progress, measure
from assay.model.codes import content as content_codes
from assay.model.component import Component, Derived, Slice, Stored
from assay.model.digest import Digest
from assay.model.finding import Finding
from assay.model.measurement import (
    ChunkRequest,
    Facts,
    FsVerityRequest,
    HashRequest,
    Request,
    ScanRequest,
)
from assay.model.reading import Blob

Asked = list[tuple[str, Request]]

_SCANS: dict[str, type[Any]] = {"layer": LayerScan, "polyglot": Look}
"""Scans whose outcome can be kept: it depends on the bytes and on nothing else."""


def measure_or_recall(
    store: FactStore | None,
    components: Mapping[str, Component],
    blobs: Mapping[str, Blob],
    requests: Iterable[tuple[str, Request]],
    *,
    progress: Progress | None = None,
) -> tuple[Facts, dict[str, int]]:
    """The answers to all requests (see `Engine.begin`), and for each blob that was not read for
    them a component that is it, with its size.

    Blobs of registries are asked about in the store first; what is measured of one is kept."""
    wanted = list(requests)
    if store is None:
        return measure(components, blobs, wanted, progress=progress), {}
    trees = _trees(components, blobs, wanted)
    recalled = Facts(sizes={}, answers={}, faults={})
    left = {key: tree for key, tree in trees.items() if not tree.recall(store, recalled)}
    with contextlib.ExitStack() as held:
        if left:
            held.enter_context(alone(list(left), store.path.with_suffix(".lock")))
            # somebody else may have measured it while we waited
            left = {key: tree for key, tree in left.items() if not tree.recall(store, recalled)}
        served = {name for key, tree in trees.items() if key not in left for name in tree.members}
        rest = [(name, request) for name, request in wanted if name not in served]
        facts = measure(components, blobs, rest, progress=progress)
        for tree in left.values():
            tree.keep(store, facts)
    facts.sizes |= recalled.sizes
    answers = facts.answers | recalled.answers
    # in the order in which they were asked for, so that a verdict does not tell findings otherwise
    facts.answers = {key: answers[key] for key in wanted if key in answers} | answers
    known = {
        tree.members_of_root[0]: recalled.sizes[tree.members_of_root[0]]
        for key, tree in trees.items()
        if key not in left
    }
    return facts, known


def recalled_finding(known: Mapping[str, int]) -> Finding:
    """That blobs were not read, since what is asked of them was measured before."""
    names = sorted(known, key=lambda name: -known[name])
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return Finding.of(
        content_codes.MEASURED_BEFORE,
        detail=f"measured before by this digest, and not fetched again: {', '.join(names[:3])}"
        f"{more} ({sum(known.values())} bytes)",
    )


class _Tree:
    """A blob, the components that are it or come of it, and all that is asked of them."""

    def __init__(self, digest: Digest, blob: Blob) -> None:
        self.digest = digest
        self.blob = blob
        self.members: dict[str, str] = {}
        """Component ids, with the path from the blob to each."""
        self.asked: Asked = []

    @property
    def members_of_root(self) -> Sequence[str]:
        return [name for name, path in self.members.items() if not path]

    def can_be_kept(self) -> bool:
        return all(_key(request) is not None for _, request in self.asked)

    def recall(self, store: FactStore, into: Facts) -> bool:
        """Whether the store answers all that is asked; if so, the answers are added."""
        record = record_of(store, self.digest)
        if record is None:
            return False
        known = {(answer.of, answer.to): answer.value for answer in record.answers}
        answers: dict[tuple[str, Request], Any] = {}
        for name, request in self.asked:
            value = known.get((self.members[name], _key(request) or ""))
            if value is None:
                return False
            try:
                answers[name, request] = _decoded(request, value)
            except msgspec.DecodeError:
                return False
        if not all(_room_for(request, answer) for (_, request), answer in answers.items()):
            return False
        paths = {self.members[name] for name, _ in self.asked} | {""}
        if not paths <= record.sizes.keys():
            return False
        into.answers |= answers
        into.sizes |= {
            name: record.sizes[path] for name, path in self.members.items() if path in record.sizes
        }
        return True

    def keep(self, store: FactStore, facts: Facts) -> None:
        """Keep what was measured, where it is beyond doubt what the digest names."""
        roots = self.members_of_root
        address = HashRequest(self.digest.algorithm)
        if not any(facts.answers.get((name, address)) == self.digest.value for name in roots):
            return
        if any(name in facts.faults for name in self.members):
            return
        found: dict[tuple[str, str], bytes] = {}
        for name, request in self.asked:
            key = _key(request)
            if key is None or (name, request) not in facts.answers:
                return
            answer = facts.answers[name, request]
            if isinstance(answer, LayerFiles) and not answer.repeatable:
                return
            try:
                found[self.members[name], key] = _encoded(request, answer)
            except OverflowError:  # an archive may give a file any size
                return
        old = record_of(store, self.digest)
        if old is not None:
            found = {(answer.of, answer.to): answer.value for answer in old.answers} | found
        sizes = {
            path: facts.sizes[name] for name, path in self.members.items() if name in facts.sizes
        }
        answers = [Answer(of, to, value) for (of, to), value in sorted(found.items())]
        head = self.blob.read_at(0, HEAD) if self.blob.seekable or sizes[""] <= HEAD else b""
        record = Record((old.sizes if old is not None else {}) | sizes, answers, head)
        keep_record(store, self.digest, record, limits.KEPT_ANSWER)


def _trees(
    components: Mapping[str, Component], blobs: Mapping[str, Blob], wanted: Asked
) -> dict[str, _Tree]:
    """The blobs that may be known already, by key."""
    found: dict[str, _Tree] = {}
    paths = {name: _path(components, name) for name in dict.fromkeys(name for name, _ in wanted)}
    for name, (key, path) in paths.items():
        blob = blobs.get(key)
        if blob is None or not getattr(blob, "named_by_digest", False):
            continue
        if key not in found:
            try:
                found[key] = _Tree(Digest.parse(key), blob)
            except ValueError:
                continue
        found[key].members[name] = path
    for name, request in wanted:
        key = paths[name][0]
        if key in found:
            found[key].asked.append((name, request))
    return {key: tree for key, tree in found.items() if tree.can_be_kept() and tree.members_of_root}


def _path(components: Mapping[str, Component], name: str) -> tuple[str, str]:
    """The blob that a component's bytes come from, and how."""
    steps: list[str] = []
    extent = components[name].extent
    while not isinstance(extent, Stored):
        spans = extent.spans
        transform = extent.transform if isinstance(extent, Derived) else ""
        assert isinstance(extent, Slice | Derived)
        steps.append(f"{transform}@{','.join(f'{a}-{b}' for a, b in spans) if spans else ''}")
        extent = components[extent.of].extent
    return extent.blob, "/".join(reversed(steps))


def _key(request: Request) -> str | None:
    """A request as text; None for one whose answer is not to be kept: a secret is in it, or the
    answer is the content, or it is a scan of an unknown kind."""
    if isinstance(request, HashRequest):
        if request.key is not None:
            return None
        return (
            f"hash {request.algorithm} {request.prefix.hex()} {request.suffix.hex()} {request.text}"
        )
    if isinstance(request, ChunkRequest | FsVerityRequest):
        return f"{type(request).__name__} {msgspec.json.encode(request).decode()}"
    if isinstance(request, ScanRequest) and request.name in _SCANS:
        return f"scan {request.name}"
    if isinstance(request, ScanRequest) and isinstance(request.sink, Recording):
        return f"scan {request.name} {request.sink.key}"
    return None


def _room_for(request: Request, answer: Any) -> bool:
    """Whether there is room in memory for what was kept of files."""
    if isinstance(request, ScanRequest) and isinstance(request.sink, Recording):
        return request.sink.room_for(answer)
    return True


def _encoded(request: Request, answer: Any) -> bytes:
    return msgspec.msgpack.encode(answer) if isinstance(request, ScanRequest) else bytes(answer)


def _decoded(request: Request, value: bytes) -> Any:
    if isinstance(request, ScanRequest):
        kind = LayerFiles if is_recording(request) else _SCANS[request.name]
        return msgspec.msgpack.decode(value, type=kind)
    return value
