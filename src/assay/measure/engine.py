"""Measurement: reads each stored blob once and answers every request about it.

The plan is a tree for each blob: the blob's own bytes go to the digests asked of it, through
slices to the parts that are cut from it, and through transforms to what is derived from it.
Blobs are spread over the cores; hashing and inflating release the interpreter lock.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from itertools import pairwise
from threading import Event
from typing import Any

from assay import limits
from assay.measure.hashing import sink_for
from assay.measure.inflate import Inflater, inflater_for
from assay.measure.readahead import read_ahead
from assay.model.codes import content as codes
from assay.model.component import Component, Derived, Slice, Stored
from assay.model.finding import AssayError, Finding
from assay.model.measurement import Facts, Request, Sink
from assay.model.reading import Blob
from assay.model.spans import Span

Progress = Callable[[int], object]
"""Called with the number of stored bytes read since the last call."""


class _Node:
    """One component while its bytes go by. All components with the same bytes share a node."""

    def __init__(self) -> None:
        self.components: list[str] = []
        self.requests: dict[Request, Sink] = {}
        self.children: list[_Child] = []
        self.size = 0
        self.faults: list[Finding] = []
        self.answers: dict[Request, Any] = {}

    def ask(self, request: Request) -> None:
        if request in self.requests:
            return
        try:
            self.requests[request] = sink_for(request)
        except AssayError as error:
            self.faults.append(error.finding)

    def update(self, data: memoryview) -> None:
        self.size += len(data)
        failed: list[Request] = []
        for request, sink in self.requests.items():
            try:
                sink.update(data)
            except AssayError as error:
                self.faults.append(error.finding)
                failed.append(request)
        for request in failed:
            del self.requests[request]
        for child in self.children:
            child.feed(data)

    def finish(self) -> None:
        for request, sink in self.requests.items():
            try:
                self.answers[request] = sink.finish()
            except AssayError as error:
                self.faults.append(error.finding)
        for child in self.children:
            child.close()

    def fail(self, finding: Finding) -> None:
        self.faults.append(finding)
        self.answers.clear()
        for child in self.children:
            child.node.fail(finding)


class _Child:
    """A node fed from another one, by a cut (``spans``), a transform, or both."""

    def __init__(self, node: _Node, spans: tuple[Span, ...] | None, transform: str) -> None:
        self.node = node
        self._spans = spans
        self._index = 0
        self._at = 0
        self._dead = False
        self._inflater: Inflater | None = None
        self._deliver: Callable[[memoryview], object] = node.update
        if transform:
            try:
                self._inflater = inflater_for(transform, node.update)
                self._deliver = self._inflater.update
            except AssayError as error:
                self._die(error.finding)

    def _die(self, finding: Finding) -> None:
        self._dead = True
        self.node.fail(finding)

    def feed(self, data: memoryview) -> None:
        if self._dead:
            return
        try:
            if self._spans is None:
                self._deliver(data)
            else:
                self._cut(self._spans, data)
        except AssayError as error:
            self._die(error.finding)

    def _cut(self, spans: tuple[Span, ...], data: memoryview) -> None:
        begin, end = self._at, self._at + len(data)
        self._at = end
        while self._index < len(spans):
            start, stop = spans[self._index]
            if start >= end:
                return
            piece = data[max(start - begin, 0) : min(stop, end) - begin]
            if piece:
                self._deliver(piece)
            if stop > end:
                return
            self._index += 1

    def close(self) -> None:
        if self._dead:
            return
        if self._inflater is not None:
            try:
                self._inflater.finish()
            except AssayError as error:
                self._die(error.finding)
                return
        if self._spans is not None and self._index < len(self._spans):
            _, stop = self._spans[self._index]
            self._die(
                Finding.of(
                    codes.SIZE_MISMATCH,
                    detail="the bytes end before this part of them does",
                    expected=f"at least {stop} bytes",
                    actual=f"{self._at} bytes",
                    cause="truncation",
                )
            )
            return
        self.node.finish()


class _Plan:
    """Builds the tree of nodes for every blob that something is asked of."""

    def __init__(self, components: Mapping[str, Component]) -> None:
        self.components = components
        self.roots: dict[str, _Node] = {}
        self._nodes: dict[object, _Node] = {}
        self._of: dict[str, _Node] = {}

    def node(self, component_id: str) -> _Node:
        if component_id in self._of:
            return self._of[component_id]
        component = self.components[component_id]
        extent = component.extent
        if isinstance(extent, Stored):
            key: object = ("stored", extent.blob)
            if key not in self._nodes:
                self._nodes[key] = self.roots[extent.blob] = _Node()
        else:
            parent = self.node(extent.of)
            spans = extent.spans
            transform = extent.transform if isinstance(extent, Derived) else ""
            key = (id(parent), spans, transform)
            if key not in self._nodes:
                if spans is not None and any(
                    later[0] < earlier[1] for earlier, later in pairwise(spans)
                ):
                    raise AssertionError(f"{component_id}: a slice must run forward")
                node = self._nodes[key] = _Node()
                parent.children.append(_Child(node, spans, transform))
        node = self._nodes[key]
        node.components.append(component_id)
        self._of[component_id] = node
        return node

    def collect(self, facts: Facts) -> None:
        for node in self._nodes.values():
            for component in node.components:
                if node.faults:
                    facts.faults.setdefault(component, []).extend(node.faults)
                else:
                    facts.sizes[component] = node.size
                for request, answer in node.answers.items():
                    facts.answers[component, request] = answer


def measure(
    components: Mapping[str, Component],
    blobs: Mapping[str, Blob],
    requests: Iterable[tuple[str, Request]],
    *,
    progress: Progress | None = None,
    workers: int | None = None,
) -> Facts:
    """Answer ``requests`` (component id, request), reading each blob once.

    Every component asked about gets its size measured. What cannot be read becomes a fault of
    the components concerned; the others are answered all the same.
    """
    plan = _Plan(components)
    for component_id, request in requests:
        plan.node(component_id).ask(request)
    jobs = sorted(plan.roots.items(), key=lambda job: -(blobs[job[0]].size or 0))
    workers = workers or os.cpu_count() or 1
    large = [job for job in jobs if (blobs[job[0]].size or limits.GIB) > limits.READ_CHUNK]
    if len(large) > 1 and workers > 1:
        from concurrent.futures import ThreadPoolExecutor

        stop = Event()
        pool = ThreadPoolExecutor(min(workers, len(jobs)))
        try:
            futures = [
                pool.submit(_run, node, blobs[key], progress, False, stop) for key, node in jobs
            ]
            for future in futures:
                future.result()
        finally:
            # after an interruption the others end at their next piece, and nobody waits for them
            stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
    else:
        for key, node in jobs:
            _run(node, blobs[key], progress, workers > 1)
    facts = Facts(sizes={}, answers={}, faults={})
    plan.collect(facts)
    return facts


def _run(
    node: _Node, blob: Blob, progress: Progress | None, ahead: bool, stop: Event | None = None
) -> None:
    pieces = blob.stream(limits.READ_CHUNK)
    if ahead and (blob.size or limits.GIB) > 4 * limits.READ_CHUNK:
        pieces = read_ahead(pieces)
    try:
        for piece in pieces:
            node.update(piece)
            if progress is not None:
                progress(len(piece))
            if stop is not None and stop.is_set():
                return
    except AssayError as error:
        node.fail(error.finding)
        return
    node.finish()


__all__ = ["Progress", "Slice", "measure"]
