"""Discoverable disk images: data, hash tree and signature by veritysetup and openssl."""

from __future__ import annotations

import base64
import json
import random
import re
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

from msgspec import Struct, field

from tests.signatures.support import run, tool
from tests.support.certificates import END, START, Holder, key_of, make, root, usage
from tests.support.disks import ESP, Gpt, Part

TYPES = {
    "esp": ESP,
    "home": "933ac7e1-2eb4-4f13-b844-0e14e2aef915",
    "root": "4f68bce3-e8cd-4db1-96e7-fbcaf984b709",
    "root-verity": "2c7357ed-ebd2-46d9-aec1-23d437ec2bf5",
    "root-verity-sig": "41092b05-9fc8-4523-994f-2def0408b176",
    "usr": "8484680c-9521-48c6-9c11-b0720656f69e",
    "usr-verity": "77ff5f63-e7b6-4633-acf4-1565b864c0e6",
    "usr-verity-sig": "e7bb33fb-06cf-4e81-8273-e543b413e2e2",
}
DATA, TREE, SIG = (f"partition[root-x86-64{end}]" for end in ("", "-verity", "-verity-sig"))


def publisher() -> tuple[Holder, Holder]:
    """An authority, and who signs for it."""
    authority = root("Image Authority", key=key_of("rsa2048"), start=START, end=END)
    holder = make(
        "Image Signer",
        authority,
        key=key_of("rsa2048", 1),
        key_usage=usage("digital_signature"),
        start=START,
        end=END,
    )
    return authority, holder


class Tree(Struct):
    """What `veritysetup format` made."""

    data: bytes
    content: bytes
    root: str


def tree_of(folder: Path, data: bytes, *options: str) -> Tree:
    """The tree over some data."""
    plain, made = folder / "plain", folder / "tree"
    plain.write_bytes(data)
    said = run(tool("veritysetup"), "format", *options, plain, made).decode()
    [found] = re.findall(r"^Root hash:\s+(\S+)$", said, re.MULTILINE)
    return Tree(data, made.read_bytes(), found)


def signed(folder: Path, text: str, holder: Holder, *options: str) -> bytes:
    """A PKCS#7 signature of a text, as systemd-repart makes it."""
    certificate, key = holder.write(folder, "signer")
    (folder / "text").write_text(text)
    return run(
        tool("openssl"), "smime", "-sign", "-nocerts", "-noattr", "-binary", "-in",
        folder / "text", "-inkey", key, "-signer", certificate, "-outform", "der", *options,
    )  # fmt: skip


def signature_json(root_hash: str, made_by: bytes, holder: Holder, **more: Any) -> bytes:
    """The content of a signature partition."""
    der = holder.der
    value = {
        "rootHash": root_hash,
        "certificateFingerprint": sha256(der).hexdigest(),
        "signature": base64.b64encode(made_by).decode(),
    } | more
    return json.dumps({name: each for name, each in value.items() if each is not None}).encode()


class Image(Struct):
    """Partitions by name, with content and UUID; `build` makes the disk."""

    content: dict[str, bytes] = field(default_factory=dict)
    guids: dict[str, str] = field(default_factory=dict)
    extra: list[Part] = field(default_factory=list)

    def add(self, what: str, tree: Tree, signature: bytes | None = None) -> Image:
        """A file system (``root``, ``usr``) with its tree and its signature."""
        self.content |= {what: tree.data, f"{what}-verity": tree.content}
        digest = bytes.fromhex(tree.root)
        self.guids |= {
            what: str(UUID(bytes=digest[:16])),
            f"{what}-verity": str(UUID(bytes=digest[-16:])),
        }
        if signature is not None:
            self.content[f"{what}-verity-sig"] = signature.ljust(-(-len(signature) // 4096) * 4096,
                                                                 b"\0")  # fmt: skip
        return self

    def build(self) -> bytes:
        parts, content, at = list(self.extra), {}, 40
        for name, data in self.content.items():
            sectors = -(-len(data) // 512)
            parts.append(
                Part(at, at + sectors - 1, TYPES[name.partition("#")[0]], self.guids.get(name, ""))
            )
            content[at] = data
            at += sectors + 8
        return bytes(Gpt(parts, sectors=at + 100, content=content).build())


def some_data(seed: int = 1, blocks: int = 200) -> bytes:
    return random.Random(seed).randbytes(blocks * 4096)
