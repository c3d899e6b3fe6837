"""Files, devices, pipes and descriptors: read in place or as they come, and never waited for in
vain."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay import limits
from assay.model.finding import AssayError
from assay.sources.blobs import MemoryBlob
from assay.sources.files import FileBlob, open_part, open_path
from assay.sources.pipe import PipeBlob, open_pipe
from assay.sources.spool import spool
from tests.support.checking import check, codes_of

BIG = bytes(range(251)) * 4000
"""More than is held of a stream to recognise it."""


def sha256(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


def assay(*arguments: str, **options: object) -> subprocess.CompletedProcess[bytes]:
    """Run the command; it must end by itself within the time-out."""
    return subprocess.run(
        [sys.executable, "-m", "assay", *arguments],
        capture_output=True,
        timeout=60,
        **options,  # type: ignore[call-overload]
    )


@pytest.fixture
def piped() -> Iterator[Callable[[bytes], int]]:
    """A function that makes a pipe, fills it from a thread, and gives the end to read."""
    threads: list[threading.Thread] = []

    def make(data: bytes) -> int:
        out, into = os.pipe()

        def fill() -> None:
            with os.fdopen(into, "wb") as file:
                try:
                    file.write(data)
                except BrokenPipeError:
                    return

        threads.append(threading.Thread(target=fill))
        threads[-1].start()
        return out

    yield make
    for thread in threads:
        thread.join()


# standard input


@pytest.mark.parametrize("data", [b"", b"few", BIG], ids=["empty", "small", "large"])
def test_a_pipe_is_verified_as_it_comes(data: bytes) -> None:
    done = assay("verify", "-", "--digest", sha256(data), input=data)
    assert (done.returncode, done.stderr) == (0, b"")
    assert (b"empty-input" in done.stdout) == (data == b"")


def test_other_bytes_on_a_pipe_are_refused() -> None:
    done = assay("verify", "-", "--digest", sha256(BIG), input=BIG[:-1])
    assert done.returncode == 1
    assert b"digest-mismatch" in done.stdout


def test_no_bytes_at_all_are_not_a_yes() -> None:
    done = assay("verify", "-", input=b"")
    assert done.returncode == 3
    assert b"empty-input" in done.stdout


def test_a_checksum_file_may_speak_of_standard_input(tmp_path: Path) -> None:
    sums = tmp_path / "SUMS"
    sums.write_text(f"{hashlib.sha256(BIG).hexdigest()}  -\n")
    assert assay("verify", "-", "--checksums", str(sums), input=BIG).returncode == 0


@pytest.mark.parametrize("name", ["-", "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"])
def test_a_redirected_file_is_read_from_where_it_stands(tmp_path: Path, name: str) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"skipped" + BIG)
    with path.open("rb") as file:
        os.lseek(file.fileno(), 7, os.SEEK_SET)
        done = assay("verify", name, "--digest", sha256(BIG), stdin=file)
    assert done.returncode == 0


def test_closed_standard_input_is_not_some_other_file() -> None:
    command = f"exec {sys.executable} -m assay verify - <&-"
    done = subprocess.run(["sh", "-c", command], capture_output=True, timeout=60, check=False)
    assert done.returncode == 3
    assert b"standard input is closed" in done.stdout


def test_standard_input_that_does_not_block_is_waited_for(
    piped: Callable[[bytes], int],
) -> None:
    fd = piped(BIG)
    os.set_blocking(fd, False)
    blob = open_pipe(fd, "a pipe")
    assert b"".join(map(bytes, blob.stream(1000))) == BIG


@pytest.mark.parametrize("already", [b"", BIG], ids=["nothing_yet", "some_bytes"])
def test_control_c_ends_the_wait_for_a_pipe(already: bytes) -> None:
    """Also while another thread reads ahead on it."""
    out, into = os.pipe()
    with subprocess.Popen(
        [sys.executable, "-m", "assay", "verify", "-"], stdin=out, stderr=subprocess.PIPE
    ) as process:
        os.close(out)
        with os.fdopen(into, "wb") as file:
            file.write(already + BIG)
            file.flush()
            try:
                _wait_until_reading(process.pid)
                process.send_signal(signal.SIGINT)
                _, errors = process.communicate(timeout=60)
            except BaseException:
                process.kill()
                raise
    assert process.returncode == 130
    assert errors.strip() == b"interrupted; nothing was decided"


def _wait_until_reading(pid: int) -> None:
    """Until some thread of the process sleeps in the kernel on the pipe, with Python started."""
    for _ in range(3000):
        try:
            sleeps = [path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/wchan")]
        except OSError:
            sleeps = []
        if any(word in sleep for sleep in sleeps for word in ("pipe", "fifo", "partner")):
            return
        if not sleeps or all(sleep in ("0", "") for sleep in sleeps):
            time.sleep(3)  # a kernel that does not tell
            return
        time.sleep(0.01)
    pytest.fail("the pipe was never read")


# pipes with a name, and what else a path may lead to


def test_a_named_pipe_is_read_once(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=lambda: path.write_bytes(BIG))
    writer.start()
    verdict = check(str(path), sha256(BIG))
    writer.join()
    assert verdict.exit_status == 0
    assert verdict.coverage.total == len(BIG)


def test_control_c_ends_the_wait_for_a_writer(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    with subprocess.Popen(
        [sys.executable, "-m", "assay", "verify", str(path)], stderr=subprocess.PIPE
    ) as process:
        try:
            _wait_until_reading(process.pid)
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=60)
        except BaseException:
            process.kill()
            raise
    assert process.returncode == 130


def _loop(path: Path) -> None:
    path.symlink_to(path.name)


def _dangling(path: Path) -> None:
    path.symlink_to("nowhere")


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (_loop, "unreadable"),
        (_dangling, "not-found"),
        (Path.mkdir, "not-an-image"),
        (lambda _: None, "not-found"),
        (lambda path: path.symlink_to("/dev/zero"), "unreadable"),
        (lambda path: path.symlink_to("/proc/self/mem"), "unreadable"),
    ],
    ids=["symlink_loop", "dangling_link", "empty_directory", "nothing", "device", "memory"],
)
@pytest.mark.parametrize("prefix", ["", "oci:", "dir:", "oci-archive:", "docker-archive:"])
def test_what_cannot_be_read_is_not_checked(
    tmp_path: Path, prefix: str, make: Callable[[Path], None], code: str
) -> None:
    path = tmp_path / "image"
    make(path)
    verdict = check(f"{prefix}{path}", sha256(b""))
    assert verdict.exit_status == 3
    expected = {code, "not-an-image"} if prefix in ("oci:", "dir:") else {code}
    assert codes_of(verdict) & expected


def test_a_socket_cannot_be_read(tmp_path: Path) -> None:
    import socket

    path = tmp_path / "socket"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        assert check(str(path)).exit_status == 3


@pytest.mark.parametrize("name", ["x" * 5000, "a\0b", "oci:a\0b", "dir:" + "x" * 5000])
def test_names_that_no_file_can_have(name: str) -> None:
    assert check(name).exit_status == 3


def test_a_file_without_permission_is_not_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"secret")

    def denied(*_: object, **__: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", denied)
    verdict = check(str(path), sha256(b"secret"))
    assert verdict.exit_status == 3
    assert codes_of(verdict) == {"unreadable"}


@pytest.mark.skipif(not Path("/proc/version").exists(), reason="no /proc")
def test_a_file_of_the_kernel_is_read_although_its_size_is_zero() -> None:
    path = Path("/proc/version")
    assert check(str(path), sha256(path.read_bytes())).exit_status == 0


def test_holes_in_a_sparse_file_are_zero_bytes(tmp_path: Path) -> None:
    path = tmp_path / "sparse"
    with path.open("wb") as file:
        file.truncate(20_000_000)
        file.seek(9_000_000)
        file.write(b"data")
    expected = bytes(9_000_000) + b"data" + bytes(20_000_000 - 9_000_004)
    assert check(str(path), sha256(expected)).exit_status == 0


def test_a_block_device_is_read_to_its_end(tmp_path: Path) -> None:
    data = BIG[: len(BIG) // 512 * 512]
    path = tmp_path / "disk"
    path.write_bytes(data)
    attached = subprocess.run(
        ["sh", "-c", "losetup --find --show --read-only disk"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if attached.returncode != 0:
        pytest.skip("no block device can be made here")
    device = attached.stdout.strip()
    try:
        assert check(device, sha256(data)).exit_status == 0
        with Path(device).open("rb") as file:
            done = assay("verify", "-", "--digest", sha256(data), stdin=file)
        assert done.returncode == 0
    finally:
        subprocess.run(["losetup", "--detach", device], check=True, timeout=60)


# files that change


def _grow(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"more")


def _rewrite(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(b"other")
    os.utime(path, (1, 1))


@pytest.mark.parametrize(
    "change", [_grow, _rewrite, lambda path: os.truncate(path, 10)], ids=["grow", "write", "cut"]
)
def test_a_file_that_changes_while_it_is_read(
    tmp_path: Path, change: Callable[[Path], None]
) -> None:
    path = tmp_path / "file"
    path.write_bytes(BIG)
    blob = open_path(path)
    pieces = blob.stream(1000)
    next(pieces)
    change(path)
    with pytest.raises(AssayError, match="changed-while-read"):
        list(pieces)


def test_a_held_file_stays_the_file_that_was_opened(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"first")
    blob = open_path(path)
    (tmp_path / "other").write_bytes(b"other")
    (tmp_path / "other").rename(path)
    assert b"".join(map(bytes, blob.stream(10))) == b"first"


@pytest.mark.parametrize("link", [False, True])
def test_a_part_that_is_exchanged_before_it_is_read(tmp_path: Path, link: bool) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"first")
    blob = open_part(path)
    assert blob.read_at(0, 5) == b"first"
    (tmp_path / "other").write_bytes(b"first")
    if link:
        path.unlink()
        path.symlink_to("other")
    else:
        (tmp_path / "other").rename(path)
    with pytest.raises(AssayError, match="unreadable" if link else "changed-while-read"):
        blob.read_at(0, 5)
    with pytest.raises(AssayError):
        list(blob.stream(10))


def test_many_parts_do_not_use_up_descriptors(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x")
    blobs = [open_part(path) for _ in range(5000)]
    assert {blob.read_at(0, 1) for blob in blobs} == {b"x"}


# streams as blobs


@settings(max_examples=30, deadline=None)
@given(st.binary(max_size=200), st.integers(0, 3), st.integers(1, 100_000))
def test_a_stream_is_the_same_bytes_however_it_is_cut(
    start: bytes, size: int, chunk_size: int
) -> None:
    data = start + BIG[: size * limits.DETECT_HEAD // 2]
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.seek(0)
        blob = open_pipe(os.dup(file.fileno()), "a stream")
        pieces = [bytes(piece) for piece in blob.stream(chunk_size)]
    assert b"".join(pieces) == data
    assert all(len(piece) <= chunk_size for piece in pieces)


def test_only_the_beginning_of_a_stream_can_be_looked_at(piped: Callable[[bytes], int]) -> None:
    blob = open_pipe(piped(BIG), "a pipe")
    assert isinstance(blob, PipeBlob)
    assert blob.read_at(10, 100) == BIG[10:110]
    with pytest.raises(AssayError, match="unreadable"):
        blob.read_at(limits.DETECT_HEAD - 1, 2)
    assert b"".join(map(bytes, blob.stream(4096))) == BIG
    with pytest.raises(AssayError, match="unreadable"):
        list(blob.stream(4096))


def test_a_copy_of_a_stream_can_be_read_anywhere(piped: Callable[[bytes], int]) -> None:
    copy, note = spool(open_pipe(piped(BIG), "a pipe"))
    assert isinstance(copy, FileBlob)
    assert copy.read_at(500_000, 10) == BIG[500_000:500_010]
    assert note.code == "input-spooled"
    assert str(len(BIG)) in note.detail


def test_a_copy_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "STDIN_SPOOL", 1000)
    with pytest.raises(AssayError, match="limit-exceeded"):
        spool(MemoryBlob(BIG))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_a_full_disk_for_the_copy_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    with Path("/dev/full").open("wb", buffering=0) as full:
        monkeypatch.setattr(tempfile, "TemporaryFile", lambda **_: full)
        with pytest.raises(AssayError, match="No space left") as raised:
            spool(MemoryBlob(BIG))
    assert raised.value.finding.code == "unreadable"
