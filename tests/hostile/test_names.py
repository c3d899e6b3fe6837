"""Names that draw on the terminal, turn text around, or never end: they are shown as what they
are, wherever they come from."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from tests.cli.support import assay, assay_here
from tests.hostile.support import ZEROS, layout_of
from tests.signatures.support import run, tool
from tests.support.images import Entry, Layout

ATTACKS = {
    "colour": "a\x1b[32mALLOWED\x1b[0m",
    "cursor": "a\x1b[2A\x1b[2Kb",
    "eight bits": "a\x9b2Jb",
    "title": "a\x1b]0;title\x07b",
    "bidi": "a\u202egpj.exe\u2066\u2069",
    "hidden": "a\u200b\u2060\ufeffb",
    "lines": "a\nALLOWED  b\r\n\x0b\x0c\x85\u2028\u2029b",
    "backspace": "a\b\b\b\x7fb",
    "long": "a" * 100_000,
    "wide": "\N{FULLWIDTH LATIN SMALL LETTER A}" * 300,
}
LONGEST = 4000
"""Characters of a line that people can still take in, and that no attack gets beyond."""


def _safe(text: str) -> None:
    assert all(char.isprintable() or char == "\n" for char in text), text
    assert "\nALLOWED" not in text.removeprefix("ALLOWED")


def _check(*arguments: str | Path, cwd: Path) -> None:
    """No verb says anything that a terminal could take amiss."""
    for more in ([], ["-v"], ["--format", "json"]):
        done = assay_here(*arguments, *more, cwd=cwd)
        if done.returncode == 2 and more:
            continue  # not every verb has every option
        _safe(done.stdout.lstrip())
        _safe(done.stderr)
        if "json" not in more:
            assert max(map(len, done.stdout.splitlines()), default=0) < LONGEST


@pytest.mark.parametrize("attack", ATTACKS)
def test_in_an_image(tmp_path: Path, attack: str) -> None:
    name = ATTACKS[attack]

    def build(layout: Layout) -> dict[str, object]:
        layer = [Entry(f"../{name}"[:90]), Entry(f"b{name}"[:90], data=b"c")]
        image = layout.image(
            [layer, layout.layer({"a": b"b"}, "gzip", media_type=f"x/{name}")],
            config=lambda document: document.update(
                os=name, architecture=name, config={"Labels": {name: name}}
            ),
            manifest=lambda document: document.update(annotations={name: name}, artifactType=name),
        )
        image["platform"] = {"os": name, "architecture": name}
        image["annotations"] = {"org.opencontainers.image.ref.name": name}
        return layout.index([image, {**image, "digest": name}], annotations={name: name})

    image, digest = layout_of(tmp_path / "image", build)
    for arguments in (["verify", image, "--digest", digest], ["inspect", image]):
        _check(*arguments, cwd=tmp_path)
    other = layout_of(tmp_path / "other", lambda layout: layout.image([{"a": b"c"}]))[0]
    for arguments in (
        ["compare", image, other],
        ["baseline", image],
        ["inspect", image, "--files"],
    ):
        _check(*arguments, cwd=tmp_path)
    _check("verify", f"{image}:nothing", "--digest", digest, cwd=tmp_path)
    _check("verify", image, "--platform", "linux/amd64", cwd=tmp_path)


@pytest.mark.parametrize("attack", ATTACKS)
def test_in_what_vouches(tmp_path: Path, attack: str) -> None:
    name = ATTACKS[attack]
    image, sums = tmp_path / "disk.img", tmp_path / "SHA256SUMS"
    image.write_bytes(b"assay")
    right = hashlib.sha256(b"assay").hexdigest()
    for text in (
        f"{right}  {name}\n",
        f"{name}\n",
        f"\\{right}  {name}\n",
        f"SHA256 ({name}) = {right}\n",
    ):
        sums.write_text(text, "utf-8", newline="")
        _check("verify", image, "--checksums", sums, cwd=tmp_path)
    minisign = tool("minisign")
    run(minisign, "-G", "-W", "-p", tmp_path / "a.pub", "-s", tmp_path / "a.key")
    comment = name.replace("\n", " ").replace("\r", " ")[:1000]
    run(minisign, "-S", "-s", tmp_path / "a.key", "-m", image, "-t", comment, "-c", comment)
    _check("verify", image, "--key", "a.pub", cwd=tmp_path)
    _check("inspect", image, cwd=tmp_path)
    signature = tmp_path / "disk.img.minisig"
    signature.write_bytes(signature.read_bytes().replace(b"\nuntrusted", b"\n"))
    _check("verify", image, "--key", "a.pub", cwd=tmp_path)


@pytest.mark.parametrize("attack", [name for name in ATTACKS if name != "long"])
def test_in_the_name_itself(tmp_path: Path, attack: str) -> None:
    name = ATTACKS[attack].replace("/", "-")[:80]
    _check("verify", name, cwd=tmp_path)
    (tmp_path / name).write_bytes(b"assay")
    _check("verify", name, cwd=tmp_path)
    _check("verify", name, "--checksums", name, "--digest", ZEROS, cwd=tmp_path)
    _check("inspect", name, cwd=tmp_path)
    for option in (
        "--key",
        "--signature",
        "--at",
        "--type",
        "--digest",
        "--identity",
        "--tls-ca",
        "--format",
    ):
        _check("verify", name, option, name, cwd=tmp_path)
    for arguments in (
        ["compare", name, "other"],
        ["baseline", name],
        ["baseline", name, "-o", name],
    ):
        _check(*arguments, cwd=tmp_path)
    for verb in (f"explain {name}", f"schema {name}", name, f"verify --{name}"):
        _check(*verb.split(" ", 1), cwd=tmp_path)


def test_a_name_that_is_no_unicode(tmp_path: Path) -> None:
    name = os.fsdecode(b"disk-\xff\xfe.img")
    try:
        (tmp_path / name).write_bytes(b"assay")
    except OSError:
        pytest.skip("this file system has no such names")
    _check("verify", name, cwd=tmp_path)
    _check("inspect", name, cwd=tmp_path)
    done = assay("verify", name, "--self-consistent", cwd=tmp_path)
    assert done.returncode == 0
    assert "disk-\\udcff\\udcfe.img" in done.stdout
