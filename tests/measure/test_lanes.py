"""Digests of blocks by several processes: as right as by one stream, whatever happens to them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.measure import engine, lane, lanes
from assay.measure.engine import measure
from assay.measure.hashing import sink_for
from assay.model.codes.archive import CHANGED_WHILE_READ
from assay.model.component import Component, Extent, Slice, Stored
from assay.model.measurement import ChunkRequest, Facts, FsVerityRequest, HashRequest, Request
from assay.sources.files import open_path

Asked = list[tuple[str, Request]]
MADE_OF = Stored("blob")


@pytest.fixture(autouse=True)
def _small_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "LARGE", 1)
    monkeypatch.setattr(lanes, "UNIT", 64 * 1024)


@pytest.fixture
def used(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many processes were started by each measurement."""
    counts: list[int] = []
    share_out = lanes.Lanes._share_out

    def counted(self: lanes.Lanes, *arguments: object) -> bytes:
        found = share_out(self, *arguments)  # type: ignore[arg-type]
        counts.append(len(self._processes))
        return found

    monkeypatch.setattr(lanes.Lanes, "_share_out", counted)
    return counts


def alone(data: bytes, request: Request) -> object:
    sink = sink_for(request)
    sink.update(memoryview(data))
    return sink.finish()


def asked_of(path: Path, asked: Asked, parts: dict[str, tuple[int, int]] | None = None) -> Facts:
    extents: dict[str, Extent] = {"file": MADE_OF}
    extents |= {name: Slice("file", (span,)) for name, span in (parts or {}).items()}
    components = {name: Component(name, "file", extent) for name, extent in extents.items()}
    return measure(components, {"blob": open_path(path)}, asked, workers=2)


@settings(max_examples=15, deadline=None)
@given(
    size=st.integers(1, 400_000),
    block=st.sampled_from([512, 1024, 4096, 65536]),
    prefix=st.binary(max_size=40),
    suffix=st.binary(max_size=40),
    pad=st.booleans(),
    algorithm=st.sampled_from(["sha1", "sha256", "sha512"]),
)
def test_the_answers_are_those_of_one_stream(
    tmp_path_factory: pytest.TempPathFactory,
    size: int, block: int, prefix: bytes, suffix: bytes, pad: bool, algorithm: str,
) -> None:  # fmt: skip
    path = tmp_path_factory.mktemp("lanes") / "file"
    path.write_bytes(data := os.urandom(size))
    request = ChunkRequest(algorithm, block, prefix, suffix, pad)
    facts = asked_of(path, [("file", request)])
    assert facts.answers["file", request] == alone(data, request)
    assert facts.sizes["file"] == size


def test_parts_of_a_file_each_get_theirs(tmp_path: Path, used: list[int]) -> None:
    path = tmp_path / "file"
    path.write_bytes(data := os.urandom(900_000))
    parts = {"data": (0, 409_600), "tree": (500_000, 712_992)}
    asked: Asked = [
        ("data", ChunkRequest("sha256", 4096, b"salt")),
        ("tree", ChunkRequest("sha256", 1024)),
    ]
    facts = asked_of(path, asked, parts)
    for name, request in asked:
        start, end = parts[name]
        assert facts.answers[name, request] == alone(data[start:end], request)
    assert facts.sizes == {"file": 900_000, "data": 409_600, "tree": 212_992}
    assert used == [2, 4]


@pytest.mark.parametrize("size", [1, 4096, 4096 * 128 + 1, 700_000])
def test_an_fs_verity_digest(tmp_path: Path, used: list[int], size: int) -> None:
    path = tmp_path / "file"
    path.write_bytes(data := os.urandom(size))
    request = FsVerityRequest(salt=b"grain")
    facts = asked_of(path, [("file", request)])
    assert facts.answers["file", request] == alone(data, request)
    assert len(used) == 1


@pytest.mark.parametrize(
    "asked",
    [
        [("file", HashRequest("sha256")), ("file", ChunkRequest("sha256", 4096))],
        [("file", ChunkRequest("sha256", 4096)), ("file", ChunkRequest("sha512", 4096))],
        [("file", ChunkRequest("blake2b", 4096))],
    ],
    ids=["a digest of all of it too", "two kinds of digests", "an algorithm of another library"],
)
def test_what_else_is_asked_is_answered_from_one_stream(
    tmp_path: Path, used: list[int], asked: Asked
) -> None:
    path = tmp_path / "file"
    path.write_bytes(data := os.urandom(300_000))
    facts = asked_of(path, asked)
    for name, request in asked:
        assert facts.answers[name, request] == alone(data, request)
    assert used == []


def test_a_part_beyond_the_end_of_the_file_is_a_fault(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(os.urandom(300_000))
    request = ChunkRequest("sha256", 4096)
    facts = asked_of(path, [("part", request)], {"part": (0, 300_001)})
    assert ("part", request) not in facts.answers
    assert facts.faults["part"]


@pytest.mark.parametrize("program", ["raise SystemExit(1)", "import sys; sys.stdin.read(5)"])
def test_processes_that_die_cost_time_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str
) -> None:
    (tmp_path / "program.py").write_text(program)
    monkeypatch.setattr(lanes, "_program", lambda: tmp_path / "program.py")
    path = tmp_path / "file"
    path.write_bytes(data := os.urandom(300_000))
    request = ChunkRequest("sha256", 4096)
    facts = asked_of(path, [("file", request)])
    assert facts.answers["file", request] == alone(data, request)


def test_a_system_that_starts_no_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes.sys, "executable", str(tmp_path / "none"))
    path = tmp_path / "file"
    path.write_bytes(data := os.urandom(300_000))
    request = ChunkRequest("sha256", 4096)
    facts = asked_of(path, [("file", request)])
    assert facts.answers["file", request] == alone(data, request)


@pytest.mark.parametrize("change", ["shorter", "rewritten"])
def test_a_file_that_is_changed_meanwhile_is_not_answered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    path = tmp_path / "file"
    path.write_bytes(os.urandom(300_000))
    look_at_ends = lanes.Lanes._measure

    def changed(self: lanes.Lanes, *arguments: object) -> None:
        if change == "shorter":
            os.truncate(path, 100_000)
        else:
            path.write_bytes(os.urandom(300_000))
            os.utime(path, (1, 1))
        look_at_ends(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(lanes.Lanes, "_measure", changed)
    facts = asked_of(path, [("file", ChunkRequest("sha256", 4096))])
    assert not facts.answers
    assert [found.code for found in facts.faults["file"]] == [CHANGED_WHILE_READ.name]


def test_no_process_is_left(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(os.urandom(300_000))
    seen: list[lanes.Lanes] = []
    start = lanes.Lanes.start
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lanes.Lanes, "start", lambda self: (seen.append(self), start(self))[1])
        asked_of(path, [("file", ChunkRequest("sha256", 4096))])
    assert [process.poll() is not None for process in seen[0]._processes] == [True, True]


def test_the_program_ends_with_a_status_of_its_own_where_the_file_does(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(bytes(5000))
    fd = os.open(tmp_path / "file", os.O_RDONLY)
    try:
        reader = lane.Reader(fd, 0, 4096, b"", b"")
        assert len(lane.digests(reader, "sha256", 0, 4096)) == 32
        with pytest.raises(EOFError):
            lane.digests(reader, "sha256", 0, 8192)
    finally:
        os.close(fd)
