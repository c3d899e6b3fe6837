"""Of bytes that are signed or covered, any single flipped bit is refused."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Struct

from assay.trust.anchors import Trust
from tests.hostile.support import judged
from tests.signatures.support import run, tool
from tests.support.images import Layout

CONTENT = bytes(range(256)) * 3 + b"assay"


class Arrangement(Struct):
    """An image that is allowed, and the stretches of files in which no bit may change."""

    name: str
    trust: Callable[[], Trust]
    covered: list[tuple[Path, int, int]]
    signatures: list[str] = []

    def allowed(self) -> bool:
        return bool(judged(self.name, self.trust(), signatures=self.signatures))

    @property
    def bits(self) -> int:
        return 8 * sum(end - start for _, start, end in self.covered)

    def flip(self, bit: int) -> None:
        """Change a bit; the same again changes it back."""
        offset = bit // 8
        for path, start, end in self.covered:
            if offset < end - start:
                data = bytearray(path.read_bytes())
                data[start + offset] ^= 1 << bit % 8
                path.write_bytes(data)
                return
            offset -= end - start


def _whole(path: Path) -> tuple[Path, int, int]:
    return path, 0, path.stat().st_size


def _without_first_line(path: Path) -> tuple[Path, int, int]:
    """All but the comment that no signature covers."""
    return path, path.read_bytes().index(b"\n") + 1, path.stat().st_size


def _image(folder: Path) -> Path:
    image = folder / "disk.img"
    image.write_bytes(CONTENT)
    return image


def _digest(folder: Path) -> Arrangement:
    image = _image(folder)
    trust = Trust().add_digest("sha256:" + hashlib.sha256(CONTENT).hexdigest())
    return Arrangement(str(image), lambda: trust, [_whole(image)])


def _checksums(folder: Path) -> Arrangement:
    image, sums = _image(folder), folder / "SHA512SUMS"
    sums.write_text(f"{hashlib.sha512(CONTENT).hexdigest()}  disk.img\n")
    trust = Trust().add_checksums(sums)
    return Arrangement(str(image), lambda: trust, [_whole(image)])


def _keys(folder: Path) -> tuple[Path, Path, str]:
    minisign, key, secret = tool("minisign"), folder / "a.pub", folder / "a.key"
    run(minisign, "-G", "-W", "-p", key, "-s", secret)
    return key, secret, minisign


def _minisign(folder: Path) -> Arrangement:
    image = _image(folder)
    key, secret, minisign = _keys(folder)
    run(minisign, "-S", "-s", secret, "-m", image, "-t", "a comment that is signed")
    signature = folder / "disk.img.minisig"
    trust = Trust().add_key(key)
    return Arrangement(str(image), lambda: trust, [_whole(image), _without_first_line(signature)])


def _signed_checksums(folder: Path) -> Arrangement:
    image, sums = _image(folder), folder / "SHA256SUMS"
    sums.write_text(f"# a comment\n{hashlib.sha256(CONTENT).hexdigest()} *disk.img\n")
    key, secret, minisign = _keys(folder)
    run(minisign, "-S", "-s", secret, "-m", sums)
    return Arrangement(
        str(image),
        lambda: Trust().add_key(key).add_checksums(sums),
        [_whole(image), _whole(sums)],
    )


def _signify(folder: Path) -> Arrangement:
    signify, image = tool("signify-openbsd", "signify"), _image(folder)
    key, secret = folder / "a.pub", folder / "a.sec"
    run(signify, "-G", "-n", "-p", key, "-s", secret)
    run(signify, "-S", "-s", secret, "-m", image, "-x", folder / "disk.img.sig")
    trust = Trust().add_key(key)
    signature = _without_first_line(folder / "disk.img.sig")
    return Arrangement(str(image), lambda: trust, [_whole(image), signature])


def _ssh(folder: Path) -> Arrangement:
    ssh_keygen, image, key = tool("ssh-keygen"), _image(folder), folder / "key"
    run(ssh_keygen, "-q", "-t", "ed25519", "-N", "", "-f", key)
    run(ssh_keygen, "-q", "-Y", "sign", "-n", "file", "-f", key, image)
    trust = Trust().add_key(folder / "key.pub")
    return Arrangement(str(image), lambda: trust, [_whole(image)])


def _plain(folder: Path) -> Arrangement:
    openssl, image, key = tool("openssl"), _image(folder), folder / "key.pem"
    run(openssl, "genpkey", "-algorithm", "ed25519", "-out", key)
    run(openssl, "pkey", "-in", key, "-pubout", "-out", folder / "pub.pem")
    signature = folder / "disk.img.sig"
    run(openssl, "pkeyutl", "-sign", "-rawin", "-inkey", key, "-in", image, "-out", signature)
    trust = Trust().add_key(folder / "pub.pem")
    return Arrangement(str(image), lambda: trust, [_whole(image), _whole(signature)])


def _mac(folder: Path) -> Arrangement:
    image, secret, code = _image(folder), folder / "secret", folder / "disk.img.hmac"
    secret.write_bytes(b"s3same-open-s3same-open")
    code.write_text(hmac.new(secret.read_bytes(), CONTENT, "sha256").hexdigest() + "\n")
    trust = Trust().add_key(f"secret:{secret}")
    return Arrangement(str(image), lambda: trust, [_whole(image)], [str(code)])


def _layout(folder: Path) -> Arrangement:
    layout = Layout()
    image = layout.image(
        [
            {"etc/hostname": b"assay"},
            layout.layer({"a": CONTENT}, "zstd"),
            layout.layer({"b": b""}, ""),
        ]
    )
    index = layout.index([image])
    name = layout.write(folder / "image", index)
    trust = Trust().add_digest(index["digest"])
    blobs = sorted((folder / "image" / "blobs").rglob("*"))
    return Arrangement(name, lambda: trust, [_whole(blob) for blob in blobs if blob.is_file()])


ARRANGEMENTS = {
    "digest": _digest,
    "checksums": _checksums,
    "minisign": _minisign,
    "signed checksums": _signed_checksums,
    "signify": _signify,
    "ssh": _ssh,
    "plain key": _plain,
    "mac": _mac,
    "layout": _layout,
}


@pytest.fixture(scope="module", params=ARRANGEMENTS)
def arrangement(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Arrangement]:
    made = ARRANGEMENTS[request.param](tmp_path_factory.mktemp("flips"))
    assert made.allowed()
    yield made
    assert made.allowed()


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.floats(0, 1, exclude_max=True))
def test_any_flipped_bit_is_refused(arrangement: Arrangement, place: float) -> None:
    bit = int(place * arrangement.bits)
    arrangement.flip(bit)
    try:
        assert not arrangement.allowed(), f"bit {bit}"
    finally:
        arrangement.flip(bit)


def test_any_flipped_bit_of_a_code_is_refused(tmp_path: Path) -> None:
    """MACs are hexadecimal here, so that each bit of the value is tried and not of its text."""
    made = _mac(tmp_path)
    code = Path(made.signatures[0])
    right = bytes.fromhex(code.read_text())
    for bit in range(0, 8 * len(right), 3):
        changed = bytearray(right)
        changed[bit // 8] ^= 1 << bit % 8
        for text in (changed.hex(), base64.b64encode(changed).decode()):
            code.write_text(text + "\n")
            assert not made.allowed()
    code.write_text(right.hex() + "\n")
    assert made.allowed()
