"""The plan of a measurement: for each stored blob a tree of what its bytes are handed to.

The blob's own bytes go to the digests asked of it, through cuts to the parts that are slices of
it, and through transforms to what is derived from it. Everything with the same bytes is one node.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from assay.measure.buffers import Buffer
from assay.measure.hashing import HashSink, TextHashSink, running_request, sink_for
from assay.measure.inflate import Inflater, inflater_for
from assay.model.codes import content as codes
from assay.model.component import Component, Derived, Slice, Stored
from assay.model.finding import AssayError, Finding
from assay.model.measurement import Facts, HashRequest, Request, Sink
from assay.model.spans import Span, runs_forward, through


class Feed:
    """One sink of a node. ``waiting`` are bytes that it has not taken yet; who takes them (one
    thread at a time) sets ``claimed``."""

    __slots__ = ("claimed", "node", "request", "sink", "waiting")

    def __init__(self, node: Node, request: Request, sink: Sink) -> None:
        self.node = node
        self.request = request
        self.sink: Sink | None = sink
        self.waiting: deque[tuple[memoryview, Buffer | None]] = deque()
        self.claimed = False

    def take(self, data: memoryview) -> None:
        """Hand bytes to the sink; one that refuses them is not asked again."""
        if self.sink is None:
            return
        try:
            self.sink.update(data)
        except AssayError as error:
            self.sink = None
            self.node.faults.append(error.finding)


Give = Callable[[Feed, memoryview, "Buffer | None"], object]
"""Has a feed take bytes in their order, now or later, here or on another thread. The bytes lie in
the buffer, and may be overwritten once they are taken; without a buffer they stay as they are."""


class Node:
    """One component while its bytes go by, or several with the same bytes."""

    def __init__(self) -> None:
        self.components: list[str] = []
        self.feeds: dict[Request, Feed] = {}
        self._asked: dict[Request, list[Request]] = {}
        """What each feed answers: requests of which one running digest serves all."""
        self.children: list[Child] = []
        self.size = 0
        self.faults: list[Finding] = []
        self.answers: dict[Request, Any] = {}

    def ask(self, request: Request) -> None:
        running = running_request(request)
        if running not in self.feeds:
            try:
                self.feeds[running] = Feed(self, running, sink_for(running))
            except AssayError as error:
                self.faults.append(error.finding)
                return
        asked = self._asked.setdefault(running, [])
        if request not in asked:
            asked.append(request)

    def sinks(self) -> int:
        """How many sinks there are, here and below."""
        return len(self.feeds) + sum(child.node.sinks() for child in self.children)

    def start(self, give: Give) -> None:
        """Get ready for the first bytes."""
        self._give = give
        for child in self.children:
            child.start(give)

    def update(self, data: memoryview, buffer: Buffer | None) -> None:
        """Take the next bytes."""
        self.size += len(data)
        for feed in self.feeds.values():
            self._give(feed, data, buffer)
        for child in self.children:
            child.feed(data, buffer)

    def finish(self) -> None:
        """No more bytes follow, and the sinks have taken all that there were."""
        self.answer()
        for child in self.children:
            child.finish()

    def answer(self) -> None:
        """Answer what is asked of this node's own bytes: its sinks have taken them all."""
        for request, feed in self.feeds.items():
            if feed.sink is None:
                continue
            try:
                self._answer(request, feed.sink)
            except AssayError as error:
                self.faults.append(error.finding)

    def _answer(self, running: Request, sink: Sink) -> None:
        for request in self._asked[running]:
            if request is running or not isinstance(request, HashRequest):
                self.answers[request] = sink.finish()
            else:
                assert isinstance(sink, HashSink | TextHashSink)
                self.answers[request] = sink.with_suffix(request.suffix)

    def fail(self, finding: Finding) -> None:
        """The bytes cannot be had to their end: there are no answers about them."""
        self.faults.append(finding)
        self.answers.clear()
        for feed in self.feeds.values():
            feed.sink = None
        for child in self.children:
            child.node.fail(finding)


class Child:
    """A node fed from another one, by a cut (``spans``), a transform, or both."""

    def __init__(self, node: Node, spans: tuple[Span, ...] | None, transform: str) -> None:
        self.node = node
        self.spans = spans
        self.transform = transform
        self._index = 0
        self._at = 0
        self._dead = False
        self._inflater: Inflater | None = None

    def start(self, give: Give) -> None:
        self.node.start(give)
        if self.transform:
            try:
                self._inflater = inflater_for(self.transform, self._inflated)
            except AssayError as error:
                self._die(error.finding)

    def _inflated(self, data: memoryview) -> None:
        self.node.update(data, None)

    def _deliver(self, data: memoryview, buffer: Buffer | None) -> None:
        if self._inflater is not None:
            self._inflater.update(data)
        else:
            self.node.update(data, buffer)

    def _die(self, finding: Finding) -> None:
        self._dead = True
        self.node.fail(finding)

    def feed(self, data: memoryview, buffer: Buffer | None) -> None:
        if self._dead:
            return
        try:
            if self.spans is None:
                self._deliver(data, buffer)
            else:
                self._cut(self.spans, data, buffer)
        except AssayError as error:
            self._die(error.finding)

    def _cut(self, spans: tuple[Span, ...], data: memoryview, buffer: Buffer | None) -> None:
        begin, end = self._at, self._at + len(data)
        self._at = end
        while self._index < len(spans):
            start, stop = spans[self._index]
            if start >= end:
                return
            piece = data[max(start - begin, 0) : min(stop, end) - begin]
            if piece:
                self._deliver(piece, buffer)
            if stop > end:
                return
            self._index += 1

    def finish(self) -> None:
        if self._dead:
            return
        if self._inflater is not None:
            try:
                self._inflater.finish()
            except AssayError as error:
                self._die(error.finding)
                return
        missing = [stop for _, stop in (self.spans or ())[self._index :] if stop > self._at]
        if missing:
            self._die(
                Finding.of(
                    codes.SIZE_MISMATCH,
                    detail="the bytes end before this part of them does",
                    expected=f"at least {max(missing)} bytes",
                    actual=f"{self._at} bytes",
                    cause="truncation",
                )
            )
            return
        self.node.finish()


class Plan:
    """The trees of all blobs that something is asked of. ``roots`` maps their keys to them.

    A slice whose parts lie in another order than in the blob (a file in a FAT file system may) is
    not cut from the bytes as they go by: ``scattered`` has the trees of such slices, by the blob
    and the ranges of it, which are read apart."""

    def __init__(
        self, components: Mapping[str, Component], requests: Iterable[tuple[str, Request]]
    ) -> None:
        self._components = components
        self.roots: dict[str, Node] = {}
        self.scattered: dict[tuple[str, tuple[Span, ...]], Node] = {}
        self._nodes: dict[object, Node] = {}
        self._of: dict[str, Node] = {}
        for component_id, request in requests:
            self._node(component_id).ask(request)

    def _node(self, component_id: str) -> Node:
        known = self._of.get(component_id)
        if known is not None:
            return known
        component = self._components[component_id]
        extent = component.extent
        if isinstance(extent, Stored):
            key: object = ("stored", extent.blob)
            if key not in self._nodes:
                self._nodes[key] = self.roots[extent.blob] = Node()
        else:
            parent = self._node(extent.of)
            spans = extent.spans
            transform = extent.transform if isinstance(extent, Derived) else ""
            key = (id(parent), spans, transform)
            if key not in self._nodes:
                if spans is None or runs_forward(spans):
                    node = self._nodes[key] = Node()
                    parent.children.append(Child(node, spans, transform))
                else:
                    self._nodes[key] = self._scattered(component, spans)
        node = self._nodes[key]
        node.components.append(component_id)
        self._of[component_id] = node
        return node

    def _scattered(self, component: Component, spans: tuple[Span, ...]) -> Node:
        """The tree of a slice that does not run forward."""
        node = Node()
        extent = component.extent
        while isinstance(extent, Slice):
            if extent is not component.extent:
                spans = through(spans, extent.spans)
            extent = self._components[extent.of].extent
        if isinstance(extent, Stored) and isinstance(component.extent, Slice):
            return self.scattered.setdefault((extent.blob, spans), node)
        node.fail(
            Finding.of(
                codes.LIMIT_EXCEEDED,
                detail="its parts lie in another order within a stream that is read only once",
            )
        )
        return node

    def facts(self) -> Facts:
        """What was measured, once every blob was read."""
        facts = Facts(sizes={}, answers={}, faults={})
        for node in self._nodes.values():
            for component in node.components:
                if node.faults:
                    facts.faults.setdefault(component, []).extend(node.faults)
                else:
                    facts.sizes[component] = node.size
                for request, answer in node.answers.items():
                    facts.answers[component, request] = answer
        return facts
