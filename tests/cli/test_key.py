"""``assay key``: keys are made safely, shown without their secret half, and never written over."""

from __future__ import annotations

import os
import pty
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from assay.produce.keys.form import FORMS
from assay.produce.keys.kinds import KINDS
from tests.cli.support import ENVIRONMENT, SECONDS, assay, assay_here

PASSPHRASE = {"KEY_PASSPHRASE": "correct horse"}
FROM_THERE = ("--passphrase", "env:KEY_PASSPHRASE")


@pytest.fixture(autouse=True)
def passphrase(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in PASSPHRASE.items():
        monkeypatch.setenv(name, value)


def test_a_pair_is_made_and_used(tmp_path: Path) -> None:
    (tmp_path / "disk.img").write_bytes(b"content")
    done = assay_here("key", "generate", "release.key", *FROM_THERE, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "release.key: private ECDSA P-256 key, encrypted" in done.stdout
    assert stat.S_IMODE((tmp_path / "release.key").stat().st_mode) == 0o600
    fingerprint = done.stdout.split()[-1]
    for name in ("release.key", "release.pub"):
        done = assay_here("key", "show", name, *FROM_THERE, cwd=tmp_path)
        assert f"fingerprint  {fingerprint}" in done.stdout
        assert "correct horse" not in done.stdout
    done = assay_here("key", "export-public", "release.key", *FROM_THERE, cwd=tmp_path)
    assert done.stdout == (tmp_path / "release.pub").read_text()
    done = assay_here("sign", "disk.img", "--key", "release.key", *FROM_THERE, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    done = assay_here("verify", "disk.img", "--key", "release.pub", cwd=tmp_path)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind(tmp_path: Path, kind: str) -> None:
    words = ("key", "generate", "some.key", "--kind", kind, "--no-passphrase")
    done = assay_here(*words, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "whoever reads it can sign" in done.stdout
    shown = assay_here("key", "show", "some.key", cwd=tmp_path).stdout
    assert kind.replace("-", "").upper()[:5] in shown.replace("-", "").replace(" ", "").upper()


@pytest.mark.parametrize("form", FORMS)
def test_every_form(tmp_path: Path, form: str) -> None:
    if form == "cosign":
        pytest.importorskip("nacl")
    words = ("key", "generate", "some.key", "--format", form, *FROM_THERE)
    assert assay_here(*words, cwd=tmp_path).returncode == 0
    shown = assay_here("key", "show", "some.key", *FROM_THERE, cwd=tmp_path).stdout
    assert f", {form}, encrypted" in shown
    public = assay_here("key", "show", "some.pub", cwd=tmp_path).stdout
    assert shown.splitlines()[1:] == public.splitlines()[1:]


def test_the_public_half_for_other_tools(tmp_path: Path) -> None:
    words = ("key", "generate", "some.key", "--kind", "ed25519", "--no-passphrase")
    assert assay_here(*words, cwd=tmp_path).returncode == 0
    export = ("key", "export-public", "some.key", "--format")
    assert assay_here(*export, "ssh", cwd=tmp_path).stdout.startswith("ssh-ed25519 AAAA")
    assert "minisign public key" in assay_here(*export, "minisign", cwd=tmp_path).stdout
    assert assay_here(*export, "pem", "-o", "some.pub", cwd=tmp_path).returncode == 2
    words = ("key", "generate", "other.key", "--kind", "ml-dsa-44", "--no-passphrase")
    assert assay_here(*words, cwd=tmp_path).returncode == 0
    for form in ("ssh", "minisign"):
        done = assay_here("key", "export-public", "other.key", "--format", form, cwd=tmp_path)
        assert done.returncode == 2
        assert "ML-DSA-44" in done.stderr


def test_a_key_is_never_written_over(tmp_path: Path) -> None:
    words = ("key", "generate", "release.key", "--no-passphrase")
    for name in ("release.key", "release.pub"):
        (tmp_path / name).write_text("precious")
        done = assay_here(*words, cwd=tmp_path)
        assert done.returncode == 2
        assert "never written over" in done.stderr
        assert [path.name for path in tmp_path.iterdir()] == [name]
        assert (tmp_path / name).read_text() == "precious"
        (tmp_path / name).unlink()
    (tmp_path / "release.key").symlink_to("elsewhere")
    assert assay_here(*words, cwd=tmp_path).returncode == 2
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ("key", "generate"),
        ("key", "generate", "a.key", "--kind", "rsa-1024"),
        ("key", "generate", "a.key", "--passphrase", "correct horse"),
        ("key", "generate", "a.key", "--passphrase", "env:NOT_SET"),
        ("key", "generate", "a.key", "--no-passphrase", *FROM_THERE),
        ("key", "generate", "a.key", "--format", "minisign", "--kind", "ecdsa-p256", *FROM_THERE),
        ("key", "generate", "a.key", "--format", "cosign", "--no-passphrase"),
        ("key", "generate", "no/such/folder/a.key", "--no-passphrase"),
        ("key", "generate", "a.key"),
        ("key", "show", "missing.key"),
        ("key", "show", "image"),
        ("key", "export-public", "image"),
        ("key", "no-such-verb"),
    ],
)
def test_wrong_usage_leaves_nothing_behind(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    (tmp_path / "image").write_bytes(b"content")
    done = assay_here(*arguments, cwd=tmp_path)
    assert done.returncode == 2, done.stdout
    assert done.stdout == ""
    assert [path.name for path in tmp_path.iterdir()] == ["image"]


def test_short_passphrases_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY_PASSPHRASE", "1234567")
    done = assay_here("key", "generate", "a.key", *FROM_THERE, cwd=tmp_path)
    assert done.returncode == 2
    assert "found by trying" in done.stderr
    assert "1234567" not in done.stderr


def _at_a_terminal(folder: Path, *words: str, typed: bytes) -> tuple[int, str]:
    """Run with a terminal of its own, and type when asked."""
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(folder)
        os.execve(sys.executable, [sys.executable, "-m", "assay", *words], ENVIRONMENT)
    said = b""
    lines = typed.splitlines(keepends=True)
    while True:
        try:
            some = os.read(terminal, 4096)
        except OSError:
            break
        if not some:
            break
        said += some
        if lines and some.rstrip(b" ").endswith(b":"):
            os.write(terminal, lines.pop(0))
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), said.decode()


@pytest.mark.skipif(sys.platform != "linux", reason="terminals of Linux")
def test_a_passphrase_is_typed_on_the_terminal_without_echo(tmp_path: Path) -> None:
    twice = b"correct horse\ncorrect horse\n"
    status, said = _at_a_terminal(tmp_path, "key", "generate", "a.key", typed=twice)
    assert status == 0, said
    assert "correct" not in said
    status, said = _at_a_terminal(tmp_path, "key", "show", "a.key", typed=b"correct horse\n")
    assert status == 0, said
    assert "ECDSA P-256, pem, encrypted" in said
    status, said = _at_a_terminal(tmp_path, "key", "show", "a.key", typed=b"another horse\n")
    assert status == 2
    assert "does not open" in said
    other = b"correct horse\nanother horse\n"
    status, said = _at_a_terminal(tmp_path, "key", "generate", "b.key", typed=other)
    assert status == 2
    assert "differ" in said
    assert not (tmp_path / "b.key").exists()


def test_without_a_terminal_nobody_is_asked(tmp_path: Path) -> None:
    assert (
        assay("key", "generate", "a.key", *FROM_THERE, cwd=tmp_path, env=PASSPHRASE).returncode == 0
    )
    (tmp_path / "image").write_bytes(b"content")
    words = [sys.executable, "-m", "assay", "sign", "-", "-o", "x", "--key", "a.key"]
    asked = subprocess.run(
        words, input=b"correct horse\n", cwd=tmp_path, capture_output=True, timeout=SECONDS,
        env=ENVIRONMENT, check=False,
    )  # fmt: skip
    assert asked.returncode == 2
    assert b"no terminal to ask on; give --passphrase env:NAME" in asked.stderr
