"""The engine: every blob read once, every answer right, however many threads there are."""

from __future__ import annotations

import gzip
import hashlib
import hmac
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay import limits
from assay.measure.crew import BUFFERS, WAITING, StoppedError
from assay.measure.engine import Engine, measure
from assay.measure.hashing import sink_for
from assay.measure.inflaters.model import OUTPUT
from assay.measure.plan import Plan
from assay.model.codes import content as codes
from assay.model.component import Component, Derived, Extent, Slice, Stored
from assay.model.finding import AssayError, Finding
from assay.model.measurement import (
    ChunkRequest,
    ContentRequest,
    HashRequest,
    Request,
    ScanRequest,
)
from assay.model.secret import Secret
from assay.sources.blobs import MemoryBlob
from assay.sources.files import open_path

SHA256, SHA512 = HashRequest("sha256"), HashRequest("sha512")
workers = pytest.mark.parametrize("workers", [1, 2, 5])


class WatchedBlob:
    """Bytes that are made as they are read, and that remember how often each was."""

    seekable = True

    def __init__(self, data: bytes, fail_at: int | None = None) -> None:
        self._data = data
        self.size = len(data)
        self.ranges: list[tuple[int, int]] = []
        self._fail_at = fail_at

    def read_at(self, offset: int, length: int) -> bytes:
        raise AssertionError("measuring reads a blob in order, once")

    def stream(self, chunk_size: int) -> Iterator[memoryview]:
        scratch = bytearray(chunk_size)
        for at in range(0, self.size, chunk_size):
            piece = self._data[at : at + chunk_size]
            if self._fail_at is not None and at + len(piece) > self._fail_at:
                raise AssayError(Finding.of(codes.UNREADABLE, detail="a bad block", offset=at))
            self.ranges.append((at, at + len(piece)))
            scratch[: len(piece)] = piece
            yield memoryview(scratch)[: len(piece)]
            # a piece is valid only until the next one is asked for
            scratch[:] = b"\xee" * chunk_size

    def assert_read_once(self) -> None:
        at = 0
        for start, end in self.ranges:
            assert start == at
            at = end
        assert at == self.size


def component(name: str, extent: Extent) -> Component:
    return Component(name, "test", extent)


def catalogue(*components: Component) -> dict[str, Component]:
    return {found.id: found for found in components}


@pytest.fixture(autouse=True)
def _small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "READ_CHUNK", 4096)


@workers
def test_many_claims_about_one_blob_take_one_read(workers: int) -> None:
    plain = bytes(range(256)) * 3000
    packed = gzip.compress(plain, mtime=0)
    data = packed + b"tail" * 9000
    blob = WatchedBlob(data)
    parts = catalogue(
        component("disk", Stored("disk")),
        component("also", Stored("disk")),
        component("layer", Slice("disk", ((0, len(packed)),))),
        component("content", Derived("layer", "gzip")),
        component("again", Derived("disk", "gzip", ((0, len(packed)),))),
        component("part", Slice("content", ((10, 5000), (700_000, 700_001)))),
        component("tail", Slice("disk", ((len(packed), len(data)),))),
    )
    requests: list[tuple[str, Request]] = [
        *((name, request) for name in parts for request in (SHA256, SHA512, SHA256)),
        ("disk", ChunkRequest("sha256", 5000)),
        ("content", HashRequest("sha256", prefix=b"<", suffix=b">", key=Secret(b"k"))),
        ("part", ContentRequest(10_000)),
    ]
    progress: list[int] = []
    facts = measure(parts, {"disk": blob}, requests, progress=progress.append, workers=workers)
    blob.assert_read_once()
    assert sum(progress) == len(data)
    assert facts.faults == {}
    expected = {
        "disk": data,
        "also": data,
        "layer": packed,
        "content": plain,
        "again": plain,
        "part": plain[10:5000] + plain[700_000:700_001],
        "tail": data[len(packed) :],
    }
    for name, content in expected.items():
        assert facts.sizes[name] == len(content)
        assert facts.answers[name, SHA256] == hashlib.sha256(content).digest(), name
        assert facts.answers[name, SHA512] == hashlib.sha512(content).digest(), name
    assert facts.answers["part", ContentRequest(10_000)] == expected["part"]
    chunks = [hashlib.sha256(data[at : at + 5000]).digest() for at in range(0, len(data), 5000)]
    assert facts.answers["disk", ChunkRequest("sha256", 5000)] == b"".join(chunks)
    mac = hmac.digest(b"k", b"<" + plain + b">", "sha256")
    assert facts.answers[requests[-2]] == mac


@workers
@pytest.mark.parametrize("key", [None, b"k" * 32])
@pytest.mark.parametrize("text", [False, True])
@pytest.mark.parametrize("algorithm", ["sha256", "sha3-256", "blake3", "blake2b", "shake256-512"])
def test_what_differs_in_the_suffix_alone_is_one_running_digest(
    algorithm: str, text: bool, key: bytes | None, workers: int
) -> None:
    """Signatures by many makers over one file append something each: it is digested once."""
    if key and algorithm == "shake256-512":
        pytest.skip("there is no such MAC")
    data = b"line\r\nline\rline\n" * 50_000 + b"\r"
    secret = Secret(key) if key else None
    requests: list[Request] = [
        HashRequest(algorithm, b"before", suffix, secret, text)
        for suffix in (b"", b"one", b"another", b"\n")
    ]
    component = Component("file", "file", Stored("blob"), size=len(data))
    wanted = [("file", request) for request in requests]
    assert Plan({"file": component}, wanted).roots["blob"].sinks() == 1
    facts = measure({"file": component}, {"blob": MemoryBlob(data)}, wanted, workers=workers)
    for request in requests:
        alone = sink_for(request)
        alone.update(memoryview(data))
        assert facts.answers["file", request] == alone.finish()
    assert len({facts.answers["file", request] for request in requests}) == len(requests)


@settings(deadline=None, max_examples=30)
@given(data=st.data())
def test_any_number_of_threads_gives_the_same_facts(data: st.DataObject) -> None:
    blobs: dict[str, WatchedBlob] = {}
    parts: dict[str, Component] = {}
    contents: dict[str, bytes] = {}

    def add(name: str, extent: Extent, content: bytes) -> None:
        parts[name] = component(name, extent)
        contents[name] = content

    for number in range(data.draw(st.integers(1, 5))):
        size = data.draw(st.sampled_from([0, 1, 4095, 4096, 4097, 50_000, 300_000]))
        plain = hashlib.shake_128(str(number).encode()).digest(size // 2) * 2
        stored = data.draw(st.sampled_from([plain, gzip.compress(plain, 1, mtime=0)]))
        name = f"blob{number}"
        blobs[name] = WatchedBlob(stored)
        add(name, Stored(name), stored)
        if stored is not plain:
            add(f"{name}/content", Derived(name, "gzip"), plain)
    for number in range(data.draw(st.integers(0, 4))):
        of = data.draw(st.sampled_from(sorted(contents)))
        edges = sorted(data.draw(st.lists(st.integers(0, len(contents[of])), max_size=6)))
        spans = tuple(zip(edges[::2], edges[1::2], strict=False))
        cut = b"".join(contents[of][start:end] for start, end in spans)
        add(f"slice{number}", Slice(of, spans), cut)
    requests = [(name, SHA256) for name in parts] + [("blob0", HashRequest("blake2b"))]
    facts = measure(parts, blobs, requests, workers=data.draw(st.integers(1, 4)))
    assert facts.faults == {}
    assert facts.sizes == {name: len(content) for name, content in contents.items()}
    for name, content in contents.items():
        assert facts.answers[name, SHA256] == hashlib.sha256(content).digest()
    for blob in blobs.values():
        blob.assert_read_once()


@workers
def test_a_blob_that_cannot_be_read_on_spoils_no_other(workers: int) -> None:
    good, bad = WatchedBlob(b"g" * 100_000), WatchedBlob(b"b" * 100_000, fail_at=60_000)
    parts = catalogue(
        component("good", Stored("good")),
        component("bad", Stored("bad")),
        component("start", Slice("bad", ((0, 10),))),
    )
    requests = [(name, SHA256) for name in parts]
    facts = measure(parts, {"good": good, "bad": bad}, requests, workers=workers)
    assert facts.answers["good", SHA256] == hashlib.sha256(b"g" * 100_000).digest()
    assert [fault.code for fault in facts.faults["bad"]] == ["unreadable"]
    assert ("bad", SHA256) not in facts.answers
    assert ("start", SHA256) not in facts.answers
    assert set(facts.faults) == {"bad", "start"}


@workers
def test_a_damaged_stream_keeps_what_is_known_of_the_stored_bytes(workers: int) -> None:
    packed = bytearray(gzip.compress(bytes(range(256)) * 4000, mtime=0))
    packed[len(packed) // 2] ^= 1
    parts = catalogue(
        component("layer", Stored("l")), component("content", Derived("layer", "gzip"))
    )
    blob = WatchedBlob(bytes(packed))
    facts = measure(parts, {"l": blob}, [(name, SHA256) for name in parts], workers=workers)
    assert facts.answers["layer", SHA256] == hashlib.sha256(packed).digest()
    assert [fault.code for fault in facts.faults["content"]] == ["compressed-stream-damaged"]
    assert ("content", SHA256) not in facts.answers


@workers
def test_a_part_beyond_the_end_is_a_truncation(workers: int) -> None:
    parts = catalogue(
        component("disk", Stored("d")), component("part", Slice("disk", ((5, 20_000),)))
    )
    blob = WatchedBlob(bytes(10_000))
    facts = measure(parts, {"d": blob}, [("disk", SHA256), ("part", SHA256)], workers=workers)
    assert facts.sizes == {"disk": 10_000}
    assert [fault.cause for fault in facts.faults["part"]] == ["truncation"]


class Collect:
    """A sink that remembers what it was given, and can be made to fail."""

    def __init__(self, error: Exception | None = None) -> None:
        self.taken = b""
        self._error = error

    def update(self, data: memoryview) -> None:
        self.taken += data
        if self._error is not None and len(self.taken) > 10_000:
            raise self._error

    def finish(self) -> bytes:
        return self.taken


@workers
def test_a_sink_that_refuses_is_a_fault_and_the_others_go_on(workers: int) -> None:
    refusal = AssayError(Finding.of(codes.MALFORMED, detail="not a tar archive"))
    scan = ScanRequest("scan", lambda: Collect(refusal))
    keep = ScanRequest("keep", Collect)
    data = bytes(range(256)) * 1000
    parts = catalogue(component("disk", Stored("d")))
    requests: list[tuple[str, Request]] = [("disk", scan), ("disk", keep), ("disk", SHA256)]
    facts = measure(parts, {"d": WatchedBlob(data)}, requests, workers=workers)
    assert [fault.code for fault in facts.faults["disk"]] == ["malformed"]
    assert ("disk", scan) not in facts.answers
    assert facts.answers["disk", keep] == data
    assert facts.answers["disk", SHA256] == hashlib.sha256(data).digest()


@workers
def test_a_defect_in_a_thread_is_not_lost(workers: int) -> None:
    scan = ScanRequest("scan", lambda: Collect(ZeroDivisionError("a defect")))
    parts = catalogue(component("disk", Stored("d")))
    with pytest.raises(ZeroDivisionError):
        measure(parts, {"d": WatchedBlob(bytes(100_000))}, [("disk", scan)], workers=workers)

    class Broken(WatchedBlob):
        def stream(self, chunk_size: int) -> Iterator[memoryview]:
            raise ZeroDivisionError("another defect")

    with pytest.raises(ZeroDivisionError):
        measure(parts, {"d": Broken(b"x")}, [("disk", SHA256)], workers=workers)
    assert not _measuring_threads()


def _measuring_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("assay-")]


def test_what_waits_for_slow_sinks_is_bounded() -> None:
    """Memory stays flat although reading and inflating are faster than the sinks."""
    made = most = 0

    class Counting(WatchedBlob):
        def stream(self, chunk_size: int) -> Iterator[memoryview]:
            nonlocal made
            for piece in super().stream(chunk_size):
                made += len(piece)
                yield piece

    class Slow:
        def __init__(self) -> None:
            self.taken = 0

        def update(self, data: memoryview) -> None:
            nonlocal most
            # runs Python code, while hashing threads would not hold the interpreter
            hashlib.pbkdf2_hmac("sha256", b"", b"", 200)
            most = max(most, made - self.taken)
            self.taken += len(data)

        def finish(self) -> int:
            return self.taken

    scans = [ScanRequest(str(number), Slow) for number in range(3)]
    parts = catalogue(component("disk", Stored("d")))
    requests = [("disk", scan) for scan in scans]
    facts = measure(parts, {"d": Counting(bytes(2_000_000))}, requests, workers=4)
    assert facts.answers["disk", scans[0]] == 2_000_000
    assert most <= (BUFFERS + 1) * limits.READ_CHUNK
    made = most = 0

    def grow(data: memoryview) -> None:
        nonlocal made
        made += len(data)

    class Measured(Slow):
        pass

    class Ahead:
        """The sink that is asked first, by which the pieces are counted."""

        def update(self, data: memoryview) -> None:
            grow(data)

        def finish(self) -> None: ...

    packed = gzip.compress(bytes(range(256)) * 80_000, 1, mtime=0)
    parts = catalogue(
        component("layer", Stored("l")), component("content", Derived("layer", "gzip"))
    )
    ahead, slow = ScanRequest("ahead", Ahead), ScanRequest("slow", Measured)
    requests = [("content", ahead), ("content", slow)]
    measure(parts, {"l": WatchedBlob(packed)}, requests, workers=3)
    assert most <= (WAITING + 2) * OUTPUT


def test_one_engine_makes_several_measurements_at_a_time() -> None:
    with Engine(3) as engine:
        pending = []
        for number in range(20):
            data = str(number).encode() * 50_000
            parts = catalogue(component("disk", Stored("d")))
            blob = WatchedBlob(data) if number % 3 else MemoryBlob(data[:1000])
            pending.append((number, engine.begin(parts, {"d": blob}, [("disk", SHA256)])))
        for number, measurement in pending:
            data = str(number).encode() * 50_000
            expected = hashlib.sha256(data if number % 3 else data[:1000]).digest()
            assert measurement.wait().answers["disk", SHA256] == expected
    assert not _measuring_threads()


class EndlessBlob:
    seekable = False
    size = None

    def __init__(self) -> None:
        self.started = threading.Event()
        self.ended = threading.Event()

    def read_at(self, offset: int, length: int) -> bytes:
        return b""

    def stream(self, chunk_size: int) -> Iterator[memoryview]:
        try:
            while True:
                yield memoryview(bytes(chunk_size))
                self.started.set()
        finally:
            self.ended.set()


def test_leaving_the_engine_ends_what_is_being_read() -> None:
    blobs = {"a": EndlessBlob(), "b": EndlessBlob(), "c": EndlessBlob()}
    parts = catalogue(*(component(name, Stored(name)) for name in blobs))
    with Engine(2) as engine:
        pending = engine.begin(parts, blobs, [(name, SHA256) for name in blobs])
        assert blobs["a"].started.wait(60)
        assert blobs["b"].started.wait(60)
    assert blobs["a"].ended.wait(60)
    assert blobs["b"].ended.wait(60)
    with pytest.raises(StoppedError):
        pending.wait()


def test_the_switch_interval_is_put_back() -> None:
    before = sys.getswitchinterval()
    parts = catalogue(component("disk", Stored("d")))
    measure(parts, {"d": WatchedBlob(bytes(100_000))}, [("disk", SHA256)], workers=2)
    assert sys.getswitchinterval() == before


_PRELUDE = """
import gzip, hashlib, resource, sys
from assay.measure.engine import measure
from assay.model.component import Component, Derived, Stored
from assay.model.measurement import HashRequest

class Made:
    seekable, size = False, None
    def __init__(self, piece, count):
        self.piece, self.count = piece, count
    def stream(self, chunk_size):
        for _ in range(self.count):
            for at in range(0, len(self.piece), chunk_size):
                yield memoryview(self.piece)[at : at + chunk_size]

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024

disk = Component("disk", "test", Stored("d"))
content = Component("content", "test", Derived("disk", "gzip"))
parts = {"disk": disk, "content": content}
requests = [(name, HashRequest(kind)) for name in parts for kind in ("sha256", "blake2b")]
"""


def _python(script: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-u", "-c", _PRELUDE + script]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@workers
def test_memory_stays_flat_over_hundreds_of_megabytes(workers: int) -> None:
    process = _python(f"""
requests = requests[::2]
piece = gzip.compress(hashlib.shake_128(b"x").digest(2 << 20) * 2, 1)
measure(parts, {{"d": Made(piece, 2)}}, requests, workers={workers})
before = peak()
facts = measure(parts, {{"d": Made(piece, 60)}}, requests, workers={workers})
assert facts.sizes["content"] == 240 << 20, facts
print(peak() - before)
""")
    out, errors = process.communicate()
    assert process.returncode == 0, errors
    assert int(out) < 24


def test_ctrl_c_ends_all_threads() -> None:
    process = _python("""
class Endless(Made):
    def stream(self, chunk_size):
        while True:
            yield memoryview(bytes(chunk_size))
            if not self.count:
                print("started")
            self.count += 1
try:
    measure({"disk": disk}, {"d": Endless(b"", 0)}, [("disk", HashRequest("sha256"))], workers=3)
except KeyboardInterrupt:
    print("interrupted")
""")
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "started\n"
        process.send_signal(signal.SIGINT)
        out, errors = process.communicate(timeout=120)
    finally:
        process.kill()
    assert out == "interrupted\n", errors
    assert process.returncode == 0


def test_a_file_that_shrinks_while_it_is_read_is_a_fault(tmp_path: Path) -> None:
    path = tmp_path / "disk"
    path.write_bytes(bytes(200_000))
    blob = open_path(path)
    with path.open("r+b") as file:
        file.truncate(100_000)
    parts = catalogue(component("disk", Stored("d")))
    for workers in (1, 2):
        facts = measure(parts, {"d": blob}, [("disk", SHA256)], workers=workers)
        assert [fault.code for fault in facts.faults["disk"]] == ["changed-while-read"]


class AnywhereBlob(MemoryBlob):
    """Bytes of which parts can be read in any order, one small piece at a time."""

    def read_at(self, offset: int, length: int) -> bytes:
        return super().read_at(offset, min(length, 1000))


@workers
def test_parts_in_another_order_than_in_the_blob(workers: int) -> None:
    data = bytes(range(256)) * 100
    parts = catalogue(
        component("disk", Stored("disk")),
        component("partition", Slice("disk", ((512, 20_000),))),
        component("file", Slice("partition", ((9000, 15_000), (0, 700), (800, 900)))),
        component("within", Slice("file", ((5990, 6010),))),
        component("turned", Slice("file", ((6000, 6100), (0, 10)))),
    )
    facts = measure(
        parts, {"disk": AnywhereBlob(data)}, [(name, SHA256) for name in parts], workers=workers
    )
    partition = data[512:20_000]
    file = partition[9000:15_000] + partition[:700] + partition[800:900]
    expected = {
        "disk": data,
        "partition": partition,
        "file": file,
        "within": file[5990:6010],
        "turned": file[6000:6100] + file[:10],
    }
    for name, content in expected.items():
        assert facts.hash(name, "sha256") == hashlib.sha256(content).digest(), name
        assert facts.sizes[name] == len(content)
    assert facts.faults == {}


def test_parts_in_another_order_beyond_the_end_or_of_a_stream_are_faults() -> None:
    parts = catalogue(
        component("disk", Stored("disk")),
        component("beyond", Slice("disk", ((90, 120), (0, 10)))),
        component("content", Derived("disk", "gzip")),
        component("turned", Slice("content", ((5, 9), (0, 5)))),
    )
    data = gzip.compress(bytes(100), mtime=0).ljust(100, b"\0")
    facts = measure(parts, {"disk": MemoryBlob(data)}, [(name, SHA256) for name in parts])
    assert [fault.code for fault in facts.faults["beyond"]] == ["size-mismatch"]
    assert [fault.code for fault in facts.faults["turned"]] == ["limit-exceeded"]
    assert facts.hash("disk", "sha256") == hashlib.sha256(data).digest()
